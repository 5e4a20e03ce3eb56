#!/bin/sh
# Written by Kitbag. Prints keepalived's configuration: unlike the rest, the name of the interface is known on the machine only.
set -eu
facts=/etc/keepalived/kitbag.facts
value() { sed -n "s/^$1 //p" "$facts"; }

own=$(value own)
shared=$(value shared)
interface=$(ip -o address show to "$own" | sed -n '1s/^[0-9]*: *\([^ ]*\) .*/\1/p')
[ -n "$interface" ] || { echo "no interface has the address $own" >&2; exit 1; }
# The machine's number. Near the top of 255 the others' patience is shortest.
name=$(value name)
number=${name##*-}
# Machines find each other by multicast: one that is new, or goes, need not be told to the others before it starts or ends.
cat <<END
global_defs {
    router_id $name
    vrrp_version 3
    script_user root
    enable_script_security
    vrrp_garp_master_delay 1
    vrrp_garp_master_refresh 10
}
vrrp_script haproxy {
    script "/usr/local/lib/kitbag/check-haproxy"
    interval 1
    timeout 1
    rise 1
    fall 1
}
# Added to the priority: see stand-back.
track_file priority {
    file /run/kitbag-priority
    init_file
}
vrrp_instance kitbag {
    state BACKUP
    # One that comes back does not take the address from the one that serves.
    nopreempt
    interface $interface
    # Of the address, so that no two are the same in one network.
    virtual_router_id ${shared##*.}
    priority $((254 - number % 100))
    # Three of these of silence, and another takes over.
    advert_int 0.3
    mcast_src_ip $own
    virtual_ipaddress {
        $shared/32
    }
    track_script {
        haproxy
    }
    track_file {
        priority
    }
}
END
