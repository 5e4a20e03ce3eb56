/**
 * Symbolic links.
 */
export const link = `kb_last_match() { G=; for g; do [ ! -e "$g" ] || G=$g; done; }
kb_link() {
  [ $FS = 1 ] || kb_stat
  if [ -z "$G" ]; then
    [ $MODE = check ] && { kb_mark; kb_changed '"no target yet"'; return; }
    kb_fail "$P: nothing on this machine matches its targetPattern"
    return 1
  fi
  case $F in *"$nl$P|a1ff|root:root|$P -> $G$nl"*) kb_ok; return ;; esac
  kb_actual
  case $AM in
    '') kb_word created ;;
    a*) kb_word 'target' ;;
    8*) [ "$1" = 1 ] || { kb_fail "$P is a file, not a link: remove it first, or say replace: true"; return 1; }; kb_word 'file -> link' ;;
    *) kb_kind; kb_fail "$P is $k, not a link: remove it first"; return 1 ;;
  esac
  kb_parent || return 1
  kb_mark
  [ $MODE = apply ] || { kb_changed "$W"; return; }
  if [ -z "$AM" ]; then
    kb_run ln -sT -- "$G" "$P" || { kb_fail "cannot make $P" log; return 1; }
  else
    T=\${P%/*}/.\${P##*/}.kitbag
    [ ! -e "$T" ] && [ ! -h "$T" ] || rm -f "$T"
    kb_run ln -sT -- "$G" "$T" && kb_run mv -fT "$T" "$P" || { kb_fail "cannot replace $P" log; return 1; }
  fi
  FS=0
  kb_changed "$W"
}
`
