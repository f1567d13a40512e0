/** Slow domains in plenty, and what is left for others. The clock is not a real one, so times are what they are anywhere. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deliver, greet, type Outcome, ride, type Storm, type World } from './support/storm.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function through(storm: Storm): Promise<Outcome> {
  let outcome: Outcome | null = null;
  const ridden = ride(storm).then((done) => (outcome = done));
  while (outcome === null) await vi.advanceTimersByTimeAsync(100);
  return ridden;
}

const calm: Storm = { ms: 4000, rage: () => [] };

/** One client on connections of its own says 90 names on each, and goes away. */
const babbler: Storm = {
  ms: 8000,
  rage: ({ over, sleep, connect }) =>
    Array.from({ length: 40 }, async (_, c) => {
      for (let n = 0; !over(); n += 90) {
        const session = connect('203.0.113.9');
        for (let i = 0; i < 90 && !over(); i++) {
          greet(session, `a${c}-${n + i}.slow1.org`);
          await sleep(20);
        }
        session.close?.();
      }
    }),
};

/** Clients of so many networks, who wait for their verdicts, with names in so many domains. */
const crowd = (clients: number, networks: number, domains: number, ms = 12_000): Storm => ({
  ms,
  rage: (world) => Array.from({ length: clients }, (_, c) => insist(world, c, networks, domains)),
});

async function insist({ over, connect }: World, c: number, networks: number, domains: number): Promise<void> {
  const network = c % networks;
  for (let n = 0; !over(); n++) {
    const session = connect(`12.${network >> 8}.${network & 255}.${1 + (Math.floor(c / networks) % 250)}`);
    await deliver(session, `h${c}-${n}.slow${c % domains}.org`);
    session.close?.();
  }
}

it.each<[string, Storm]>([
  ['one client that says ever new names', babbler],
  ['500 clients of ten networks with 50 slow domains', crowd(500, 10, 50)],
  ['500 clients of 500 networks with 500 slow domains', crowd(500, 500, 500)],
])('others are judged as in a calm: %s', async (_, storm) => {
  const before = await through(calm);
  const during = await through(storm);
  console.log(before, during);
  expect(before.right).toBe(before.verdicts);
  expect(during.right / during.verdicts).toBeGreaterThanOrEqual(0.99);
  expect(during.p99).toBeLessThanOrEqual(2 * before.p99 + 100);
  expect(during.silent).toBe(0);
}, 120_000);

it('where it breaks, each verdict that is wrong says why', async () => {
  const during = await through(crowd(3000, 3000, 3000, 8000));
  console.log(during);
  expect(during.right).toBeLessThan(during.verdicts);
  expect(during.silent).toBe(0);
}, 120_000);
