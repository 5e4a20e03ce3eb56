# TCP connect scan of addresses, each in a process of its own: `scan.pl 1-1024,8080 ADDRESS...` prints "ADDRESS PORT PORT ..." a line. Ports that
# answer nothing within 5 s count as closed.
use strict;
use warnings;
use Socket qw(:DEFAULT IPPROTO_TCP);
use Errno qw(EINPROGRESS);

sub accepts {
    my ($address, $port) = @_;
    socket(my $socket, PF_INET, SOCK_STREAM | Socket::SOCK_NONBLOCK(), IPPROTO_TCP) or die "socket: $!";
    return 1 if connect($socket, pack_sockaddr_in($port, inet_aton($address)));
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
