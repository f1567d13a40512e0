import { describe, expect, it } from 'vitest';
import { AccessList, parseAccess } from '../../src/policy/access.ts';
import { checks } from '../../src/core/checks/index.ts';
import { UsageError } from '../../src/errors.ts';
import { assessed } from '../support/checked.ts';
import type { Zone } from '../support/zone.ts';

const ZONE: Zone = {
  'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ip4:198.51.100.0/28 -all'] },
  '7.100.51.198.in-addr.arpa': { PTR: ['out.sender.net'] },
  'out.sender.net': { A: ['198.51.100.7'] },
  'open.sender.org': { TXT: ['v=spf1 +all'] },
  'bare.sender.org': { A: ['198.51.100.7'] },
  '8.100.51.198.in-addr.arpa': { PTR: ['a.sender.net', 'b.sender.net'] },
  'a.sender.net': { A: ['198.51.100.8'] },
  'b.sender.net': { A: ['198.51.100.8'] },
  // Whoever has a network may name it as he likes.
  '9.100.51.198.in-addr.arpa': { PTR: ['forged.sender.net'] },
  'forged.sender.net': { A: ['192.0.2.1'] },
};
const NOW = Date.parse('2026-06-15T12:00:00Z');
const DAY = 86_400_000;

function list(text: string, reported: number[] = []): AccessList {
  return new AccessList(parseAccess(text, 'list', NOW, checks), ({ line }) => reported.push(line));
}

async function matched(text: string, ip: string | null, helo: string, now = NOW): Promise<string> {
  const entry = list(text).match(await assessed(ip, helo, ZONE), now);
  return entry === null ? 'none' : `${entry.action} ${entry.line}`;
}

describe('a line matches', () => {
  it.each<[string, string | null, string, string]>([
    // Names.
    ['deny mail.sender.org', '198.51.100.7', 'MAIL.sender.org.', 'deny 1'],
    ['deny mail.sender.org', '198.51.100.7', 'x.mail.sender.org', 'none'],
    ['deny .sender.org', '198.51.100.7', 'mail.sender.org', 'deny 1'],
    ['deny .sender.org', '198.51.100.7', 'sender.org', 'deny 1'],
    ['deny .sender.org', '198.51.100.7', 'mysender.org', 'none'],
    ['deny Bücher.test', '198.51.100.7', 'xn--bcher-kva.test', 'deny 1'],
    ['deny .bücher.test.', '198.51.100.7', 'mail.XN--BCHER-KVA.test', 'deny 1'],
    ['deny jupiter', '198.51.100.7', 'Jupiter', 'deny 1'],
    ['deny [192.0.2.1]', '198.51.100.7', '[192.0.2.1]', 'deny 1'],
    ['deny [IPv6:2001:db8::1]', '198.51.100.7', '[IPv6:2001:DB8:0::1]', 'deny 1'],
    ['deny [192.0.2.1]', '198.51.100.7', '192.0.2.1', 'none'],
    ['deny dsl-*.sender.org', '198.51.100.7', 'dsl-1.2.sender.org', 'deny 1'],
    ['deny dsl-*.sender.org', '198.51.100.7', 'adsl-1.sender.org', 'none'],
    ['deny dsl-*.s*.org', '198.51.100.7', 'dsl-1.sender.org', 'deny 1'],
    ['deny dsl-*.s*.org', '198.51.100.7', 'dsl-1.sender.net', 'none'],
    ['deny a*', '198.51.100.7', 'a'.repeat(300), 'none'],
    ['deny a*', '198.51.100.7', 'a'.repeat(255), 'deny 1'],
    ['deny *', null, '', 'deny 1'],
    // Proof.
    ['allow mail.sender.org ip=198.51.100.0/24', '198.51.100.7', 'mail.sender.org', 'allow 1'],
    ['allow mail.sender.org ip=192.0.2.0/24,198.51.100.7', '198.51.100.7', 'mail.sender.org', 'allow 1'],
    ['allow mail.sender.org ip=192.0.2.0/24', '198.51.100.7', 'mail.sender.org', 'none'],
    ['allow * ip=198.51.100.0/24', '198.51.100.7', 'whatever', 'allow 1'],
    ['allow * ip=198.51.100.0/24', '198.51.101.7', 'whatever', 'none'],
    ['allow * ip=2001:db8::/32', '2001:db8:5::1', 'whatever', 'allow 1'],
    ['allow * ip=0.0.0.0/0', '2001:db8::1', 'whatever', 'none'],
    ['allow * ip=198.51.100.7', null, 'whatever', 'none'],
    ['allow whatever ptr=out.sender.net', '198.51.100.7', 'whatever', 'allow 1'],
    ['allow whatever ptr=.sender.net', '198.51.100.7', 'whatever', 'allow 1'],
    ['allow whatever ptr=sender.net', '198.51.100.7', 'whatever', 'none'],
    ['allow whatever ptr=.sender.net', '203.0.113.1', 'whatever', 'none'],
    ['allow whatever ptr=forged.sender.net', '198.51.100.9', 'whatever', 'none'],
    ['allow mail.sender.org spf=pass', '198.51.100.7', 'mail.sender.org', 'allow 1'],
    ['allow mail.sender.org spf=pass', '203.0.113.1', 'mail.sender.org', 'none'],
    ['allow mail.sender.org spf=pass ip=203.0.113.0/24', '198.51.100.7', 'mail.sender.org', 'none'],
    ['allow whatever ptr=a.sender.net', '198.51.100.8', 'whatever', 'allow 1'],
    ['allow whatever ptr=b.sender.net', '198.51.100.8', 'whatever', 'allow 1'],
    // A record that permits everybody identifies nobody, and a pass of another check is none of SPF.
    ['allow open.sender.org spf=pass', '198.51.100.7', 'open.sender.org', 'none'],
    ['allow bare.sender.org spf=pass', '198.51.100.7', 'bare.sender.org', 'none'],
    // The first line decides.
    [
      'deny mail.sender.org ip=203.0.113.1\ndeny mail.sender.org',
      '198.51.100.7',
      'mail.sender.org',
      'deny 2',
    ],
    ['allow mail.sender.org ip=198.51.100.7\ndeny .sender.org', '198.51.100.7', 'mail.sender.org', 'allow 1'],
    ['deny .sender.org\nallow mail.sender.org ip=198.51.100.7', '198.51.100.7', 'mail.sender.org', 'deny 1'],
    ['allow mail.sender.org ip=203.0.113.1\ndeny .sender.org', '198.51.100.7', 'mail.sender.org', 'deny 2'],
    ['# comment\n\n  deny * # all', '198.51.100.7', 'x', 'deny 3'],
  ])('%j for %s and %s: %s', async (text, ip, helo, wanted) => {
    expect(await matched(text, ip, helo)).toBe(wanted);
  });

  it.each([
    ['2026-06-15', 0, 'deny 1'],
    ['2026-06-14', 0, 'none'],
    ['2026-06-15', DAY, 'none'],
  ])('until %s, %i ms later: %s', async (day, later, wanted) => {
    expect(await matched(`deny * until=${day}`, '198.51.100.7', 'x', NOW + later)).toBe(wanted);
  });

  it('and a void one is reported once, when it would have matched', async () => {
    const reported: number[] = [];
    const access = list(
      'deny x until=2026-06-15\ndeny y until=2026-06-15\ndeny z until=2001-01-01',
      reported,
    );
    for (const helo of ['x', 'x', 'z']) access.match(await assessed(null, helo), NOW + DAY);
    expect(reported).toEqual([1]);
    expect(parseAccess('deny z until=2001-01-01', 'list', NOW, checks).expired).toMatchObject([{ line: 1 }]);
  });

  it('and is counted', async () => {
    const access = list('deny x\ndeny y');
    for (const helo of ['x', 'y', 'x', 'z']) access.match(await assessed(null, helo), NOW);
    expect([...access.hits]).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });
});

