/**
 * Regular files: written beside their place, checked, renamed over it.
 */
export const file = `kb_file() {
  [ $FS = 1 ] || kb_stat
  T=\${P%/*}/.\${P##*/}.kitbag
  case $F in *"$nl$P|$1|$2|$P$nl"*)
    case $H in *"$nl$P: OK$nl"*)
      [ $MODE = check ] || [ ! -e "$T" ] || rm -f "$T"
      kb_ok
      return ;;
    esac ;;
  esac
  kb_actual
  same=0
  case $AM in
    '') kb_word created ;;
    8*)
      case $H in *"$nl$P: OK$nl"*) same=1 ;; *) kb_word content ;; esac
      kb_attributes "$1" "$(printf %04o $((0x$1 & 07777)))" "$2" ;;
    a*) kb_word 'link -> file' ;;
    *) kb_kind; kb_fail "$P is $k, not a file: remove it first"; return 0 ;;
  esac
  return 1
}
kb_put() {
  kb_parent || return 1
  [ $MODE = apply ] || { kb_mark; kb_diff "$5"; kb_changed "$W" "$o"; return; }
  if [ $same = 1 ]; then
    kb_mark
    kb_run chown "$2:$3" "$P" && kb_run chmod "$1" "$P" || { kb_fail "cannot set owner or mode of $P" log; return 1; }
    kb_changed "$W"
    return
  fi
  [ ! -e "$T" ] && [ ! -h "$T" ] || rm -f "$T"
  umask "$4"
  set -C
  { kb_content >"$T"; } 2>|"$L" 3>&- 9>&- || { set +C; umask 022; df -hP "\${D1:-/}" >>"$L" 2>&1; kb_drop "cannot write $T"; return 1; }
  set +C
  umask 022
  if [ "$4" = 077 ]; then
    kb_run chown "$2:$3" "$T" && kb_run chmod "$1" "$T" || { kb_drop "cannot set owner or mode of $P"; return 1; }
  fi
  [ -z "$6" ] || kb_run sh -c "$6" sh "$T" || { kb_drop "the new $P was refused by its check, the old one stays"; return 1; }
  kb_mark
  kb_run mv -fT "$T" "$P" || { kb_drop "cannot replace $P"; return 1; }
  kb_changed "$W"
}
kb_drop() { rm -f "$T"; kb_fail "$1" log; }
kb_diff() {
  o='[secret]'
  [ "$1" = 0 ] && [ $same = 0 ] || { [ $same = 0 ] || o=; return; }
  d=$P
  case $AM in 8*) ;; *) d=/dev/null ;; esac
  o=$({ kb_content | diff -u --label "$P" --label "$P" "$d" - || [ $? = 1 ] || { sed 's/^/-/' "$d"; kb_content | sed 's/^/+/'; }; } 2>/dev/null | head -c 65536 | kb_json)
}
`
