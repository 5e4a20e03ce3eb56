#!/bin/sh
# Written by Kitbag. When the certificates that HAProxy serves begin and end, for node_exporter's textfile collector.
set -eu
target=/var/lib/prometheus/node-exporter/kitbag-certificates.prom
{
  echo '# TYPE certificate_begin_time_seconds gauge'
  echo '# TYPE certificate_end_time_seconds gauge'
  for file in /etc/haproxy/kitbag/certificates/*.pem; do
    [ -e "$file" ] || continue
    name=${file##*/}
    for end in start end; do
      date=$(openssl x509 -noout "-${end}date" <"$file") || continue
      case $end in start) word=begin ;; *) word=end ;; esac
      echo "certificate_${word}_time_seconds{certificate=\"${name%.pem}\"} $(date -d "${date#*=}" +%s)"
    done
  done
} >"$target.new"
chmod 0644 "$target.new"
mv "$target.new" "$target"
