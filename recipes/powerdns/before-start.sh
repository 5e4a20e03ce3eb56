#!/bin/sh
# Written by Kitbag. What PowerDNS has to be told of this machine: its own addresses, because a stub resolver may hold port 53 of
# others, where it asks for names that an ALIAS points to, and what its version knows.
set -eu
mkdir -p /run/kitbag-dns
addresses=$(hostname -I | tr -s ' ' '\n' | paste -sd, -)
resolver=$(sed -n 's/^nameserver[[:space:]]\{1,\}\([^[:space:]%]*\).*/\1/p' /etc/resolv.conf | head -n 1)
{
  printf 'local-address=%s\n' "${addresses#,}"
  [ -z "$resolver" ] || printf 'resolver=%s\nexpand-alias=yes\n' "$resolver"
  # Several large records in one message make a transfer fail (PowerDNS issue 11804); 4.7 knows no way round it.
  if pdns_server --help | grep -q -e --workaround-11804; then echo workaround-11804=yes; fi
} >/etc/powerdns/kitbag/machine/machine.conf
rm -f /run/kitbag-dns/reloaded
