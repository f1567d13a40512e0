import { describe, expect, it } from 'vitest';
import type { RecordType } from '../../src/core/resolver.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';

const chain = (length: number, last: string): string =>
  Array.from(
    { length },
    (_, i) => `c${length}-${i} CNAME ${i + 1 === length ? last : `c${length}-${i + 1}`}`,
  ).join('\n');

// The first lines are the zone of RFC 4592 §2.2.1.
const resolver = zoneFileResolver(
  `
$ORIGIN example.
$TTL 60
*                TXT  "wild"
*                MX   10 host1
sub.*            TXT  "this is not a wildcard"
host1            A    192.0.2.1
_ssh._tcp.host1  SRV  1 1 22 host1
$ORIGIN test.
*.alias          CNAME host1.example.
*.loop           CNAME x.loop
b.*.empty        A    192.0.2.2
old              DNAME example.
hidden.old       A    192.0.2.3
deeper.host1.old A    192.0.2.4
self             DNAME below.self
${chain(11, 'host1.example.')}
${chain(12, 'host1.example.')}
`,
  'zone',
);

async function told(name: string, type: RecordType): Promise<string> {
  const answer = await resolver.lookup(name, type);
  if (answer.status === 'temperror') return answer.detail;
  return answer.status === 'found'
    ? answer.records.map((record) => JSON.stringify(record)).join(' ')
    : answer.status;
}

describe('a name server with these records says of', () => {
  it.each<[string, RecordType, string]>([
    // RFC 4592 §2.2.1, all of its examples that ask for a type we know.
    ['host3.example', 'MX', '{"preference":10,"exchange":"host1.example"}'],
    ['host3.example', 'A', 'nodata'],
    ['foo.bar.example', 'TXT', '"wild"'],
    ['host1.example', 'MX', 'nodata'],
    ['sub.*.example', 'MX', 'nodata'],
    ['_telnet._tcp.host1.example', 'SRV', 'nxdomain'],
    ['ghost.*.example', 'MX', 'nxdomain'],
    ['*.example', 'TXT', '"wild"'],
    // A wildcard without records exists, and answers with none (RFC 4592 §4.8).
    ['a.empty.test', 'A', 'nodata'],
    ['b.*.empty.test', 'A', '"192.0.2.2"'],
    ['x.b.*.empty.test', 'A', 'nxdomain'],
    // An alias of a wildcard (§3.3.3).
    ['any.alias.test', 'A', '"192.0.2.1"'],
    ['any.alias.test', 'CNAME', '"host1.example"'],
    ['any.alias.test', 'AAAA', 'nodata'],
    ['any.loop.test', 'A', 'servfail'],
    // RFC 6672: a DNAME applies below itself, not at itself; what the zone has below it is hidden.
    ['host1.old.test', 'A', '"192.0.2.1"'],
    ['host1.old.test', 'CNAME', '"host1.example"'],
    ['old.test', 'A', 'nodata'],
    ['old.test', 'CNAME', 'nodata'],
    ['hidden.old.test', 'A', 'nodata'],
    ['deeper.host1.old.test', 'A', 'nxdomain'],
    ['a.self.test', 'A', 'servfail'],
    // As many aliases in a row as resolvers follow.
    ['c11-0.test', 'A', '"192.0.2.1"'],
    ['c12-0.test', 'A', 'servfail'],
    ['elsewhere', 'A', 'nxdomain'],
  ])('%s %s: %s', async (name, type, wanted) => {
    expect(await told(name, type)).toBe(wanted);
  });
});
