#!/usr/bin/perl
# Written by Kitbag. Saves what the running HAProxy knows of its servers, for the process that a reload starts: else one that is out
# of traffic, or down, would get requests until its first checks. Perl's core modules are on every Debian machine.
use strict;
use warnings;
use IO::Socket::UNIX;

my ($socket, $file) = @ARGV;
my $state = '';
if (my $haproxy = IO::Socket::UNIX->new(Peer => $socket, Timeout => 5)) {
    local $SIG{ALRM} = sub { die "no answer from $socket\n" };
    alarm 5;
    $state = eval {
        print {$haproxy} "show servers state\n";
        $haproxy->flush;
        local $/;
        <$haproxy>;
    } // '';
    warn $@ if $@;
    alarm 0;
}
# Nothing known is an empty file, never an old one.
$state = '' if $state !~ /^1\n# /;
open my $out, '>', "$file.new" or die "$file.new: $!\n";
print {$out} $state;
close $out or die "$file.new: $!\n";
rename "$file.new", $file or die "$file: $!\n";
