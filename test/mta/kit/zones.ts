/** The DNS of the scenarios: one sender of each kind, on the documentation prefixes. */

/** For NSD, in master-file form. `org` is whole, so that a name outside it does not exist. */
export const ZONES = {
  // With nothing in it: what is under it is denied, and not merely unknown.
  uk: '',
  org: 'sender IN NS ns.sender.org.\nstrange IN NS ns.sender.org.',
  // Not the domain of the client's reverse name, which would excuse a name that does not exist.
  'strange.org': `
mx-only   IN MX    10 mail.sender.org.
inside    IN A     10.0.0.5
`,
  'sender.org': `
ns        IN A     198.51.100.1
mail      IN A     198.51.100.7
          IN AAAA  2001:db8:7::1
other     IN A     203.0.113.99
pool-a    IN A     198.51.100.20
cloud     IN A     192.0.2.200
          IN TXT   "v=spf1 ip4:203.0.113.0/24 -all"
csa       IN A     192.0.2.201
_client._smtp.csa IN SRV 1 1 0 csa
owned     IN A     192.0.2.202
_auth.owned IN TXT "helo=192.0.2.0/24"
`,
  '100.51.198.in-addr.arpa': `
7   IN PTR mail.sender.org.
20  IN PTR pool-a.sender.org.
`,
  '113.0.203.in-addr.arpa': '',
  '7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': `
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 IN PTR mail.sender.org.
`,
} as const;
