/**
 * Packages: what is missing among neighbouring entries is installed at once.
 */
export const packages = `M= K=
kb_package() {
  [ $DS = 1 ] || kb_packages
  [ -z "$2" ] || case $D in *"\${nl}installed $1 $2$nl"*) kb_ok; return ;; esac
  [ -n "$2" ] || case $D in *"\${nl}installed $1 "*) kb_ok; return ;; esac
  if [ $MODE = check ]; then
    kb_mark
    kb_version "$D" "$1"
    if [ -n "$v" ]; then kb_changed "\\"version $v -> $2\\""; else kb_changed '"not installed"'; fi
    return
  fi
  M="$M $1\${2:+=$2}" K="$K$I|$1|$2|$Q$nl"
}
kb_version() { v=\${1#*"\${nl}installed $2 "}; [ "$v" != "$1" ] && v=\${v%%"$nl"*} || v=; }
kb_install() {
  [ -n "$M" ] || return 0
  kb_flush
  IFS=$nl
  for k in $K; do
    IFS=' '
    Q=\${k##*|} I=\${k%%|*} k=\${k#*|}
    kb_mark
  done
  k=\${K%%"$nl"*} I=\${k%%|*} k=\${k#*|} R=package:\${k%%|*}
  unset IFS
  kb_get || return 1
  d=$D
  kb_stale
  kb_packages
  IFS=$nl
  set -- $K
  unset IFS
  for k; do
    I=\${k%%|*} k=\${k#*|}
    p=\${k%%|*} k=\${k#*|}
    R=package:$p
    kb_version "$d" "$p"
    o=$v
    kb_version "$D" "$p"
    [ -n "$v" ] || { kb_fail "apt-get install succeeded, and $p is not installed: is it the name of a real package?"; return 1; }
    if [ -n "$o" ]; then kb_changed "\\"version $o -> $v\\""; else kb_changed "\\"installed $v\\""; fi
  done
  M= K=
}
kb_get() {
  kb_lists_fresh || kb_update || { kb_fail 'apt-get update failed' log; return 1; }
  set +f
  set -- /var/lib/dpkg/updates/*
  set -f
  [ ! -e "$1" ] || kb_repair
  kb_updated=0 kb_repaired=0
  while :; do
    kb_apt install --no-install-recommends --allow-downgrades $M && return
    case $(tail -c 16384 "$L") in
      *'Unable to locate package'*|*'has no installation candidate'*|*'Failed to fetch'*|*'was not found'*)
        [ $kb_updated = 0 ] || break
        kb_updated=1
        kb_update || break ;;
      *)
        [ $kb_repaired = 0 ] || break
        kb_repaired=1
        cp "$L" "$L.first"
        kb_repair || { mv -f "$L.first" "$L"; break; }
        rm -f "$L.first" ;;
    esac
  done
  kb_fail "apt-get install$M failed" log
  return 1
}
kb_apt() {
  kb_run apt-get -q -y -o DPkg::Lock::Timeout=900 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
kb_lists_fresh() {
  set +f
  set -- /var/lib/apt/lists/*_Packages*
  set -f
  [ -e "$1" ] || return 1
  t=$(stat -c %Y /var/lib/apt/lists/partial 2>/dev/null) && [ $(($(date +%s) - t)) -lt 86400 ]
}
kb_locked() { case $(tail -c 4096 "$L") in *'ould not get lock'*|*'nable to lock'*|*'locked by another process'*) ;; *) return 1 ;; esac; }
kb_wait() {
  t=0
  until kb_run "$@"; do
    kb_locked && [ $t -lt 900 ] || return 1
    [ ! -e "$X" ] || kb_end ',"stopped":true'
    sleep 1
    t=$((t + 1))
  done
}
kb_update() { kb_wait apt-get -q -o Acquire::Retries=3 -o Acquire::Languages=none update; }
kb_repair() { kb_wait dpkg --force-confdef --force-confold --configure -a; }
`
