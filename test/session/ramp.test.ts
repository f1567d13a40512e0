/**
 * A finding with a ramp through a whole session: what a sender is told at first, and what once it has come
 * often enough.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { makePolicy, type PolicyChanges } from '../../src/policy/policy.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import * as mta from '../support/mta.ts';
import { envelope, hello, service, type Setup, codeOf } from '../support/service.ts';

const RAMP = { count: 2, ageMs: 60_000 };
const GONE = 'gone.strange.org';
/** What `gone.strange.org` is rejected for, and what for no more than a tempfail. */
const weighed = (weight: number, changes: PolicyChanges = {}): Partial<Rules> => ({
  policy: makePolicy('rfc5321', findings, {
    weights: new Map([['helo-nxdomain', weight]]),
    ramps: new Map([['helo-nxdomain', RAMP]]),
    ...changes,
  }),
});

let time = 0;
beforeEach(() => {
  time = 0;
});

function start(rules: Partial<Rules>, more: Setup = {}): { log: string[]; send: () => Promise<string[]> } {
  const now = (): number => time;
  const { log, connection } = service({ now, rules, ...more });
  return {
    log,
    send: async () => {
      const { say } = connection();
      const greeted = await say(...hello(GONE));
      return greeted.at(-1) === 'c'
        ? (await say(...envelope, mta.rcpt('second@dest.test'), mta.abort)).map(codeOf)
        : greeted.map(codeOf);
    },
  };
}

describe('a sender on the ramp', () => {
  it('is told to come again, and is refused for good after so many messages over so long', async () => {
    const { log, send } = start(weighed(10));
    const told = [];
    for (const seconds of [0, 30, 59, 60, 61]) {
      time = seconds * 1000;
      told.push((await send()).slice(1));
    }
    // Two recipients are one try.
    const both = (text: string): string[] => [text, text];
    expect(told).toEqual([
      ...[0, 30, 59].map(() => both('450 helo-nxdomain')),
      ...[60, 61].map(() => both('550 helo-nxdomain')),
    ]);
    expect(log[0]).toMatch(/ action=tempfail verdict=reject .* ramp=within .* end=refused /);
    expect(log.at(-1)).toMatch(/ action=reject verdict=reject .* ramp=over .* end=refused /);
    expect(log.join()).not.toContain(' limit=');
  });

  it('at HELO too', async () => {
    const { send } = start({ ...weighed(10), applyAt: 'helo' });
    const told = [];
    for (const seconds of [0, 60, 120]) {
      time = seconds * 1000;
      told.push((await send()).at(-1));
    }
    expect(told).toEqual(['450 helo-nxdomain', '450 helo-nxdomain', '550 helo-nxdomain']);
  });

  it('is not let in by the tempfail limit, however often it was delayed before', async () => {
    const budget = new TempfailBudget(
      () => ({ count: 1, ageMs: 0 }),
      () => time,
    );
    const { send } = start(weighed(5), { budget });
    expect((await send())[1]).toBe('450 helo-nxdomain');
    expect((await send())[1]).toBe('a');
    const after = start(weighed(10), { budget });
    const told = [];
    for (const seconds of [0, 30, 60, 90]) {
      time = seconds * 1000;
      told.push((await after.send())[1]);
    }
    expect(told).toEqual(['450', '450', '550', '550'].map((each) => `${each} helo-nxdomain`));
  });

  it('does not use up the tempfail limit', async () => {
    const budget = new TempfailBudget(
      () => ({ count: 1, ageMs: 0 }),
      () => time,
    );
    const { send } = start(weighed(10), { budget });
    for (let i = 0; i < 3; i++) await send();
    expect((await start(weighed(5), { budget }).send())[1]).toBe('450 helo-nxdomain');
  });

  it('comes no closer to a refusal while we only watch', async () => {
    const shareOf = (): number => 50;
    const watched = start({ ...weighed(10), enforcement: { observe: true, percent: 100, shareOf } });
    for (const seconds of [0, 60, 120]) {
      time = seconds * 1000;
      expect(await watched.send()).toContain('a');
    }
    expect(watched.log.map((line) => / action=accept .* ramp=(\w+)/.exec(line)?.[1])).toEqual([
      'within',
      'within',
      'over',
    ]);
    expect((await start(weighed(10)).send())[1]).toBe('450 helo-nxdomain');
  });
});
