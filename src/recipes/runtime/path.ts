/**
 * Facts of paths, in bulk, and what files, directories and links share.
 */
export const path = `kb_want() { case $F in *"$nl$2|8"*) S="$S$nl$1  $2" ;; esac; }
kb_actual() {
  A=\${F#*"$nl$P|"}
  [ "$A" != "$F" ] && A=\${A%%"$nl"*} || A=
  AM=\${A%%|*} AO=\${A#*|}
  AO=\${AO%%|*}
}
kb_kind() {
  case $AM in 4*) k='a directory' ;; a*) k='a link' ;; 8*) k='a file' ;; 1*) k='a pipe' ;; c*) k='a socket' ;; *) k='a device' ;; esac
}
kb_parent() {
  D1=\${P%/*}
  [ $MODE = check ] || [ -d "\${D1:-/}" ] || { kb_fail "$P: the folder $D1 does not exist; put a directory resource for it before this one"; return 1; }
}
kb_attributes() {
  [ "$AM" = "$1" ] || kb_word "mode $(printf %04o $((0x$AM & 07777))) -> $2"
  [ "$AO" = "$3" ] || kb_word "owner $AO -> $3"
}
kb_absent() {
  [ $FS = 1 ] || kb_stat
  kb_actual
  [ -n "$A" ] || { kb_ok; return; }
  kb_kind
  case $AM in 4*) kb_fail "$P is a directory; only files and links are removed"; return 1 ;; esac
  kb_mark
  [ $MODE = check ] || kb_run rm -f "$P" || { kb_fail "cannot remove $P" log; return 1; }
  kb_changed '"removed"'
}
`
