import { keptFolder, manifestFile, manifestFolder, packageFunctions } from '../../lib/manifest.ts'

/**
 * Lists what the program is about to put onto the machine, with what was there before: each thing once, at its first sight, before
 * anything is done to it.
 */
export const manifest = `${packageFunctions}kb_manifest() {
  [ -d ${keptFolder} ] || { mkdir -p ${manifestFolder} && mkdir -m 0700 ${keptFolder}; } && kb_packages_begin ||
    { kb_fail "cannot write in ${manifestFolder}"; exit 1; }
  trap kb_packages_end EXIT
  [ -e ${manifestFile} ] || : >${manifestFile}
  MT=$nl$(cat ${manifestFile})$nl MN=
}
kb_list_paths() {
  for p; do
    case $MT in *"\${nl}made $p$nl"*|*"\${nl}kept $p$nl"*|*"\${nl}found $p$nl"*) continue ;; esac
    if [ -h "$p" ] || [ -f "$p" ]; then
      mkdir -p "${keptFolder}\${p%/*}" && cp -a "$p" "${keptFolder}$p" || { kb_fail "cannot keep a copy of $p"; exit 1; }
      MN="\${MN}kept $p$nl"
    elif [ -e "$p" ]; then
      MN="\${MN}found $p$nl"
      case $p in /var/*/*) MN="$MN$(find "$p" -xdev -mindepth 1 -maxdepth 2 2>/dev/null | head -n 1000 | sed 's/^/own /')$nl" ;; esac
    else MN="\${MN}made $p$nl"; fi
  done
}
kb_list_accounts() {
  a=$1 b=$2
  shift 2
  for n; do
    case $MT in *"\${nl}new$a $n$nl"*|*"\${nl}old$a $n$nl"*) continue ;; esac
    if grep -q "^$n:" "$b"; then MN="\${MN}old$a $n$nl"; else MN="\${MN}new$a $n$nl"; fi
  done
}
kb_list_units() {
  for u; do
    case $MT in *"\${nl}unit $u "*) continue ;; esac
    a=$(systemctl is-active "$u" 2>/dev/null)
    e=$(systemctl is-enabled "$u" 2>/dev/null)
    MN="\${MN}unit $u \${a:-unknown} \${e:-absent}$nl"
  done
}
kb_listed() {
  [ -n "$MN" ] || return 0
  printf %s "$MN" >>${manifestFile} && sync ${manifestFile} || { kb_fail "cannot write ${manifestFile}"; exit 1; }
}
`
