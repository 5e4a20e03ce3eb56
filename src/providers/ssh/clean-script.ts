import { beforeFile, keptFolder, manifestFile, manifestFolder, packageFunctions } from '../../lib/manifest.ts'
import { sh } from '../../lib/sh.ts'
import { claimFile, claimFolder } from './claim.ts'

/** Exit status when the mark is not the one that was meant. */
export const otherMark = 66

/**
 * Takes away what Kitbag put onto a machine, by the list that it kept there, and the mark last: so a script that was cut off is run
 * again. What is no more is fine. Reads nothing; prints what it could not do, and `clean` when nothing was left undone.
 */
export function cleanScript(token: string, { purge }: { purge: boolean }): string {
  const head = sh`token=${token} purge=${purge ? 1 : 0}`.text
  return `kitbag_clean() {\n${head}\n${functions}${steps}}\n{ kitbag_clean; exit; }\n`
}

const functions = `set -u -f
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
nl='
'
${packageFunctions}
left=0
undone() { echo "cannot $*"; left=1; }
listed() { sed -n "s/^$1 //p" ${manifestFile} | awk '!seen[$0]++'; }
packages_of() {
  dpkg-query -S "$@" 2>/dev/null | grep -v '^diversion' | sed 's/: .*//; s/, /\\n/g' | sed 's/:[a-z0-9]*$//' | LC_ALL=C sort -u
}
package_of() { packages_of "/lib/systemd/system/$1" "/usr/lib/systemd/system/$1" | head -n 1; }
stop_unit() {
  systemctl disable --now "$1" >/dev/null 2>&1
  case $(systemctl is-active "$1" 2>/dev/null) in active|activating|reloading) systemctl stop "$1" || undone "stop $1" ;; esac
}
# Packages bring files, and have some made by ucf; what was there before is nobody's to remove.
owned_paths() {
  set +f
  { cat /var/lib/dpkg/info/*.list; sed 's/^[^[:space:]]*[[:space:]]*//' /var/lib/ucf/registry 2>/dev/null; listed own; cat ${beforeFile} 2>/dev/null; } | LC_ALL=C sort -u
  set -f
}
# Everything below a folder that no package brought; the folder itself stays.
empty_folder() {
  find "$1" -xdev -mindepth 1 | LC_ALL=C sort >"$work/there"
  LC_ALL=C comm -23 "$work/there" "$work/owned" | LC_ALL=C sort -r >"$work/extra"
  while IFS= read -r p; do
    if [ -d "$p" ] && [ ! -h "$p" ]; then rmdir "$p" 2>/dev/null || :; else rm -f "$p" || undone "remove $p"; fi
  done <"$work/extra"
}
`

