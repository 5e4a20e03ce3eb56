#!/bin/sh
# Written by Kitbag. Before keepalived stops: requests under way end here, new clients wait for whoever has the address next. Their first
# packets are not answered, so they send them again, a second later.
set -u
# systemd also runs this after keepalived has died: then it is back in a moment, and nothing is handed over.
[ -n "${MAINPID:-}" ] || exit 0
shared=$(sed -n 's/^shared //p' /etc/keepalived/kitbag.facts)
[ -n "$(ip -o address show to "$shared")" ] || exit 0
nft -f - <<END
table ip kitbag-hand-over {
    chain input {
        type filter hook input priority 0;
        ip daddr $shared tcp flags & (syn | ack) == syn drop
    }
}
END
# Ends when all its connections have: each answer now says that it is the connection's last. Idle ones do not end by themselves, and new
# clients must not wait for those: 2 s are for requests under way.
systemctl kill --kill-whom=main --signal=USR1 haproxy
for _ in $(seq 20); do
    [ -n "$(ss -Htn state connected src "$shared" | grep -v '^TIME-WAIT')" ] || exit 0
    sleep 0.1
done
