#!/bin/sh
# Written by Kitbag. For a minute another machine is faster to take the shared address: this one waits 0.3 s longer. Priorities alone set
# machines of neighbouring numbers 1 ms apart, which is not enough to know who will have it.
set -eu
exec 9>/run/kitbag-stand-back.lock
flock 9
tell() { echo "$1" >/run/kitbag-priority; }

if [ "${1:-}" = end ]; then
    systemctl --quiet stop kitbag-stand-back.timer 2>/dev/null || true
    tell 0
    exit 0
fi
# The end of the last minute may be there already, and wait for this.
systemctl --quiet stop kitbag-stand-back.timer kitbag-stand-back.service 2>/dev/null || true
tell -253
systemd-run --quiet --collect --unit=kitbag-stand-back --on-active=60 /usr/local/lib/kitbag/stand-back end
