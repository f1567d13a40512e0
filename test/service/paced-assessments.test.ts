import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import type { Resolver } from '../../src/core/resolver.ts';
import { PacedAssessments, type PacedOptions } from '../../src/service/paced-assessments.ts';
import { zoneResolver } from '../support/zone.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const resolver = zoneResolver({ 'a.sender.org': { A: ['192.0.2.1'] } });
/** Never answers. */
const silence = (): Promise<never> => new Promise(() => undefined);
const silent: Resolver = { lookup: silence };

function paced(more: Partial<PacedOptions> = {}): PacedAssessments {
  return new PacedAssessments({
    perSecond: 10,
    maxInFlight: 4,
    maxBytes: 1 << 24,
    resolver,
    checks,
    deadlineMs: 1000,
    onCheckError: (_, error) => {
      throw error;
    },
    now: () => performance.now(),
    ...more,
  });
}

const client = (i: number): ReturnType<typeof makeClient> => makeClient(`192.0.2.${i}`, 'a.sender.org');

/** When each of a number of look-ups began, in milliseconds. */
async function begins(assessments: PacedAssessments, count: number): Promise<number[]> {
  const start = performance.now();
  const times: number[] = [];
  const all = (async () => {
    for (let i = 0; i < count; i++) {
      await assessments.want(client(i));
      times.push(performance.now() - start);
    }
  })();
  await vi.advanceTimersByTimeAsync(60_000);
  await all;
  return times;
}

it('begins no more a second than it may', async () => {
  expect(await begins(paced(), 5)).toEqual([0, 100, 200, 300, 400]);
  expect(await begins(paced({ perSecond: 0.5 }), 3)).toEqual([0, 2000, 4000]);
});

it('has no more under way than it may, and each ends at its deadline', async () => {
  const times = await begins(paced({ resolver: silent, perSecond: 1000 }), 12);
  expect(times.filter((time) => time < 1000)).toHaveLength(4);
  expect(times.filter((time) => time < 2000)).toHaveLength(8);
});

it('looks each pair up once', async () => {
  const assessments = paced();
  const asked = resolver.queries.length;
  const first = await (await assessments.want(client(1)))();
  const count = resolver.queries.length;
  expect(count).toBeGreaterThan(asked);
  expect(first.correspondence).toBe('exact');
  const again = await (await assessments.want(makeClient('192.0.2.1', 'A.Sender.ORG')))();
  expect(again).toBe(first);
  expect(resolver.queries).toHaveLength(count);
  expect(assessments.lookups).toBe(1);
});

it('drops the least recently used where they take too much memory', async () => {
  const assessments = paced({ maxBytes: 1 });
  await begins(assessments, 2);
  await begins(assessments, 2);
  expect(assessments.lookups).toBe(4);
  const roomy = paced();
  await begins(roomy, 2);
  await begins(roomy, 2);
  expect(roomy.lookups).toBe(2);
});

it('takes back what is under way', async () => {
  const ended = vi.fn();
  const assessments = paced({
    resolver: {
      lookup: silence,
      for: (asker) => ({
        lookup: () => {
          asker.hold({ askerEnded: ended });
          return silence();
        },
      }),
    },
  });
  await assessments.want(client(1));
  await vi.advanceTimersByTimeAsync(1);
  assessments.close();
  expect(ended).toHaveBeenCalledWith('dropped');
  await vi.runAllTimersAsync();
});