it.each([
  ['', false],
  ['deny mail.sender.org ip=198.51.100.7', false],
  ['allow .sender.org spf=pass', false],
  ['allow .sender.org spf=pass\ndeny .sender.org', true],
  ['deny * ptr=sender.net', true],
])('whether DNS decides what %j refuses: %s', (text, refuses) => {
  expect(list(text).refusesByProof).toBe(refuses);
});

it.each([
  ['', false],
  ['deny .sender.org\nallow .sender.org spf=pass ip=198.51.100.7', false],
  ['deny mail.sender.org\nallow * spf=pass ptr=.sender.net', true],
])('whether %j has to know the reverse name: %s', (text, needs) => {
  expect(list(text).needsReverse).toBe(needs);
});

it('ten thousand networks cost one look-up a prefix length, not one a network', async () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => `deny * ip=10.${i >> 8}.${i & 255}.0/24`);
  const access = list(lines.join('\n'));
  const inside = await assessed('10.20.5.9', 'x');
  const outside = await assessed('192.0.2.1', 'x');
  expect(access.match(inside, NOW)?.line).toBe(20 * 256 + 5 + 1);
  expect(access.match(outside, NOW)).toBeNull();
});

describe('a bad line names file and line:', () => {
  it.each([
    ['permit x', /"permit" is neither allow nor deny/],
    ['deny', /deny whom\?/],
    ['allow mail.sender.org', /an allow needs proof, ip=, ptr= or spf=pass: anybody/],
    ['allow mail.sender.org until=2027-01-01', /an allow needs proof/],
    ['deny a b', /"b" is none of ip=, (?:[a-z]+=, )*ptr=, (?:[a-z]+=, )*until=, text=$/],
    ['deny a why=x', /"why=x" is none of/],
    ['deny a ip=1.2.3', /"1\.2\.3" is not an address or network/],
    // An empty list of networks would be for everybody.
    ['deny * ip=', /ip= names no network/],
    ['deny a ip=,', /ip= names no network/],
    ['deny a ip=10.0.0.0/33', /is not an address or network/],
    ['deny a ip=10.0.0.1 ip=10.0.0.2', /ip= twice/],
    ['deny a ptr=a..b', /is not a name/],
    ['deny a spf=fail', /spf= can only be pass/],
    ['deny a until=tomorrow', /is not a date/],
    ['deny a until=2026-13-01', /is not a date/],
    ['deny a until=12026-06-15', /is not a date/],
    ['deny a until=2026-06-150', /is not a date/],
    ['deny [x]', /"\[x\]" is not an address literal/],
    ['deny a..b', /"a\.\.b" is not a name/],
    ['deny a*b*c*d', /is not a pattern/],
    ['deny a*(b)', /is not a pattern/],
    ['deny (a*b', /is not a pattern/],
    ['deny a text="open', /is none of/],
  ])('%j', (text, message) => {
    expect(() => parseAccess(`# first\n${text}`, 'list', NOW, checks)).toThrow(UsageError);
    expect(() => parseAccess(`# first\n${text}`, 'list', NOW, checks)).toThrow(message);
    expect(() => parseAccess(`# first\n${text}`, 'list', NOW, checks)).toThrow(/^list:2: /);
  });
});
