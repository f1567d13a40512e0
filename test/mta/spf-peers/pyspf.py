"""Reads `IP<TAB>SENDER<TAB>DOMAIN` lines, writes what pyspf says about each.

The argument is the port of a resolver on 127.0.0.1.
"""
import sys

import spf

port = int(sys.argv[1])
if spf.DNSLookup is getattr(spf, "DNSLookup_dnspython"):
    import dns.resolver

    dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
    dns.resolver.default_resolver.nameservers = ["127.0.0.1"]
    dns.resolver.default_resolver.port = port
else:
    import DNS

    DNS.defaults["server"] = ["127.0.0.1"]
    DNS.defaults["port"] = port

for line in sys.stdin:
    ip, sender, domain = line.rstrip("\n").split("\t")
    try:
        result = spf.check2(i=ip, s=sender, h=domain)[0]
    except Exception as error:
        result = "exception " + type(error).__name__
    print(result, flush=True)
