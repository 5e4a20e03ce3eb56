/**
 * Directories.
 */
export const directory = `kb_directory() {
  [ $FS = 1 ] || kb_stat
  case $F in *"$nl$P|$1|$3:$4|$P$nl"*) kb_ok; return ;; esac
  kb_actual
  case $AM in
    '') kb_word created ;;
    4*) kb_attributes "$1" "$2" "$3:$4" ;;
    *) kb_kind; kb_fail "$P is $k, not a directory: remove it first"; return 1 ;;
  esac
  kb_parent || return 1
  kb_mark
  [ $MODE = apply ] || { kb_changed "$W"; return; }
  if [ -z "$AM" ] && [ "$3:$4" = root:root ]; then
    kb_run mkdir -m "0$2" "$P" || { kb_fail "cannot make $P" log; return 1; }
  else
    [ -n "$AM" ] || kb_run mkdir -m 0700 "$P" && kb_run chown "$3:$4" "$P" && kb_run chmod "0$2" "$P" ||
      { kb_fail "cannot make $P, or set its owner and mode" log; return 1; }
  fi
  kb_changed "$W"
}
`
