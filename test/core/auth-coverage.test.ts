/** Whether `helo=` of an owner record covers the client, whatever is published or does not answer. */
import { describe, expect, it } from 'vitest';
import { coverage, type Coverage } from '../../src/core/auth-record/coverage.ts';
import { type HeloList, parseAuthRecord } from '../../src/core/auth-record/record.ts';
import { parseIp } from '../../src/core/ip.ts';
import type { SpfOutcome } from '../../src/core/spf/index.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const DOMAIN = 'example.org';

interface Asked {
  readonly zone?: Zone;
  readonly client?: string;
  readonly spf?: SpfOutcome['result'];
}

async function covered(
  helo: string,
  { zone = {}, client = '192.0.2.1', spf = 'none' }: Asked = {},
): Promise<Coverage & { readonly asked: readonly string[] }> {
  const list: HeloList | null = parseAuthRecord(`helo=${helo}`)?.helo ?? null;
  const resolver = zoneResolver(zone);
  const outcome = { result: spf, detail: 'why', tooWide: spf === 'pass' ? '/8' : null } as SpfOutcome;
  const found = await coverage(parseIp(client) ?? expect.fail(), DOMAIN, list, resolver, {
    spf: (name) => {
      resolver.queries.push(`${name} SPF`);
      return Promise.resolve(outcome);
    },
  });
  return { ...found, asked: resolver.queries };
}

const mx = (...hosts: string[]): Zone[string] => ({
  MX: hosts.map((exchange, preference) => ({ preference, exchange })),
});
/** So many MX hosts, the i-th at 198.51.100.i, and the one with this number where the client is. */
function many(count: number, ours: number): Zone {
  const hosts = Array.from({ length: count }, (_, i) => `mx${i}.example.org`);
  return {
    [DOMAIN]: mx(...hosts),
    ...Object.fromEntries(
      hosts.map((host, i) => [host, { A: [i === ours ? '192.0.2.1' : `198.51.100.${i}`] }]),
    ),
  };
}

describe('MX', () => {
  it.each<[string, Zone, Coverage]>([
    ['no answer', { [DOMAIN]: 'temperror' }, { state: 'temperror', detail: 'example.org MX: servfail' }],
    ['no MX', { [DOMAIN]: { A: ['192.0.2.1'] } }, { state: 'uncovered' }],
    ['no name', {}, { state: 'uncovered' }],
    ['one of ten', many(10, 9), { state: 'covered', by: 'MX', tooWide: null }],
    ['none of ten', many(10, -1), { state: 'uncovered' }],
    ['the third of eleven', many(11, 2), { state: 'covered', by: 'MX', tooWide: null }],
    [
      'the eleventh, which is not asked for',
      many(11, 10),
      { state: 'unsure', detail: 'example.org has more than 10 MX hosts' },
    ],
    [
      'a host that does not answer, beside the right one',
      {
        [DOMAIN]: mx('ill.example.org', 'ok.example.org'),
        'ill.example.org': 'temperror',
        'ok.example.org': { A: ['192.0.2.1'] },
      },
      { state: 'covered', by: 'MX', tooWide: null },
    ],
    [
      'hosts that do not answer, beside others',
      {
        [DOMAIN]: mx('other.example.org', 'ill.example.org', 'worse.example.org'),
        'ill.example.org': 'temperror',
        'worse.example.org': 'temperror',
        'other.example.org': { A: ['192.0.2.2'] },
      },
      { state: 'temperror', detail: 'ill.example.org A: servfail' },
    ],
    [
      'the second address of a host',
      { [DOMAIN]: mx('ok.example.org'), 'ok.example.org': { A: ['192.0.2.2', '192.0.2.1'] } },
      { state: 'covered', by: 'MX', tooWide: null },
    ],
  ])('%s', async (_, zone, wanted) => {
    expect(await covered('MX', { zone })).toMatchObject(wanted);
  });

  it('asks for ten hosts at most, each once, and no name that is none', async () => {
    const { asked } = await covered('MX', { zone: many(11, -1) });
    expect(asked).toHaveLength(11);
    const zone = { [DOMAIN]: mx('a.example.org', 'A.example.org.', 'no name', '') };
    expect((await covered('MX', { zone })).asked).toEqual(['example.org MX', 'a.example.org A']);
  });
});

describe('addresses', () => {
  const zone = { [DOMAIN]: { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] } };

  it.each([
    ['192.0.2.1', 'example.org A', 'covered'],
    ['192.0.2.2', 'example.org A', 'uncovered'],
    ['2001:db8::1', 'example.org AAAA', 'covered'],
    ['2001:db8::2', 'example.org AAAA', 'uncovered'],
  ])('%s is asked for in its own family', async (client, question, state) => {
    expect(await covered('A', { zone, client })).toMatchObject({ state, asked: [question] });
  });
});

describe('SPF', () => {
  it.each<[SpfOutcome['result'], Coverage]>([
    ['pass', { state: 'covered', by: 'SPF', tooWide: '/8' }],
    ['fail', { state: 'uncovered' }],
    ['temperror', { state: 'temperror', detail: 'why' }],
    ['none', { state: 'unsure', detail: 'SPF: none' }],
    ['neutral', { state: 'unsure', detail: 'SPF: neutral' }],
    ['softfail', { state: 'unsure', detail: 'SPF: softfail' }],
    ['permerror', { state: 'unsure', detail: 'SPF: permerror' }],
  ])('%s', async (spf, wanted) => {
    expect(await covered('SPF', { spf })).toEqual({ ...wanted, asked: ['example.org SPF'] });
  });
});

describe('several words', () => {
  it.each<[string, Asked, Coverage]>([
    // An owner who may have permitted the client has not said no.
    ['A SPF', { spf: 'temperror' }, { state: 'temperror', detail: 'why' }],
    ['SPF A', { zone: { [DOMAIN]: 'temperror' } }, { state: 'temperror', detail: 'example.org A: servfail' }],
    ['A SPF', { spf: 'softfail' }, { state: 'unsure', detail: 'SPF: softfail' }],
    [
      'SPF A',
      { spf: 'temperror', zone: { [DOMAIN]: { A: ['192.0.2.1'] } } },
      { state: 'covered', by: 'A', tooWide: null },
    ],
    ['A SPF', { spf: 'fail' }, { state: 'uncovered' }],
    ['A exists:x', { spf: 'fail' }, { state: 'unsure', detail: 'helo= has a word we cannot read: exists:x' }],
    ['192.0.2.0/24', {}, { state: 'covered', by: '192.0.2.0/24', tooWide: null }],
  ])('%s', async (words, asked, wanted) => {
    expect(await covered(words.replaceAll(' ', ','), asked)).toMatchObject(wanted);
  });

  it('shows 80 characters of a word that it cannot read', async () => {
    const detail = `helo= has a word we cannot read: ${'x'.repeat(80)}`;
    expect(await covered('x'.repeat(200))).toMatchObject({ state: 'unsure', detail });
  });

  it('asks nothing where an address block is enough, or there is no list', async () => {
    expect((await covered('192.0.2.0/24,A,MX,SPF')).asked).toEqual([]);
    expect(await covered('')).toEqual({ state: 'absent', detail: 'no helo= list', asked: [] });
  });
});
