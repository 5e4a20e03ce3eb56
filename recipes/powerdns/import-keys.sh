#!/bin/sh
# Written by Kitbag. Takes TSIG keys, lines of `name secret`, from standard input into the database of keys. `pdnsutil` takes them as
# arguments only, which everybody on the machine can read. So a server of its own is told, on loopback, while this program runs.
set -eu
umask 077
folder=/run/kitbag-keys
# A run that was killed may have left its server, and what it was about to say.
for process in /proc/[0-9]*; do
  { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -q "^pdns_server --config-dir=$folder " || continue
  kill -9 "${process#/proc/}" || true
done
rm -rf "$folder"
mkdir "$folder"
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$folder/keys"
[ -s "$folder/keys" ] || exit 0
KITBAG_API_KEY=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export KITBAG_API_KEY
: >"$folder/named.conf"
cat >"$folder/pdns.conf" <<CONF
launch=bind
bind-config=$folder/named.conf
bind-dnssec-db=/var/lib/powerdns/kitbag.db
local-address=127.0.0.1
local-port=53880
socket-dir=$folder
setuid=pdns
setgid=pdns
security-poll-suffix=
webserver=yes
webserver-address=127.0.0.1
webserver-port=53881
api=yes
api-key=$KITBAG_API_KEY
CONF
chown -R pdns:pdns "$folder"
pdns_server --config-dir="$folder" --daemon=no --guardian=no --disable-syslog >"$folder/log" 2>&1 &
server=$!
perl - "$folder/keys" <<'PERL' || { tail -n 5 "$folder/log" >&2; exit 1; }
use strict;
use IO::Socket::INET;

my $base = '/api/v1/servers/localhost/tsigkeys';

# The answer's status; 0: nobody answers.
sub ask {
    my ($method, $path, $body) = @_;
    my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 53881, Timeout => 5) or return 0;
    my @head = ("$method $path HTTP/1.0", "X-API-Key: $ENV{KITBAG_API_KEY}", 'Content-Type: application/json', 'Content-Length: ' . length $body);
    print $server join("\r\n", @head, '', $body);
    my $first = <$server> // '';
    return $first =~ m{^HTTP/\S+ (\d+)} ? $1 : 0;
}

for my $try (1 .. 100) {
    last if ask('GET', $base, '');
    die "the server for keys does not start\n" if $try == 100;
    select undef, undef, undef, 0.1;
}
open my $keys, '<', $ARGV[0] or die "no keys\n";
while (<$keys>) {
    my ($name, $secret) = split;
    my $status = ask('DELETE', "$base/$name.", '');
    die "the old key $name stays: $status\n" unless $status =~ /^(?:204|404)$/;
    $status = ask('POST', $base, qq({"name":"$name.","algorithm":"hmac-sha256","key":"$secret"}));
    die "the key $name was not taken: $status\n" unless $status == 201;
}
PERL
