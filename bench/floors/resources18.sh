# The 18 resources by hand, as fast as dash can: every kind of fact by one process for all of its kind, and nothing written that is
# right already. Fed to `sh` as root. Lines in @...@ are filled in by resources18.ts. Prints how many resources were changed.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
changed=0
eol='
'
count() { changed=$((changed + 1)); }
# Whether the line $2 is one of the lines $1.
among() { case "$eol$1$eol" in *"$eol$2$eol"*) ;; *) return 1 ;; esac; }

packages='haproxy prometheus-node-exporter nginx-light'
known=$(dpkg-query -f '${Package} ${db:Status-Status}\n' -W $packages 2>/dev/null) || :
absent=
for package in $packages; do
  among "$known" "$package installed" || { absent="$absent $package"; count; }
done
[ -z "$absent" ] || apt-get -qq -y --no-install-recommends install $absent </dev/null >/dev/null 2>&1

found=
while read -r entry; do
  case $entry in labuser:*) found=1; break ;; esac
done </etc/passwd
[ -n "$found" ] || { useradd --system labuser; count; }

umask 027
folder=/etc/labtest
paths=$(stat -c '%F %a %U:%G %N' /srv/a /srv/b /srv/c $folder $folder/f1 $folder/f2 $folder/f3 $folder/f4 $folder/f5 $folder/f6 $folder/l1 $folder/l2 2>/dev/null) || :
for path in /srv/a /srv/b /srv/c; do
  among "$paths" "directory 750 root:root '$path'" || { install -d -m 0750 -o root -g root "$path"; count; }
done
among "$paths" "directory 755 root:root '$folder'" || install -d -m 0755 -o root -g root $folder

sums=$(sha256sum -c 2>/dev/null <<'SUMS'
@sums@
SUMS
) || :
right() { among "$sums" "$folder/$1: OK" && among "$paths" "regular file 640 root:root '$folder/$1'"; }
write() { cat >$folder/.$1; chmod 0640 $folder/.$1; mv -f $folder/.$1 $folder/$1; count; }
@files@

for number in 1 2; do
  among "$paths" "symbolic link 777 root:root '$folder/l$number' -> 'f$number'" || { ln -nsf f$number $folder/l$number; count; }
done

services='haproxy nginx prometheus-node-exporter'
running=$(systemctl is-active $services) || :
starting=$(systemctl is-enabled $services) || :
if [ "$running$eol$starting" != "active${eol}active${eol}active${eol}enabled${eol}enabled${eol}enabled" ]; then
  for service in $services; do
    systemctl -q is-active $service && systemctl -q is-enabled $service && continue
    systemctl -q enable --now $service
    count
  done
fi
echo "changed $changed"
