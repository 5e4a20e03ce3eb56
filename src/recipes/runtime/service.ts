/**
 * systemd units: whether they run by one `systemctl is-active` for all; whether they are enabled by the links that enabling makes,
 * which costs no process, and by `systemctl is-enabled` only where there are none. What is enabled is known to systemd from the next reload on,
 * the last of the program at the latest: one for each unit would cost 0.2 s (measured on a local machine).
 */
export const service = `kb_enabled() {
[ ! -c "/etc/systemd/system/$1" ] || return 1
set +f
set -- "$1" /etc/systemd/system/*.wants/"$1" /etc/systemd/system/*.requires/"$1"
set -f
[ ! -h "$2" ] && [ ! -h "$3" ] || return 0
case $(systemctl is-enabled "$1" 2>/dev/null) in enabled*|static|alias|indirect|generated|transient) ;; *) return 1 ;; esac
}
kb_service() {
  [ $US = 1 ] || kb_units
  u=\${U#*"$nl$1="}
  u=\${u%%"$nl"*} v= e=
  case $2:$u in
    running:active|running:reloading|stopped:inactive|stopped:failed|:*) ;;
    running:*) v=start; kb_word started ;;
    *) v=stop; kb_word stopped ;;
  esac
  case $3 in
    true) kb_enabled "$1" || { e=enable; kb_word enabled; } ;;
    false) case $(systemctl is-enabled "$1" 2>/dev/null) in enabled*) e=disable; kb_word disabled ;; esac ;;
  esac
  [ -n "$W" ] || { kb_ok; return; }
  kb_mark
  [ $MODE = apply ] || { [ "$v" != start ] || kb_unmark "restart:$1" "reload:$1"; kb_changed "$W"; return; }
  kb_flush
  [ -z "$e" ] || LR=1
  case $e$v in
    enablestart|disablestop) kb_systemctl $e --no-reload --now "$1" ;;
    *) { [ -z "$e" ] || kb_systemctl $e --no-reload "$1"; } && { [ -z "$v" ] || kb_systemctl $v "$1"; } ;;
  esac || { kb_fail "systemctl $e\${e:+\${v:+ and }}$v $1 failed" log; return 1; }
  [ "$v" != start ] || kb_unmark "restart:$1" "reload:$1"
  kb_changed "$W"
}
`
