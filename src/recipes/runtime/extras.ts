/**
 * What earlier releases put onto the machine beside its own recipe and this one does not: its services are stopped and disabled, its
 * files removed. Its packages and what its daemons wrote stay, and what another one on the machine has too.
 */
export const extras = `kb_extras() {
  set +f
  for x in "$1"/*; do
    set -f
    n=\${x##*/}
    case $2 in *" $n "*) continue ;; esac
    [ -f "$x" ] || continue
    I=-1 R=extra:$n
    [ $MODE = apply ] || { kb_changed '"would be removed"'; continue; }
    while IFS= read -r l; do
      case $l in unit:*) kb_shared "$1" || kb_run systemctl disable --no-reload --now "\${l#unit:}" || kb_gone "\${l#unit:}" || return 1 ;; esac
    done <"$x"
    while IFS= read -r l; do case $l in file:*) kb_shared "$1" || rm -f "\${l#file:}" ;; esac; done <"$x"
    [ -d $PD ] || mkdir -p $PD
    : >$PD/daemon-reload
    rm -f "$x"
    kb_changed '"removed"'
  done
  set -f
}
kb_shared() {
  b=\${1%/extras}
  b=\${b%/guests/*}
  set +f
  for y in "$b"/extras/* "$b"/guests/*/*; do
    if [ "$y" != "$x" ] && [ -f "$y" ] && grep -qxF -e "$l" "$y"; then set -f; return 0; fi
  done
  set -f
  return 1
}
kb_gone() {
  case $(systemctl is-active "$1" 2>/dev/null) in active|activating|reloading) kb_fail "cannot stop $1" log; return 1 ;; esac
}
`
