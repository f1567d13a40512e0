# Reads `IP<TAB>SENDER<TAB>DOMAIN` lines, writes what Mail::SPF says about each. The argument is the port of a
# resolver on 127.0.0.1.
use strict;
use warnings;
use Mail::SPF;
use Net::DNS::Resolver;

$| = 1;
my $resolver = Net::DNS::Resolver->new(nameservers => ['127.0.0.1'], port => $ARGV[0], recurse => 1);
my $server = Mail::SPF::Server->new(dns_resolver => $resolver);
while (my $line = <STDIN>) {
  chomp $line;
  my ($ip, $sender, $domain) = split /\t/, $line;
  my $result = eval {
    my $request = Mail::SPF::Request->new(
      versions      => [1],
      scope         => 'mfrom',
      identity      => $sender,
      ip_address    => $ip,
      helo_identity => $domain,
    );
    $server->process($request)->code;
  };
  print defined $result ? "$result\n" : "exception\n";
}
