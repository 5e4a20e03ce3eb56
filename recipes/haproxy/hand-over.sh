#!/bin/sh
# Written by Kitbag. Before keepalived stops: requests under way end here, new clients go to whoever has the address next.
set -u
# systemd also runs this after keepalived has died: then it is back in a moment, and nothing is handed over.
[ -n "${MAINPID:-}" ] || exit 0
shared=$(sed -n 's/^shared //p' /etc/keepalived/kitbag.facts)
[ -n "$(ip -o address show scope global to "$shared")" ] || exit 0
# Kitbag names the machine that will have the address, and has prepared it: see accept-address.
taker=$(cat /run/kitbag-taker 2>/dev/null)
if [ -n "$taker" ]; then
    # Packets of connections that are not open here are passed on as they are; it answers the clients itself.
    patience=10
    nft -f - <<END
table ip kitbag-hand-over {
    chain prerouting {
        type filter hook prerouting priority -150;
        ip daddr $shared meta l4proto tcp jump connection
    }
    chain connection {
        tcp flags & (syn | ack) == syn goto away
        socket wildcard 1 goto away
        socket transparent 0 return
        goto away
    }
    chain away {
        dup to $taker
        drop
    }
}
END
else
    # New clients are not answered, so that they ask again, a second later.
    patience=2
    nft -f - <<END
table ip kitbag-hand-over {
    chain input {
        type filter hook input priority 0;
        ip daddr $shared tcp flags & (syn | ack) == syn drop
    }
}
END
fi
# Ends when all its connections have: each answer now says that it is the connection's last. Idle ones do not end by themselves.
systemctl kill --kill-whom=main --signal=USR1 haproxy
for _ in $(seq "${patience}0"); do
    [ -n "$(ss -Htn state connected src "$shared" | grep -v '^TIME-WAIT')" ] || exit 0
    sleep 0.1
done