const steps = `
[ -e ${claimFile} ] || { echo clean; return 0; }
grep -qF "\\"token\\":\\"$token\\"" ${claimFile} || { echo 'the mark is another'; return ${otherMark}; }
mkdir -p -m 0700 /run/kitbag
exec 9>/run/kitbag/lock
flock -w 60 9 || { echo 'another program of Kitbag still runs here'; return 1; }
work=$(mktemp -d /run/kitbag/clean.XXXXXX) || return 1
trap 'rm -rf "$work"' EXIT
[ -e ${manifestFile} ] || : >${manifestFile}
kb_packages_end
listed package >"$work/packages"
: >"$work/daemons"
: >"$work/folders"
# Of a package that Kitbag installed, nothing ran before, whatever it looked like when the unit was first met.
listed unit | while read -r unit active enabled; do
  package=$(package_of "$unit")
  if [ -n "$package" ] && grep -qxF "$package" "$work/packages"; then
    echo "$package" >>"$work/daemons"
    echo "$unit inactive absent"
  else
    echo "$unit $active $enabled"
    # An earlier claim may have left the package. What the daemon wrote since this one goes, if nobody ran it before.
    case $active in active|reloading) ;; *) [ -z "$package" ] || [ ! -e ${beforeFile} ] || echo "$package" >>"$work/daemons" ;; esac
  fi
done >"$work/units"

# What ran before Kitbag came runs on; the rest stops, and what came with its packages.
while read -r unit active enabled; do
  case $active in active|reloading) ;; *) [ "$enabled" = enabled ] && systemctl stop "$unit" 2>/dev/null || stop_unit "$unit" ;; esac
done <"$work/units"
dpkg-query -L $(cat "$work/packages") 2>/dev/null | grep -E '/lib/systemd/system/[^/]+\\.(service|socket|timer|path)$' |
  while read -r path; do
    unit=\${path##*/}
    case $unit in *@.*) systemctl stop "\${unit%%@*}@*" 2>/dev/null ;; *) stop_unit "$unit" ;; esac
  done

# Folders that the packages of daemons brought, and nobody else's: data, logs and configuration in them go.
set -- $(dpkg-query -L $(cat "$work/daemons") 2>/dev/null | grep -E '^/(etc|var/(lib|log|cache|spool))/[^/]+' |
  while IFS= read -r path; do [ ! -d "$path" ] || [ -h "$path" ] || printf '%s\\n' "$path"; done)
cat "$work/packages" "$work/daemons" >"$work/ours"
[ $# = 0 ] || dpkg-query -S "$@" 2>/dev/null | awk -v list="$work/ours" '
  BEGIN { while ((getline name < list) > 0) ours[name] = 1 }
  /^diversion/ { next }
  { at = index($0, ": "); count = split(substr($0, 1, at - 1), owners, ", "); all = 1
    for (i = 1; i <= count; i++) { sub(/:.*/, "", owners[i]); if (!(owners[i] in ours)) all = 0 }
    path = substr($0, at + 2); if (all && !seen[path]++) print path }' >"$work/folders"

# And folders that their installation made for their users.
listed puser >"$work/pusers"
listed found | grep -E '^/var/(lib|log|cache|spool)/[^/]+' | while IFS= read -r path; do
  [ -d "$path" ] && stat -c %U "$path" | grep -qxFf "$work/pusers" && printf '%s\\n' "$path"
done >>"$work/folders"

# Files that were there before.
listed kept >"$work/kept"
while IFS= read -r path; do
  [ -e "${keptFolder}$path" ] || [ -h "${keptFolder}$path" ] || continue
  [ -d "\${path%/*}" ] || continue
  rm -rf "$path.kitbag-back"
  cp -a "${keptFolder}$path" "$path.kitbag-back" && mv -fT "$path.kitbag-back" "$path" || undone "put $path back"
done <"$work/kept"

# Users with their homes.
remove_user() {
  record=$(getent passwd "$1") || return 0
  uid=$(id -u "$1")
  home=\${record%:*}
  home=\${home##*:}
  case $home in
    /var/lib/?*|/var/cache/?*|/home/?*|/opt/?*|/srv/?*)
      [ ! -d "$home" ] || [ "$(stat -c %u "$home")" != "$uid" ] || rm -rf --one-file-system "$home" || undone "remove $home" ;;
  esac
  set +f
  for process in /proc/[0-9]*; do
    [ "$(stat -c %u "$process" 2>/dev/null)" != "$uid" ] || kill -KILL "\${process#/proc/}" 2>/dev/null
  done
  set -f
  userdel -f "$1" >/dev/null 2>&1 || ! getent passwd "$1" >/dev/null || undone "remove the user $1"
}
remove_group() { ! getent group "$1" >/dev/null || groupdel "$1" 2>/dev/null || undone "remove the group $1"; }
for user in $(listed newuser); do remove_user "$user"; done
for group in $(listed newgroup); do remove_group "$group"; done

if [ $purge = 1 ]; then
  set --
  while read -r package; do
    case $(dpkg-query -W -f='\${db:Status-Status}' "$package" 2>/dev/null) in ''|not-installed) ;; *) set -- "$@" "$package" ;; esac
  done <"$work/packages"
  if [ $# -gt 0 ]; then
    # Never apt: it would take along what somebody else installed on top of them.
    n=0
    until dpkg --purge "$@" >"$work/log" 2>&1; do
      if grep -q 'locked by another process' "$work/log" && [ $n -lt 60 ]; then n=$((n + 1)); sleep 1; continue; fi
      while read -r line; do echo "$line"; done <"$work/log" | grep -E '^dpkg: (error|dependency)' | head -n 5
      undone 'purge every package'
      break
    done
  fi
  for user in $(listed puser); do remove_user "$user"; done
  for group in $(listed pgroup); do remove_group "$group"; done
fi

owned_paths >"$work/owned"
while IFS= read -r folder; do
  [ ! -d "$folder" ] || empty_folder "$folder"
  [ $purge = 0 ] || rmdir "$folder" 2>/dev/null || :
done <"$work/folders"

# What was not there before, what is in folders first.
listed made | LC_ALL=C sort -r >"$work/made"
while IFS= read -r path; do
  [ -e "$path" ] || [ -h "$path" ] || continue
  case $path in /*/?*) ;; *) continue ;; esac
  if [ -e "$path.dpkg-dist" ]; then mv -fT "$path.dpkg-dist" "$path"
  elif [ -h "$path" ] || [ ! -d "$path" ]; then rm -f "$path" || undone "remove $path"
  elif grep -qxF "$path" "$work/owned"; then empty_folder "$path"
  else rm -rf --one-file-system "$path" || undone "remove $path"; fi
done <"$work/made"

systemctl daemon-reload
while read -r unit active enabled; do
  case $active in
    active|reloading)
      [ "$enabled" != enabled ] || systemctl enable "$unit" >/dev/null 2>&1
      systemctl restart "$unit" || undone "start $unit again" ;;
    *) systemctl reset-failed "$unit" 2>/dev/null ;;
  esac
done <"$work/units"

[ $left = 0 ] || return 1
rm -rf /var/cache/kitbag/blobs ${keptFolder} ${manifestFolder}/pending ${manifestFolder}/extras ${manifestFolder}/firewall
rm -f ${manifestFile} ${beforeFile} ${manifestFolder}/packages ${manifestFolder}/packages.new ${manifestFolder}/packages.open
rmdir /var/cache/kitbag ${manifestFolder} 2>/dev/null
find ${claimFolder} -mindepth 1 ! -path ${claimFile} -delete
rm -f ${claimFile}
rmdir ${claimFolder} 2>/dev/null
rm -rf /run/kitbag
echo clean
`
