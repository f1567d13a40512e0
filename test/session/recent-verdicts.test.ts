/** A verdict is given again only where it would come out the same, and what is kept is bounded. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import { findings } from '../../src/core/checks/index.ts';
import { parseIp } from '../../src/core/ip.ts';
import { type Circumstances, judge } from '../../src/policy/judge.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { RecentVerdicts } from '../../src/session/recent-verdicts.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { assessmentBytes } from '../../src/state/assessment-size.ts';
import type { CacheHit } from '../../src/state/cache.ts';
import { AssessmentPacker } from '../../src/state/packed-assessment.ts';
import { assessed } from '../support/checked.ts';
import { CLIENT, list, RULES, ZONE } from '../support/service.ts';

const MTA = { name: 'ours.org', address: null };
const SEEN: Circumstances = {
  session: { previousHelo: null, namesSeen: 1, mta: MTA, regular: false },
  dnsIll: false,
  elapsedMs: 0,
  at: 0,
};

const packer = new AssessmentPacker();

/** As the cache gives it, and the count of how often it was made whole. */
function hitOf(assessment: Assessment): CacheHit<Assessment> & { readonly made: () => number } {
  const { packed } = packer.pack(assessment, 1 << 20);
  const whole = vi.spyOn(packed, 'whole');
  const ip = assessment.client.ip ?? expect.fail();
  return { cache: 'hit', ip, packed, made: () => whole.mock.calls.length };
}

let good: Assessment;
let bad: Assessment;
beforeAll(async () => {
  good = await assessed(CLIENT, 'mail.sender.org', ZONE);
  bad = await assessed(CLIENT, 'nowhere.sender.org', ZONE);
});

it('is the same object for a client that comes again, whose assessment is made whole once', () => {
  const recent = new RecentVerdicts();
  const hit = hitOf(good);
  const first = recent.judge(hit, RULES, SEEN);
  expect(recent.judge(hit, RULES, { ...SEEN, at: 5000 })).toBe(first);
  expect(first).toEqual(judge(good, RULES, SEEN));
  expect([hit.made(), recent.size]).toEqual([1, 1]);
});

it.each<[string, Partial<Rules>, Partial<Circumstances>, Partial<Circumstances['session']>]>([
  ['under other rules', { policy: makePolicy('strict', findings) }, {}, {}],
  ['in an outage', {}, { dnsIll: true }, {}],
  ['after another wait', {}, { elapsedMs: 3 }, {}],
  ['under a second name', {}, {}, { previousHelo: 'other.org' }],
  ['with more names', {}, {}, { namesSeen: 2 }],
  ['as a regular', {}, {}, { regular: true }],
  ['at a host of another name', {}, {}, { mta: { name: 'mx2.ours.org', address: null } }],
  ['at another address', {}, {}, { mta: { name: 'ours.org', address: parseIp('192.0.2.1') } }],
])('is made anew %s', (_, rules, circumstances, session) => {
  const recent = new RecentVerdicts();
  const hit = hitOf(bad);
  const first = recent.judge(hit, RULES, SEEN);
  const otherRules = Object.keys(rules).length === 0 ? RULES : { ...RULES, ...rules };
  const seen = { ...SEEN, ...circumstances, session: { ...SEEN.session, ...session } };
  const second = recent.judge(hit, otherRules, seen);
  expect(second).not.toBe(first);
  expect(second).toEqual(judge(bad, otherRules, seen));
  // The last one is kept.
  expect(recent.judge(hit, otherRules, seen)).toBe(second);
  expect(recent.size).toBe(1);
});

it('asks the access list each time, whose lines expire and are counted', () => {
  const access = list('deny mail.sender.org until=1970-01-01');
  const rules = { ...RULES, access };
  const recent = new RecentVerdicts();
  const hit = hitOf(good);
  const denied = recent.judge(hit, rules, SEEN);
  expect(denied.verdict.cause?.id).toBe('helo-denied');
  expect(recent.judge(hit, rules, { ...SEEN, at: 86_399_999 })).toBe(denied);
  expect(access.hits).toEqual(new Map([[1, 2]]));
  const later = { ...SEEN, at: 86_400_000 };
  expect(recent.judge(hit, rules, later).verdict.disposition).toBe('accept');
  expect(access.hits).toEqual(new Map([[1, 2]]));
});

