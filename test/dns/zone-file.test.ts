import { describe, expect, it } from 'vitest';
import type { RecordType } from '../../src/core/resolver.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { UsageError } from '../../src/errors.ts';

const ZONE = `
$TTL 1h30m
$ORIGIN Example.ORG.
@          IN  SOA  ns hostmaster ( 1 3600 ; serial and refresh
                    600 86400
                    60 )
           IN  NS   ns
mail   300 IN  A    192.0.2.1
       IN  60  A    192.0.2.2
           AAAA 2001:db8::1
           MX   10 mail
           TXT  "v=spf1 " "-all"  ; two strings
           TXT  "semi;colon \\"quoted\\" \\065"
           HINFO ignored too
alias      CNAME mail
dangling   CNAME nowhere
loop       CNAME loop
_client._smtp.mail SRV 1 2 0 mail.example.org.
*.wild     A    192.0.2.9
deep.empty.sub A 192.0.2.8
192.0.2.in-addr.arpa. NS ns
1.2.0.192.in-addr.arpa. PTR mail.example.org.
`;

const resolver = zoneFileResolver(ZONE, 'zone');

describe('zoneFileResolver', () => {
  it.each<[string, RecordType, unknown]>([
    ['mail.example.org', 'A', { status: 'found', records: ['192.0.2.1', '192.0.2.2'], ttl: 60 }],
    ['MAIL.example.org', 'AAAA', { status: 'found', records: ['2001:db8::1'], ttl: 5400 }],
    [
      'mail.example.org',
      'MX',
      { status: 'found', records: [{ preference: 10, exchange: 'mail.example.org' }], ttl: 5400 },
    ],
    [
      'mail.example.org',
      'TXT',
      { status: 'found', records: ['v=spf1 -all', 'semi;colon "quoted" A'], ttl: 5400 },
    ],
    ['example.org', 'SOA', { status: 'found', records: [{ mname: 'ns.example.org' }], ttl: 5400 }],
    ['example.org', 'NS', { status: 'found', records: ['ns.example.org'], ttl: 5400 }],
    [
      '_client._smtp.mail.example.org',
      'SRV',
      {
        status: 'found',
        records: [{ priority: 1, weight: 2, port: 0, target: 'mail.example.org' }],
        ttl: 5400,
      },
    ],
    ['1.2.0.192.in-addr.arpa', 'PTR', { status: 'found', records: ['mail.example.org'], ttl: 5400 }],
    [
      'alias.example.org',
      'AAAA',
      { status: 'found', records: ['2001:db8::1'], ttl: 5400, alias: 'mail.example.org' },
    ],
    ['alias.example.org', 'CNAME', { status: 'found', records: ['mail.example.org'], ttl: 5400 }],
    ['a.b.wild.example.org', 'A', { status: 'found', records: ['192.0.2.9'], ttl: 5400 }],
    ['wild.example.org', 'A', { status: 'nodata', ttl: null }],
    ['empty.sub.example.org', 'A', { status: 'nodata', ttl: null }],
    ['mail.example.org', 'PTR', { status: 'nodata', ttl: null }],
    ['dangling.example.org', 'A', { status: 'nxdomain', ttl: null, alias: 'nowhere.example.org' }],
    ['nowhere.example.org', 'A', { status: 'nxdomain', ttl: null }],
    ['elsewhere.net', 'A', { status: 'nxdomain', ttl: null }],
    ['loop.example.org', 'A', { status: 'temperror', detail: 'servfail' }],
  ])('%s %s', async (name, type, wanted) => {
    expect(await resolver.lookup(name, type)).toEqual(wanted);
  });

  it.each([
    ['mail A', /^z:1: this is no A record$/],
    ['ok A 192.0.2.1\nx MX ten mail', /^z:2: this is no MX record$/],
    ['x SRV 1 2 3', /^z:1: this is no SRV record$/],
    ['x TXT', /^z:1: this is no TXT record$/],
    ['x', /^z:1: a record without a type$/],
    ['$TTL soon', /^z:1: "soon" is no TTL$/],
    [`${'a.'.repeat(126)}bc A 192.0.2.1`, /^z:1: a name is longer than 253 characters$/],
    [
      `$ORIGIN ${'a.'.repeat(120)}\nsome.longer.names A 192.0.2.1`,
      /^z:2: a name is longer than 253 characters$/,
    ],
    [`x CNAME ${'a.'.repeat(128)}`, /^z:1: this is no CNAME record$/],
    ['$INCLUDE other', /^z:1: \$INCLUDE is not understood$/],
    ['x TXT "open', /^z:1: a quote is not closed$/],
    ['x SOA ( a b', /^z:1: a parenthesis is not closed$/],
    ['x SOA a )', /^z:1: a parenthesis too many$/],
  ])('refuses %j', (text, message) => {
    expect(() => zoneFileResolver(text, 'z')).toThrow(UsageError);
    expect(() => zoneFileResolver(text, 'z')).toThrow(message);
  });
});
