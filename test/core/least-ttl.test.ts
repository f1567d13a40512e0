import { expect, it } from 'vitest';
import { watchTtl } from '../../src/core/least-ttl.ts';
import { zoneResolver } from '../support/zone.ts';

it('keeps the least TTL of what was answered', async () => {
  const zone = {
    'a.org': { A: ['192.0.2.1'], ttl: 60 },
    'b.org': { A: ['192.0.2.2'], ttl: 30 },
    'c.org': 'temperror',
  } as const;
  const { resolver, least } = watchTtl(zoneResolver(zone));
  expect(least()).toBeNull();
  await resolver.lookup('c.org', 'A');
  await resolver.lookup('gone.org', 'A');
  expect(least()).toBeNull();
  await resolver.lookup('b.org', 'A');
  await resolver.lookup('a.org', 'A');
  expect(least()).toBe(30);
});
