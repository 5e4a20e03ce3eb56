#!/bin/sh
# Written by Kitbag. After keepalived has ended, however: the address is not left behind where nobody answers for it, or answers twice. One
# that was killed leaves it, and would not take it for its own when it is back.
set -u
shared=$(sed -n 's/^shared //p' /etc/keepalived/kitbag.facts)
interface=$(ip -o address show scope global to "$shared" | sed -n '1s/^[0-9]*: *\([^ ]*\) .*/\1/p')
[ -z "$interface" ] || ip address del "$shared/32" dev "$interface"
rm -f /run/kitbag-taker
nft delete table ip kitbag-hand-over 2>/dev/null || true
