import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src/core/check.ts';
import { hasOnlyText, nameExists } from '../../../src/core/checks/exists.ts';
import { makeClient } from '../../../src/core/client.ts';
import type { Answer, RecordData, RecordType, Resolver } from '../../../src/core/resolver.ts';
import { outcome, run } from '../../support/checked.ts';
import { type Zone, zoneResolver } from '../../support/zone.ts';

const ZONE: Zone = {
  'v4.example.org': { A: ['192.0.2.1'] },
  'v6.example.org': { AAAA: ['2001:db8::1'] },
  'both.example.org': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'alias.example.org': { CNAME: ['v4.example.org'] },
  'dangling.example.org': { CNAME: ['gone.example.org'] },
  'text.example.org': { TXT: ['mobile host', 'second'] },
  'mx.example.org': { MX: [{ preference: 1, exchange: 'v4.example.org' }] },
  'private.example.org': { A: ['10.0.0.5'], AAAA: ['fd00::5'] },
  'mixed.example.org': { A: ['10.0.0.5', '192.0.2.1'] },
  'half.example.org': { A: ['192.0.2.1'], AAAA: 'temperror' },
  'half-gone.example.org': { AAAA: 'temperror' },
  'half-private.example.org': { A: ['10.0.0.5'], AAAA: 'temperror' },
  'broken.example.org': 'temperror',
  'example.org': { NS: ['ns.example.org'] },
  'odd.example.org': { A: ['nonsense'] },
  'alias-to-text.example.org': { CNAME: ['text.example.org'] },
  'apex.org': { CNAME: ['gone.example.org'] },
  'two.example.org': { A: ['10.0.0.6', '10.0.0.5'] },
};

it.each<[string | null, string, string]>([
  ['192.0.2.9', 'v4.example.org', 'pass'],
  ['192.0.2.9', 'v6.example.org', 'pass'],
  ['192.0.2.9', 'both.example.org', 'pass'],
  ['192.0.2.9', 'alias.example.org', 'pass'],
  ['192.0.2.9', 'half.example.org', 'pass'],
  ['192.0.2.9', 'dangling.example.org', 'helo-nxdomain'],
  ['192.0.2.9', 'gone.example.org', 'helo-nxdomain'],
  ['192.0.2.9', 'mail.unheard-of.org', 'helo-unregistered'],
  ['192.0.2.9', 'unheard-of.org', 'helo-unregistered'],
  ['192.0.2.9', 'mx.example.org', 'helo-no-address'],
  ['192.0.2.9', 'text.example.org', 'helo-no-address'],
  ['192.0.2.9', 'odd.example.org', 'helo-no-address'],
  ['192.0.2.9', 'private.example.org', 'helo-private-address'],
  ['10.0.0.5', 'private.example.org', 'pass'],
  ['192.0.2.9', 'mixed.example.org', 'pass'],
  ['10.0.0.5', 'two.example.org', 'pass'],
  // A translator's address has the private one in it.
  ['64:ff9b::a00:5', 'two.example.org', 'pass'],
  ['64:ff9b::a00:7', 'two.example.org', 'helo-private-address'],
  // The RCODE is that of the last name of the chain (RFC 6604 §3): the alias and its domain are there.
  ['192.0.2.9', 'apex.org', 'helo-nxdomain'],
  ['192.0.2.9', 'mail.apex.org', 'helo-nxdomain'],
  ['192.0.2.9', 'alias-to-text.example.org', 'helo-no-address'],
  // An unknown is not a "no".
  ['192.0.2.9', 'half-gone.example.org', 'dns-temperror'],
  ['192.0.2.9', 'half-private.example.org', 'dns-temperror'],
  ['192.0.2.9', 'broken.example.org', 'dns-temperror'],
  [null, 'gone.example.org', 'helo-nxdomain'],
  // Nothing to ask.
  ['192.0.2.9', 'Jupiter', 'none'],
  ['192.0.2.9', '[192.0.2.9]', 'none'],
  ['192.0.2.9', 'co.uk', 'helo-nxdomain'],
])('%s saying %s: %s', async (ip, helo, wanted) => {
  expect(await outcome(nameExists, ip, helo, ZONE)).toBe(wanted);
});

it.each([
  // Nobody can register in a top-level domain that does not exist; this one exists.
  ['mail.unheard-of.com', {}, 'dns-temperror'],
  ['unheard-of.com', ZONE, 'dns-temperror'],
  ['mail.unheard-of.com', { 'registry.com': { A: ['192.0.2.1'] } }, 'helo-unregistered'],
  ['mail.unheard-of.no-such-tld', {}, 'helo-unregistered'],
  // Nor does it say so if it says nothing of it.
  ['mail.unheard-of.com', { com: 'temperror' }, 'dns-temperror'],
] as const)(
  '%s is unknown to a resolver that does not admit its top-level domain: %#',
  async (helo, zone, wanted) => {
    expect(await outcome(nameExists, '192.0.2.9', helo, zone)).toBe(wanted);
  },
);

it('quotes a text where that is all there is', async () => {
  expect((await run(nameExists, '192.0.2.9', 'text.example.org', ZONE)).evidence['txt']).toBe('mobile host');
});

