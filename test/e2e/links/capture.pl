# Listens to what the box routes to and from one address, until it is ended. Prints "packet FROM TO PORT" for the first packet with content to
# each port, and "found FROM TO PORT" for each that holds the text. SSH is left out. Usage: ADDRESS TEXT
use strict;
use warnings;
$| = 1;
my ($own, $text) = @ARGV;
my ($device) = `ip -4 route get $own` =~ / dev (\S+)/ or die "no route to $own";
open my $file, '<', "/sys/class/net/$device/ifindex" or die "$device: $!";
chomp(my $index = <$file>);
my $all = pack('n', 3);
socket(my $socket, 17, 3, unpack('S', $all)) or die "socket: $!";
# SO_RCVBUFFORCE: nothing is missed while this one waits for its turn.
setsockopt($socket, 1, 33, pack('i', 1 << 26)) or die "buffer: $!";
bind($socket, pack('S a2 i x12', 17, $all, $index)) or die "bind: $!";
print "listening\n";
my %seen;
while (defined recv($socket, my $frame, 65535, 0)) {
    next if length($frame) < 34 || unpack('n', substr($frame, 12, 2)) != 0x0800;
    my $packet = substr($frame, 14);
    next if unpack('C', substr($packet, 9, 1)) != 6;
    my $header = (unpack('C', $packet) & 15) * 4;
    my ($from, $to) = map { join '.', unpack('C4', substr($packet, $_, 4)) } 12, 16;
    next if $from ne $own && $to ne $own;
    my ($source, $target) = unpack('nn', substr($packet, $header, 4));
    next if $source == 22 || $target == 22;
    my $content = substr($packet, $header + (unpack('C', substr($packet, $header + 12, 1)) >> 4) * 4);
    print "packet $from $to $target\n" if $content ne '' && !$seen{"$from $to $target"}++;
    print "found $from $to $target\n" if index($content, $text) >= 0;
}
