#!/bin/sh
# Written by Kitbag. Brings changed zones and another database of countries into force in the running server, and fails when it did not take one.
set -eu
folder=/etc/powerdns/kitbag/zones stamp=/run/kitbag-dns/reloaded
touch "$stamp.next"
pdns_control rediscover >/dev/null
newer=
[ ! -e "$stamp" ] || newer="-newer $stamp"
# Another database of countries: backends are told to open theirs anew.
# shellcheck disable=SC2086
[ -z "$(find /etc/powerdns/kitbag/countries/current $newer)" ] || pdns_control reload >/dev/null
# shellcheck disable=SC2086
changed=$(find "$folder" -name '*.zone' $newer | sed 's,.*/,,; s/\.zone$//')
failed=0
for zone in $changed; do
  # A file that no zone has any more is of no use.
  grep -qF "\"$zone\"" /etc/powerdns/kitbag/named.conf || { rm -f "$folder/$zone.zone"; continue; }
  answer=$(pdns_control bind-reload-now "$zone" 2>&1) || true
  case $answer in
    *'parsed into memory'*) ;;
    *) printf '%s\n' "$answer" >&2; failed=1 ;;
  esac
done
pdns_control purge >/dev/null
for zone in $changed; do
  grep -qE "^$zone [^-]" /etc/powerdns/kitbag/metadata && pdns_control notify "$zone" >/dev/null || true
done
[ "$failed" = 0 ] || exit 1
mv "$stamp.next" "$stamp"
