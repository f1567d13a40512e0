/**
 * Plenty of slow domains, and what is left for others. The clock is not a real one, so times are the same on
 * any machine.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { babbler, blockCrowd, calm, crowd, ride, type Storm } from '../support/storm.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

// By this clock much is done in little time; by the real one it takes longer.
vi.setConfig({ testTimeout: 180_000 });

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  clock.restore();
});

it.each<[string, Storm]>([
  ['one client that says ever new names', babbler],
  ['500 clients of ten networks with 50 slow domains', crowd(500, 10, 50)],
  ['160 networks of one block with as many slow domains', blockCrowd(160, 160, 160)],
])('others are judged as in a calm: %s', async (_, storm) => {
  const before = await clock.until(ride(calm));
  const during = await clock.until(ride(storm));
  expect(before.right).toBe(before.verdicts);
  expect(during.right / during.verdicts).toBeGreaterThanOrEqual(0.99);
  expect(during.p99).toBeLessThanOrEqual(2 * before.p99 + 100);
  expect(during.silent).toBe(0);
  expect(during.putOff).toBe(0);
  expect(during.smuggled).toBe(0);
});

it.each<[string, Storm]>([
  ['one network', crowd(150, 1, 50)],
  ['one network with as many domains as clients', crowd(150, 1, 150)],
  ['sixty networks', crowd(240, 60, 240)],
  ['a hundred networks', crowd(400, 100, 400)],
  ['as many networks as clients', crowd(400, 400, 400)],
])('who uses up the share of their own networks passes no forgery: %s', async (_, storm) => {
  const { forgeries, smuggled, right, verdicts } = await clock.until(ride(storm));
  expect(forgeries).toBeGreaterThan(100);
  expect(smuggled).toBe(0);
  expect(right).toBe(verdicts);
});

it('others are judged rightly, if later, beside 500 networks with as many slow domains', async () => {
  const during = await clock.until(ride(crowd(500, 500, 500)));
  expect(during.right / during.verdicts).toBeGreaterThanOrEqual(0.99);
  expect(during.silent).toBe(0);
  expect(during.putOff).toBe(0);
});

it('where there are more networks than places, each verdict that is wrong says why', async () => {
  // Fewer places, to keep the test short; what matters is that there are more networks than places.
  const few = { places: 40, freshPlaces: 40, waitingPlaces: 200 };
  const during = await clock.until(ride(crowd(120, 120, 120, 3000), few));
  expect(during.right).toBeLessThan(during.verdicts);
  expect(during.silent).toBe(0);
  // Whoever got a place, and then waits for more, has all that such a crowd leaves to one network.
  expect(during.putOff).toBeLessThanOrEqual(during.verdicts * 0.05);
});
