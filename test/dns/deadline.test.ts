import { expect, it } from 'vitest';
import type { Resolver } from '../../src/core/resolver.ts';
import { Asker } from '../../src/dns/asker.ts';
import { withDeadline } from '../../src/dns/deadline.ts';
import { zoneResolver } from '../support/zone.ts';

it('answers as the resolver does while there is time', async () => {
  const { resolver, done } = withDeadline(
    zoneResolver({ 'x.org': { A: ['192.0.2.1'] } }),
    1000,
    new Asker('a'),
  );
  expect(await resolver.lookup('x.org', 'A')).toMatchObject({ status: 'found' });
  done();
});

it('answers what is open, and what is new, as unknown when it passes', async () => {
  let asked = 0;
  const silent: Resolver = {
    lookup: () => {
      asked++;
      return new Promise(() => undefined);
    },
  };
  const { resolver, done } = withDeadline(silent, 20, new Asker('a'));
  const late = { status: 'temperror', detail: 'deadline' };
  expect(await resolver.lookup('x.org', 'A')).toEqual(late);
  expect(await resolver.lookup('y.org', 'A')).toEqual(late);
  expect(asked).toBe(1);
  done();
});
