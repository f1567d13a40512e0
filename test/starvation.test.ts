/** Slow domains in plenty, and what is left for others. The clock is not a real one, so times are what they are anywhere. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deliver, greet, ride, type Storm, type World } from './support/storm.ts';
import { type VirtualClock, virtualClock } from './support/virtual-clock.ts';

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  clock.restore();
});

const calm: Storm = { ms: 1500, rage: () => [] };

/** One client on connections of its own says 90 names on each, and goes away. */
const babbler: Storm = {
  ms: 5000,
  rage: ({ over, sleep, connect }) =>
    Array.from({ length: 12 }, async (_, c) => {
      for (let n = 0; !over(); n += 90) {
        const session = connect('203.0.113.9');
        for (let i = 0; i < 90 && !over(); i++) {
          greet(session, `a${c}-${n + i}.slow1.org`);
          await sleep(25);
        }
        session.close?.();
      }
    }),
};

/** Clients of so many networks, who wait for their verdicts, with names in so many domains. */
const crowd = (clients: number, networks: number, domains: number, ms = 6000): Storm => ({
  ms,
  rage: (world) => Array.from({ length: clients }, (_, c) => insist(world, c, networks, domains)),
});

async function insist({ over, sleep, connect }: World, c: number, networks: number, domains: number): Promise<void> {
  const network = c % networks;
  for (let n = 0; !over(); n++) {
    const session = connect(`12.${network >> 8}.${network & 255}.${1 + (Math.floor(c / networks) % 250)}`);
    await deliver(session, `h${c}-${n}.slow${c % domains}.org`);
    session.close?.();
    // What is answered at once must not stop the clock.
    await sleep(50);
  }
}

it.each<[string, Storm]>([
  ['one client that says ever new names', babbler],
  ['500 clients of ten networks with 50 slow domains', crowd(500, 10, 50)],
])('others are judged as in a calm: %s', async (_, storm) => {
  const before = await clock.until(ride(calm));
  const during = await clock.until(ride(storm));
  expect(before.right).toBe(before.verdicts);
  expect(during.right / during.verdicts).toBeGreaterThanOrEqual(0.99);
  expect(during.p99).toBeLessThanOrEqual(2 * before.p99 + 100);
  expect(during.silent).toBe(0);
});

it('others are judged rightly, if later, beside 500 networks with as many slow domains', async () => {
  const during = await clock.until(ride(crowd(500, 500, 500)));
  expect(during.right / during.verdicts).toBeGreaterThanOrEqual(0.99);
  expect(during.silent).toBe(0);
});

it('where there are more networks than places, each verdict that is wrong says why', async () => {
  const during = await clock.until(ride(crowd(1500, 1500, 1500, 5000)));
  expect(during.right).toBeLessThan(during.verdicts);
  expect(during.silent).toBe(0);
});
