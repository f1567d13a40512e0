import { describe, expect, it } from 'vitest';
import { QUERY_BUDGET, recordingResolver, REVERSE_BUDGET } from '../../src/core/recording-resolver.ts';
import {
  type Answer,
  MAX_RECORDS,
  MAX_TEXT,
  type RecordType,
  type Resolver,
} from '../../src/core/resolver.ts';
import { zoneResolver } from '../support/zone.ts';

const zone = {
  'a.org': { A: ['192.0.2.1', '192.0.2.2'], MX: [{ preference: 10, exchange: 'm.a.org' }], TXT: ['x y'] },
  'bad.org': 'temperror',
} as const;

const NONE = { status: 'nxdomain', ttl: null } as const;

describe('recordingResolver', () => {
  it('asks the same question once, in whatever case', async () => {
    const inner = zoneResolver(zone);
    const { resolver } = recordingResolver(inner);
    await Promise.all([resolver.lookup('a.org', 'A'), resolver.lookup('A.ORG', 'A')]);
    await resolver.lookup('a.org', 'A');
    expect(inner.queries).toEqual(['a.org A']);
  });

  it('asks nobody about what cannot be a name', async () => {
    const inner = zoneResolver(zone);
    const { resolver, answers } = recordingResolver(inner);
    expect(await resolver.lookup('a b\0', 'A')).toEqual({ status: 'nxdomain', ttl: null });
    expect(inner.queries).toEqual([]);
    expect(answers()).toEqual([]);
  });

  it('keeps to its budget, and calls the rest unknown', async () => {
    const inner = zoneResolver({});
    const { resolver } = recordingResolver(inner);
    for (let i = 0; i < QUERY_BUDGET; i++) await resolver.lookup(`h${i}.org`, 'A');
    expect(await resolver.lookup('one-more.org', 'A')).toEqual({ status: 'temperror', detail: 'budget' });
    expect(await resolver.lookup('h0.org', 'A')).toEqual({ status: 'nxdomain', ttl: null });
    expect(inner.queries).toHaveLength(QUERY_BUDGET);
  });

  it('counts what is asked about the reverse name apart, and asks nothing twice', async () => {
    const inner = zoneResolver({});
    const { resolver, reverse } = recordingResolver(inner);
    for (let i = 0; i < REVERSE_BUDGET; i++) await reverse.lookup(`r${i}.org`, 'A');
    expect(await reverse.lookup('one-more.org', 'A')).toEqual({ status: 'temperror', detail: 'budget' });
    expect(await resolver.lookup('one-more.org', 'A')).toEqual({ status: 'nxdomain', ttl: null });
    expect(await reverse.lookup('one-more.org', 'A')).toEqual({ status: 'nxdomain', ttl: null });
    expect(inner.queries).toHaveLength(REVERSE_BUDGET + 1);
  });

  it('tells every answer as text, in the order of asking', async () => {
    const { resolver, answers } = recordingResolver(zoneResolver(zone));
    await resolver.lookup('a.org', 'A');
    await resolver.lookup('a.org', 'MX');
    await resolver.lookup('bad.org', 'TXT');
    await resolver.lookup('gone.org', 'A');
    expect(answers()).toEqual([
      { name: 'a.org', type: 'A', status: 'found', records: ['192.0.2.1', '192.0.2.2'], ttl: 300 },
      { name: 'a.org', type: 'MX', status: 'found', records: ['10 m.a.org'], ttl: 300 },
      { name: 'bad.org', type: 'TXT', status: 'temperror', records: ['servfail'], ttl: null },
      { name: 'gone.org', type: 'A', status: 'nxdomain', records: [], ttl: null },
    ]);
  });

  it('tells what the resolver said about its answers, within bounds', async () => {
    const told: Record<string, Answer<'A'>> = {
      'signed.org': { status: 'found', records: ['192.0.2.1'], ttl: 9, authenticated: true, errors: [] },
      'gone.org': { status: 'nxdomain', ttl: 60, authenticated: true },
      'bad.org': {
        status: 'temperror',
        detail: 'bogus',
        errors: Array.from({ length: 9 }, (_, code) => ({ code, text: 'x'.repeat(500) })),
      },
    };
    const inner: Resolver = {
      lookup: <T extends RecordType>(name: string) => Promise.resolve((told[name] ?? NONE) as Answer<T>),
    };
    const { resolver, answers } = recordingResolver(inner);
    for (const name of Object.keys(told)) await resolver.lookup(name, 'A');
    const text = `${'x'.repeat(125)}...`;
    expect(answers()).toEqual([
      { name: 'signed.org', type: 'A', status: 'found', records: ['192.0.2.1'], ttl: 9, authenticated: true },
      { name: 'gone.org', type: 'A', status: 'nxdomain', records: [], ttl: 60, authenticated: true },
      {
        name: 'bad.org',
        type: 'A',
        status: 'temperror',
        records: ['bogus'],
        ttl: null,
        errors: [
          { code: 0, text },
          { code: 1, text },
        ],
      },
    ]);
  });

  it('leaves open questions out', () => {
    const { resolver, answers } = recordingResolver({ lookup: () => new Promise(() => undefined) });
    void resolver.lookup('a.org', 'A');
    expect(answers()).toEqual([]);
  });

  it('keeps of an answer what can be shown, and counts the rest', async () => {
    const { resolver, answers } = recordingResolver(
      zoneResolver({
        'long.org': { TXT: ['x'.repeat(60_000), 'short'] },
        'many.org': { PTR: Array.from({ length: 2500 }, (_, i) => `h${i}.many.org`) },
        'texts.org': { TXT: Array.from({ length: 60 }, (_, i) => `${'t'.repeat(200)}${i}`) },
      }),
    );
    await resolver.lookup('long.org', 'TXT');
    await resolver.lookup('many.org', 'PTR');
    await resolver.lookup('texts.org', 'TXT');
    const [long, many, texts] = answers();
    expect(long?.records.map((record) => [record.length, record.slice(-4)])).toEqual([
      [1024, 'x...'],
      [5, 'hort'],
    ]);
    expect(long?.omitted).toBeUndefined();
    for (const [answer, came] of [
      [many, 2500],
      [texts, 60],
    ] as const) {
      const kept = answer?.records ?? [];
      expect(kept.join('').length).toBeLessThanOrEqual(4096);
      expect(kept.join('').length).toBeGreaterThan(3000);
      expect(kept.length + (answer?.omitted ?? 0)).toBe(came);
    }
  });

  it('keeps little of forty long answers, and something of each', async () => {
    const txt = Array.from({ length: 50 }, () => 'y'.repeat(1000));
    const inner: Resolver = {
      lookup: (_, type) =>
        Promise.resolve(type === 'TXT' ? { status: 'found', records: txt as never[], ttl: 7 } : NONE),
    };
    const { resolver, answers } = recordingResolver(inner);
    for (let i = 0; i < QUERY_BUDGET; i++) await resolver.lookup(`h${i}.org`, 'TXT');
    const kept = answers();
    expect(kept).toHaveLength(QUERY_BUDGET);
    expect(kept.flatMap(({ records }) => records).join('').length).toBeLessThan(20_000);
    for (const { records, omitted, ttl } of kept) {
      expect(records[0]).toMatch(/^y+(?:\.\.\.)?$/);
      expect(records.length + (omitted ?? 0)).toBe(50);
      expect(ttl).toBe(7);
    }
  });

  it('shows the checks so many records, and so much of a text, as it promises', async () => {
    const { resolver } = recordingResolver(
      zoneResolver({
        'a.org': {
          A: Array.from({ length: 4000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`),
          TXT: ['x'.repeat(MAX_TEXT - 1), 'x'.repeat(MAX_TEXT), 'x'.repeat(60_000)],
        },
      }),
    );
    const a = await resolver.lookup('a.org', 'A');
    expect(a.status === 'found' ? a.records.length : 0).toBe(MAX_RECORDS);
    const txt = await resolver.lookup('a.org', 'TXT');
    expect(txt.status === 'found' ? txt.records.map(({ length }) => length) : []).toEqual([
      MAX_TEXT - 1,
      MAX_TEXT,
      MAX_TEXT,
    ]);
  });
});
