#!/bin/sh
# Written by Kitbag. Succeeds while HAProxy's master process lives. At a reload it writes its number anew: for a moment there is none.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    if read -r pid </run/haproxy.pid; then
        kill -0 "$pid"
        exit
    fi
    sleep 0.05
done 2>/dev/null
exit 1
