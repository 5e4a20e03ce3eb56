#!/bin/sh
# Written by Kitbag. Succeeds while HAProxy's master process lives.
read -r pid </run/haproxy.pid && kill -0 "$pid"
