#!/bin/sh
# Written by Kitbag. When the certificates in files of this machine begin and end, for node_exporter's textfile collector.
set -eu
target=/var/lib/prometheus/node-exporter/kitbag-certificates.prom
balancer=/etc/haproxy/kitbag/certificates
part=$(mktemp -d)
trap 'rm -rf "$part"' EXIT

# The load balancer's, which change at run time; those that Kitbag's programs noted; the deployment's own authority.
files() {
  for file in "$balancer"/*.pem /etc/kitbag/authority.pem; do [ ! -e "$file" ] || echo "$file"; done
  for list in /var/lib/kitbag/certificates/*; do [ ! -e "$list" ] || cut -d ' ' -f 2- "$list"; done
}
# Of a chain only the first: the others are those that signed it. In quotes of a script or of JSON they are found as well.
each_apart() {
  sed 's/\\n/\n/g; s/-----BEGIN CERTIFICATE-----/\n&/g; s/-----END CERTIFICATE-----/&\n/g' | awk -v part="$part/" '
    /^-----BEGIN CERTIFICATE-----/ { inside = 1; if (!chained) count++ }
    inside && !chained { print > (part count) }
    /^-----END CERTIFICATE-----/ { inside = 0; chained = 1; next }
    !inside && /[^ \t\r]/ { chained = 0 }'
}
# Begin and end of the one that ends first; nothing of those that are made to have no end (RFC 5280: the year 9999).
validity() {
  for file in "$part"/*; do
    dates=$(openssl x509 -noout -startdate -enddate <"$file" 2>/dev/null) || continue
    end=${dates##*=} begin=${dates%%
*}
    case $end in *' 9999 '*) continue ;; esac
    echo "$(date -d "${begin#*=}" +%s) $(date -d "$end" +%s)"
  done | sort -n -k 2 | head -n 1
}

{
  echo '# TYPE certificate_begin_time_seconds gauge'
  echo '# TYPE certificate_end_time_seconds gauge'
  files | sort -u | while IFS= read -r file; do
    [ -f "$file" ] || continue
    rm -f "$part"/*
    each_apart <"$file"
    read -r begin end <<VALIDITY
$(validity)
VALIDITY
    [ -n "$begin" ] || continue
    case $file in "$balancer"/*) name=${file##*/} name=${name%.pem} ;; *) name=$(printf %s "$file" | sed 's/"/\\"/g') ;; esac
    echo "certificate_begin_time_seconds{certificate=\"$name\"} $begin"
    echo "certificate_end_time_seconds{certificate=\"$name\"} $end"
  done
} >"$target.new"
chmod 0644 "$target.new"
mv "$target.new" "$target"
