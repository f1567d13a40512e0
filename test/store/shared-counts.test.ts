/** Hosts that count together: as one host while the store answers, and alone when it does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answers, farmHost, type FarmMessage, SENDER_COUNT, sender } from '../support/farm.ts';
import { MemoryStore } from '../support/memory-store.ts';

const LIMITS = {
  tempfail: { count: 2, ageMs: 600_000 },
  ramp: { count: 2, ageMs: 600_000 },
  stream: { count: 3, ageMs: 900_000 },
};
const HOSTS = 3;
const KEY = sender('198.51.100.7', 'sender.org');

const message: fc.Arbitrary<FarmMessage> = fc.record({
  host: fc.nat(HOSTS - 1),
  sender: fc.nat(SENDER_COUNT - 1),
  counted: fc.constantFrom('tempfail', 'tempfail', 'ramp', 'stream'),
  after: fc.integer({ min: 0, max: 900 }).map((seconds) => seconds * 1000),
});

it('the budgets of n hosts equal those of one host while the store answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 60 }), async (messages) => {
      let now = 0;
      const clock = (): number => now;
      const pass = (ms: number): void => void (now += ms);
      const store = new MemoryStore(clock);
      const farm = Array.from({ length: HOSTS }, () => farmHost(store, LIMITS, clock));
      const one = farmHost(null, LIMITS, clock);
      const together = await answers(messages, (host) => farm[host] ?? one, pass);
      now = 0;
      expect(together).toEqual(await answers(messages, () => one, pass));
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

it('whatever happens to the store, no host tempfails a sender more often than a host alone', async () => {
  const health = fc.constantFrom('up', 'up', 'down', 'mute', 'flush');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(HOSTS - 1), health), { maxLength: 60 }), async (messages) => {
      let now = 0;
      const store = new MemoryStore(() => now);
      const farm = Array.from({ length: HOSTS }, () => farmHost(store, LIMITS, () => now));
      const tempfails = farm.map(() => 0);
      for (const [host, how] of messages) {
        now += 700_000;
        if (how === 'flush') store.flush();
        else store.health = how;
        if ((await farm[host]?.tempfail(KEY)) === true) tempfails[host] = (tempfails[host] ?? 0) + 1;
      }
      for (const each of tempfails) expect(each).toBeLessThanOrEqual(LIMITS.tempfail.count);
    }),
    { numRuns: 40 },
  );
});

describe('a host', () => {
  function pair(): {
    store: MemoryStore;
    mx1: ReturnType<typeof farmHost>;
    mx2: ReturnType<typeof farmHost>;
  } {
    const limits = { ...LIMITS, tempfail: { count: 2, ageMs: 0 }, ramp: { count: 2, ageMs: 0 } };
    const store = new MemoryStore(() => 0);
    return { store, mx1: farmHost(store, limits, () => 0), mx2: farmHost(store, limits, () => 0) };
  }

  it('goes on from what the farm knew when the store fell silent', async () => {
    const { store, mx1, mx2 } = pair();
    await mx1.tempfail(KEY);
    await mx2.tempfail(KEY);
    store.health = 'down';
    expect(await mx2.tempfail(KEY)).toBe(false);
    // This one has not seen the second, and counts it itself.
    expect([await mx1.tempfail(KEY), await mx1.tempfail(KEY)]).toEqual([true, false]);
  });

  it('tells an emptied store what it knows, also that a budget is used up', async () => {
    const { store, mx1, mx2 } = pair();
    for (let i = 0; i < 2; i++) await mx1.tempfail(KEY);
    store.flush();
    expect([await mx1.tempfail(KEY), await mx2.tempfail(KEY)]).toEqual([false, false]);
    store.flush();
    expect([await mx1.tempfail(KEY), await mx2.tempfail(KEY)]).toEqual([false, false]);
  });

  it.each(['tempfail', 'ramp', 'stream'] as const)(
    'counts a %s once whose answer was lost',
    async (counted) => {
      const { store, mx1, mx2 } = pair();
      const isWithin = (host: typeof mx1): Promise<boolean> =>
        counted === 'stream' ? host.stream('198.51.100.7') : host[counted](KEY);
      store.health = 'mute';
      expect(await isWithin(mx1)).toBe(true);
      store.health = 'up';
      expect(await isWithin(mx1)).toBe(true);
      // The limit of a stream is one more.
      if (counted === 'stream') expect(await isWithin(mx1)).toBe(true);
      expect([await isWithin(mx2), await isWithin(mx1)]).toEqual([false, false]);
    },
  );
});
