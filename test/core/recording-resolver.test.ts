import { describe, expect, it } from 'vitest';
import { QUERY_BUDGET, recordingResolver, REVERSE_BUDGET } from '../../src/core/recording-resolver.ts';
import { zoneResolver } from '../support/zone.ts';

const zone = {
  'a.org': { A: ['192.0.2.1', '192.0.2.2'], MX: [{ preference: 10, exchange: 'm.a.org' }], TXT: ['x y'] },
  'bad.org': 'temperror',
} as const;

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

  it('leaves open questions out', () => {
    const { resolver, answers } = recordingResolver({ lookup: () => new Promise(() => undefined) });
    void resolver.lookup('a.org', 'A');
    expect(answers()).toEqual([]);
  });
});