it('never says anything but what judging says, in whatever order things come', () => {
  const lists = [list(''), list('deny nowhere.sender.org until=1970-01-01'), list('allow * ip=192.0.2.0/24')];
  const all = lists.flatMap((access) =>
    (['rfc5321', 'strict'] as const).map((preset) => ({
      ...RULES,
      access,
      policy: makePolicy(preset, findings),
    })),
  );
  const seen = fc.record({
    session: fc.record({
      previousHelo: fc.constantFrom(null, 'other.org'),
      namesSeen: fc.constantFrom(1, 2, 20),
      mta: fc.constantFrom(MTA, { name: 'nowhere.sender.org', address: null }),
      regular: fc.boolean(),
    }),
    dnsIll: fc.boolean(),
    elapsedMs: fc.constantFrom(0, 0, 1.5),
    at: fc.constantFrom(0, 86_400_000),
  });
  const step = fc.tuple(fc.constantFrom(...all), seen, fc.nat(3));
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const recent = new RecentVerdicts({ maxVerdicts: 2, maxBytes: 1 << 20 });
      const hits = [good, bad, good, bad].map(hitOf);
      for (const [rules, circumstances, i] of steps) {
        const hit = hits[i] ?? expect.fail();
        expect(recent.judge(hit, rules, circumstances)).toEqual(
          judge([good, bad][i % 2] ?? expect.fail(), rules, circumstances),
        );
      }
    }),
    { numRuns: 200 },
  );
});

describe('what is kept', () => {
  /** Judges each once. */
  const judgeAll = (recent: RecentVerdicts, hits: readonly CacheHit<Assessment>[]): void => {
    for (const hit of hits) recent.judge(hit, RULES, SEEN);
  };

  it('is bounded in verdicts: the first ones make room, for one new one in four', () => {
    const recent = new RecentVerdicts({ maxVerdicts: 8, maxBytes: 1 << 20 });
    const hits = Array.from({ length: 8 + 16 }, () => hitOf(good));
    judgeAll(recent, hits);
    expect(recent.size).toBe(8);
    judgeAll(recent, hits.slice(4, 8));
    // Four of the sixteen took the places of the first four.
    expect(hits.map(({ made }) => made()).slice(0, 8)).toEqual(Array(8).fill(1));
    judgeAll(recent, hits.slice(0, 4));
    expect(hits.map(({ made }) => made()).slice(0, 4)).toEqual(Array(4).fill(2));
  });

  it('keeps whoever comes often before long', () => {
    const recent = new RecentVerdicts({ maxVerdicts: 8, maxBytes: 1 << 20 });
    judgeAll(
      recent,
      Array.from({ length: 8 }, () => hitOf(good)),
    );
    const often = hitOf(good);
    judgeAll(recent, Array<CacheHit<Assessment>>(40).fill(often));
    expect(often.made()).toBeLessThanOrEqual(4);
  });

  it('is bounded in bytes, and a large one is not kept', () => {
    const bytes = 6000 + assessmentBytes(good);
    const recent = new RecentVerdicts({ maxVerdicts: 1000, maxBytes: 64 * bytes });
    judgeAll(
      recent,
      Array.from({ length: 200 }, () => hitOf(good)),
    );
    expect([recent.size, recent.bytes]).toEqual([64, 64 * bytes]);
    const small = new RecentVerdicts({ maxVerdicts: 1000, maxBytes: 64 * bytes - 1 });
    judgeAll(small, [hitOf(good)]);
    expect([small.size, small.bytes]).toEqual([0, 0]);
  });

  it('counts the name that a client gave before, and keeps none that is huge', () => {
    const session = (previousHelo: string): Circumstances['session'] => ({ ...SEEN.session, previousHelo });
    const recent = new RecentVerdicts();
    recent.judge(hitOf(good), RULES, { ...SEEN, session: session('x'.repeat(1000)) });
    expect([recent.size, recent.bytes]).toEqual([1, 6000 + 2000 + assessmentBytes(good)]);
    recent.judge(hitOf(good), RULES, { ...SEEN, session: session('x'.repeat(1_000_000)) });
    expect(recent.size).toBe(1);
  });

  it('keeps nothing that was given under other rules', () => {
    const recent = new RecentVerdicts();
    judgeAll(
      recent,
      Array.from({ length: 20 }, () => hitOf(good)),
    );
    // A reload: what the cache holds is packed anew.
    recent.judge(hitOf(good), { ...RULES }, SEEN);
    expect([recent.size, recent.bytes]).toEqual([1, 6000 + assessmentBytes(good)]);
  });

  it('does not grow where rules change again and again', () => {
    const recent = new RecentVerdicts();
    const hit = hitOf(good);
    for (let i = 0; i < 50; i++) recent.judge(hit, { ...RULES }, SEEN);
    expect([recent.size, recent.bytes]).toEqual([1, 6000 + assessmentBytes(good)]);
  });
});