it.each<[string[], string | undefined]>([
  [['mobile host', 'since 2026'], 'mobile host'],
  // Records for programs say nothing about the host.
  [['v=spf1 -all'], undefined],
  [['mobile host', 'V=spf1 -all'], undefined],
])('of the texts %j it quotes %j', async (TXT, wanted) => {
  const { evidence, finding } = await run(nameExists, '192.0.2.9', 'a.org', { 'a.org': { TXT } });
  expect(evidence['txt']).toBe(wanted);
  expect(hasOnlyText(finding === null ? [] : [finding])).toBe(wanted !== undefined);
});

it('an alias of a name with a text is a fault of the alias', async () => {
  const zone: Zone = {
    'a.org': { CNAME: ['b.org'], TXT: ['mobile host'] },
    'b.org': { TXT: ['mobile host'] },
  };
  const { finding } = await run(nameExists, '192.0.2.9', 'a.org', zone);
  expect(finding?.id).toBe('helo-no-address');
  expect(hasOnlyText(finding === null ? [] : [finding])).toBe(finding?.evidence['target'] === undefined);
});

it.each([
  ['192.0.2.9', 'A'],
  ['2001:db8::9', 'AAAA'],
  [null, 'A'],
])('tells %s to publish %s', async (ip, type) => {
  expect((await run(nameExists, ip, 'gone.example.org', ZONE)).evidence['type']).toBe(type);
});

describe('answers that contradict each other', () => {
  type Status = 'found' | 'nodata' | 'nxdomain' | 'temperror' | 'silent';
  const answered = (said: Readonly<Record<string, Status>>): Resolver => ({
    lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
      const status = said[`${name} ${type}`] ?? said[type] ?? 'nodata';
      if (status === 'silent') return new Promise(() => undefined);
      if (status === 'temperror') return Promise.resolve({ status, detail: 'timeout' });
      if (status !== 'found') return Promise.resolve({ status, ttl: null });
      const records = [type === 'A' ? '192.0.2.9' : 'x.example.org'] as unknown as readonly RecordData[T][];
      return Promise.resolve({ status, records, ttl: 60 });
    },
  });
  const judge = async (helo: string, said: Readonly<Record<string, Status>>): Promise<string> => {
    const { finding, result } = normalise(
      await nameExists.run(makeClient('192.0.2.9', helo), answered(said)),
    );
    return finding === null ? result : [finding.id, ...(finding.mightBe ?? [])].join(' or ');
  };
  const GONE = { A: 'nxdomain', AAAA: 'nxdomain', CNAME: 'nxdomain' } as const;

  it.each<[string, string, Readonly<Record<string, Status>>, string]>([
    [
      'AAAA denied, A unanswered (RFC 4074 §4.2)',
      'a.example.org',
      { AAAA: 'nxdomain', A: 'temperror' },
      'dns-temperror',
    ],
    ['A denied, AAAA unanswered', 'a.example.org', { A: 'nxdomain', AAAA: 'temperror' }, 'dns-temperror'],
    [
      'the same of a registrable domain',
      'example.org',
      { AAAA: 'nxdomain', A: 'temperror' },
      'dns-temperror',
    ],
    ['AAAA denied, A without data', 'example.org', { AAAA: 'nxdomain' }, 'helo-nxdomain'],
    ['all denied', 'a.example.org', { ...GONE, NS: 'nxdomain', 'org NS': 'found' }, 'helo-unregistered'],
    [
      'the domain denied by one answer, and another missing',
      'a.example.org',
      { ...GONE, NS: 'nxdomain', 'example.org CNAME': 'temperror' },
      'helo-nxdomain or helo-unregistered',
    ],
    [
      'no answer about the domain',
      'a.example.org',
      { ...GONE, NS: 'temperror', 'example.org CNAME': 'temperror' },
      'helo-nxdomain or helo-unregistered',
    ],
    [
      'the domain shown by one answer, and another missing',
      'a.example.org',
      { ...GONE, 'example.org NS': 'temperror', 'example.org CNAME': 'nodata' },
      'helo-nxdomain',
    ],
    [
      'a registrable domain that is denied, and might be an alias',
      'example.org',
      { ...GONE, CNAME: 'temperror', 'org NS': 'found' },
      'helo-nxdomain or helo-unregistered',
    ],
    [
      'A found and AAAA never answered (RFC 4074 §4.1)',
      'a.example.org',
      { A: 'found', AAAA: 'silent' },
      'pass',
    ],
  ])('%s', async (_, helo, said, wanted) => {
    expect(await judge(helo, said)).toBe(wanted);
  });
});

it.each([
  ['apex.org', 'gone.example.org'],
  ['dangling.example.org', 'gone.example.org'],
  ['alias-to-text.example.org', 'text.example.org'],
  ['gone.example.org', undefined],
])('%s: the target told is %s', async (helo, target) => {
  expect((await run(nameExists, '192.0.2.9', helo, ZONE)).evidence['target']).toBe(target);
});

it('is not unregistered if one of its types is merely absent (RFC 4074 §4.2)', async () => {
  const zone = zoneResolver({ org: { NS: ['ns.org'] } });
  const resolver: Resolver = {
    lookup: (name, type) =>
      name === 'mail.sender.org' && type === 'A'
        ? Promise.resolve({ status: 'nodata', ttl: null })
        : zone.lookup(name, type),
  };
  const { finding } = normalise(await nameExists.run(makeClient('192.0.2.9', 'mail.sender.org'), resolver));
  expect(finding?.id).toBe('helo-nxdomain');
});
