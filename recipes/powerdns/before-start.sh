#!/bin/sh
# Written by Kitbag. What PowerDNS has to be told of this machine: its own addresses, because a stub resolver may hold port 53 of
# others, and where it asks for names that an ALIAS points to.
set -eu
mkdir -p /run/kitbag-dns
addresses=$(hostname -I | tr -s ' ' '\n' | paste -sd, -)
resolver=$(sed -n 's/^nameserver[[:space:]]\{1,\}\([^[:space:]%]*\).*/\1/p' /etc/resolv.conf | head -n 1)
{
  printf 'local-address=%s\n' "${addresses#,}"
  [ -z "$resolver" ] || printf 'resolver=%s\nexpand-alias=yes\n' "$resolver"
} >/etc/powerdns/kitbag/machine/machine.conf
rm -f /run/kitbag-dns/reloaded
