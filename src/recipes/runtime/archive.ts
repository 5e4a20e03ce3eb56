/**
 * Archives, unpacked beside their place and renamed.
 */
export const archive = `kb_archive() {
  [ ! -e "$P/.kitbag-$1" ] || { kb_ok; return; }
  kb_mark
  [ $MODE = apply ] || { kb_changed '"unpacked"'; return; }
  b=/var/cache/kitbag/blobs/$1 D1=\${P%/*}
  [ -d "$D1" ] || { kb_fail "$P: the folder $D1 does not exist; put a directory resource for it before this one"; return 1; }
  [ -f "$b" ] || { kb_fail "the uploaded archive is missing: $b"; return 1; }
  kb_flush
  kb_run rm -rf "$P.new" && kb_run mkdir "$P.new" && kb_run tar -x -f "$b" -C "$P.new" --no-same-owner --no-same-permissions &&
    { [ "$2" = root:root ] || kb_run chown -R "$2" "$P.new"; } && : >"$P.new/.kitbag-$1" ||
    { cp "$L" "$L.first"; rm -rf "$P.new"; mv "$L.first" "$L"; kb_fail "cannot unpack into $P.new" log; return 1; }
  if [ -e "$P" ]; then kb_run rm -rf "$P.old" && kb_run mv -T "$P" "$P.old"; fi && kb_run mv -T "$P.new" "$P" && kb_run rm -rf "$P.old" ||
    { kb_fail "cannot put $P in its place" log; return 1; }
  [ "$3" = 0 ] || kb_prune "$3"
  kb_stale
  kb_changed '"unpacked"'
}
kb_prune() {
  used=
  set +f
  for l in "\${D1%/*}"/* "$D1"/*; do [ ! -h "$l" ] || used="$used$nl$(readlink -f "$l")$nl"; done
  n=0
  IFS=$nl
  for d in $(ls -1td "$D1"/*/); do
    d=\${d%/}
    [ ! -h "$d" ] || continue
    case $d in *.new|*.old) rm -rf "$d"; continue ;; esac
    set -- "$1" "$d"/.kitbag-*
    [ -e "$2" ] || continue
    n=$((n + 1))
    [ $n -gt "$1" ] && [ "$d" != "$P" ] || continue
    case $used in *"$nl$(readlink -f "$d")$nl"*) continue ;; esac
    b=\${2##*/.kitbag-}
    rm -rf "$d"
    rm -f "/var/cache/kitbag/blobs/$b"
  done
  unset IFS
  set -f
}
`
