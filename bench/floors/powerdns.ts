/** PowerDNS by hand, as fast as we know how: plain records from zone files, nothing that chooses an answer. */
export function powerdnsByHand(zone: string, zoneFile: string): string {
  return `set -e
# By hand there is no firewall.
nft delete table inet kitbag
systemctl stop pdns
rm -rf /etc/powerdns/pdns.d /etc/powerdns/pdns.conf
mkdir -p /etc/powerdns/zones
cat >/etc/powerdns/zones/${zone}.zone <<'END'
${zoneFile}END
cat >/etc/powerdns/named.conf <<'END'
zone "${zone}" { type master; file "/etc/powerdns/zones/${zone}.zone"; };
END
cat >/etc/powerdns/pdns.conf <<END
launch=bind
bind-config=/etc/powerdns/named.conf
local-address=$(hostname -I | awk '{ print $1 }')
reuseport=yes
receiver-threads=1
distributor-threads=1
cache-ttl=60
query-cache-ttl=60
zone-cache-refresh-interval=300
disable-axfr=yes
log-dns-queries=no
loglevel=3
security-poll-suffix=
setuid=pdns
setgid=pdns
END
systemctl start pdns
`
}
