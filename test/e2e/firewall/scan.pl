# TCP connect scan of addresses, each in a process of its own: `scan.pl 1-1024,8080 ADDRESS...` prints "ADDRESS PORT PORT ..." a line. Ports that
# answer nothing within 5 s count as closed.
use strict;
use warnings;
use Socket qw(:DEFAULT IPPROTO_TCP PF_INET6 AF_INET6 inet_pton pack_sockaddr_in6);
use Errno qw(EINPROGRESS);

sub accepts {
    my ($address, $port) = @_;
    my ($family, $target) = $address =~ /:/
        ? (PF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)))
        : (PF_INET, pack_sockaddr_in($port, inet_aton($address)));
    socket(my $socket, $family, SOCK_STREAM | Socket::SOCK_NONBLOCK(), IPPROTO_TCP) or die "socket: $!";
    return 1 if connect($socket, $target);
    return 0 if $! != EINPROGRESS;
    my $wanted = '';
    vec($wanted, fileno($socket), 1) = 1;
    select(undef, my $ready = $wanted, undef, 5) or return 0;
    return unpack('i', getsockopt($socket, SOL_SOCKET, SO_ERROR)) == 0;
}

my @ports = map { /^(\d+)-(\d+)$/ ? $1 .. $2 : $_ } split /,/, shift @ARGV;
for my $address (@ARGV) {
    next if fork;
    print join(' ', $address, grep { accepts($address, $_) } @ports), "\n";
    exit;
}
1 while wait > 0;
