#!/bin/sh
# Written by Kitbag. For a minute this machine takes connections to the shared address that its holder passes on, without telling anybody
# that it has the address. Fails when it could not take the address over.
set -eu
exec 9>/run/kitbag-accept.lock
flock 9
facts=/etc/keepalived/kitbag.facts
shared=$(sed -n 's/^shared //p' "$facts")
own=$(sed -n 's/^own //p' "$facts")
interface=$(ip -o address show to "$own" | sed -n '1s/^[0-9]*: *\([^ ]*\) .*/\1/p')

# $1: whether others are only told of the interface's own addresses.
tell() {
    echo "$1" >"/proc/sys/net/ipv4/conf/$interface/arp_ignore"
    echo "$((2 * $1))" >"/proc/sys/net/ipv4/conf/$interface/arp_announce"
}

if [ "${1:-}" = end ]; then
    ip address del "$shared/32" dev lo
    tell 0
    exit 0
fi
# keepalived looks after HAProxy each second, and does not take the address until it has seen it run.
timeout 5 sh -c 'until find /run/haproxy.pid ! -newermt "2 seconds ago" | grep -q .; do sleep 0.1; done'
/usr/local/lib/kitbag/check-haproxy
systemctl --quiet is-active keepalived
/usr/local/lib/kitbag/stand-back end
tell 1
ip address replace "$shared/32" dev lo scope host
# The end of the last minute may be there already, and wait for this.
systemctl --quiet stop kitbag-accept.timer kitbag-accept.service 2>/dev/null || true
systemd-run --quiet --collect --unit=kitbag-accept --on-active=60 /usr/local/lib/kitbag/accept-address end
