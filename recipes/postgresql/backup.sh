#!/bin/sh
# Written by Kitbag. Dumps one database to a folder of this machine, or brings it back from there.
set -eu
umask 077
usage() { echo "usage: ${0##*/} dump|restore COMPONENT [FILE]" >&2; exit 2; }
[ $# -ge 2 ] || usage
what=$1 name=$2 file=${3-}
folder=/var/backups/kitbag/$name figures=/var/lib/prometheus/node-exporter
. "/etc/kitbag/$name/backup"
cd "$folder"

# This folder is none of its own.
as_postgres() (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@")
dumps() { find . -maxdepth 1 -type f -name '*.dump' -printf '%f\n' | sort; }
oldest() { dumps | head -n 1; }
newest() { dumps | tail -n 1; }
count() { dumps | wc -l; }
# KiB that dumps may still take: a tenth of the disk is left alone.
room() { df -k --output=avail,size . | awk 'NR == 2 { print int($1 - $2 / 10) }'; }
size() { if [ -n "$1" ]; then du -k "$1" | cut -f 1; else echo 0; fi; }
# The longest pause between two of the next runs, in seconds.
interval() {
    systemd-analyze calendar --iterations=10 "$SCHEDULE" | sed -n 's/^ *\(Next elapse\|Iter[^:]*\|Iteration[^:]*\): //p' |
        while read -r moment; do date -d "$moment" +%s; done |
        awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print most + 0 }'
}
tell() {
    [ -d "$figures" ] || return 0
    last=$(newest)
    {
        echo '# TYPE backup_last_success_time_seconds gauge'
        echo "backup_last_success_time_seconds{backup=\"$name\"} $(stat -c %Y .last)"
        echo '# TYPE backup_interval_seconds gauge'
        echo "backup_interval_seconds{backup=\"$name\"} $(interval)"
        echo '# TYPE backup_size_bytes gauge'
        echo "backup_size_bytes{backup=\"$name\"} $(if [ -n "$last" ]; then stat -c %s "$last"; else echo 0; fi)"
        echo '# TYPE backup_files gauge'
        echo "backup_files{backup=\"$name\"} $(count)"
    } >"$figures/kitbag-backup-$name.prom.new"
    chmod 0644 "$figures/kitbag-backup-$name.prom.new"
    mv "$figures/kitbag-backup-$name.prom.new" "$figures/kitbag-backup-$name.prom"
}
# One at a time, also where somebody calls it by hand.
exec 9>.lock
flock 9

case $what in
dump)
    # Until there is one, its age counts from the first try.
    [ -e .last ] || : >.last
    trap 'rm -f .new; tell' EXIT
    rm -f .new
    while [ "$(count)" -gt 1 ] && [ "$(room)" -lt "$(($(size "$(newest)") * 5 / 4))" ]; do rm -f "$(oldest)"; done
    room=$(room)
    [ "$room" -gt "$(size "$(newest)")" ] || { echo "no room for a dump: a tenth of the disk has to stay free" >&2; exit 1; }
    # It ends rather than take the room of the database itself.
    (ulimit -f $((room * 2)) && as_postgres "$BIN/pg_dump" --format=custom --port="$PORT" --dbname="$DATABASE" >.new)
    sync .new
    mv .new "$(date -u +%Y-%m-%dT%H%M%SZ).dump"
    sync .
    touch .last
    while [ "$(count)" -gt "$KEEP" ]; do rm -f "$(oldest)"; done
    ;;
restore)
    file=${file:-$(newest)}
    [ -n "$file" ] && [ -f "$file" ] || { echo "there is no dump ${file:-yet} in $folder" >&2; exit 1; }
    # All of it or nothing: one transaction.
    as_postgres "$BIN/pg_restore" --clean --if-exists --single-transaction --exit-on-error --port="$PORT" --dbname="$DATABASE" <"$file"
    echo "restored from $file"
    ;;
*) usage ;;
esac
