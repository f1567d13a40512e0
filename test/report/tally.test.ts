/** What is counted of decisions, and under which names; `replay` shows the same beside awk. */
import { expect, it } from 'vitest';
import { checks } from '../../src/core/checks/index.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import type { Disposition } from '../../src/policy/policy.ts';
import type { Part, Replayed } from '../../src/report/replayed.ts';
import { DecisionTally, DIMENSIONS } from '../../src/report/tally.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

const FULL: Decision = { ...DECISIONS.full, helo: 'gone.sender.org' };

interface Told {
  readonly time?: string;
  readonly decision?: Partial<Decision>;
  /** What would be done now, and for whom. */
  readonly now?: readonly [action: Disposition, ...recipients: string[]][];
  readonly unknown?: Replayed['unknown'];
  readonly exempt?: Part['exempt'];
}

function replayed({
  time = '2026-11-24T10:00:00.000Z',
  decision = {},
  now = [['tempfail', '<a@x.org>']],
  unknown = null,
  exempt = null,
}: Told): Replayed {
  const made = { ...FULL, ...decision };
  return {
    record: readRecord(decisionRecord(made, time, null), checks),
    parts: now.map(([action, ...recipients]) => ({
      recipients,
      recipientCount: recipients.length,
      action,
      exempt,
      limit: null,
      judged: made.judged,
    })),
    unknown,
  };
}

function tally(...told: readonly Told[]): DecisionTally {
  const all = new DecisionTally();
  for (const each of told) all.add(replayed(each));
  return all;
}

it('counts a decision in each dimension, findings without a weight left out', () => {
  const all = tally({ now: [['reject', '<a@x.org>', '<b@X.ORG>', '<c@y.org>', '<>']] });
  expect(DIMENSIONS.map((each) => [each, [...all.of(each).keys()]])).toEqual([
    ['finding', ['helo-nxdomain', 'iprev-none']],
    ['stream', ['failed']],
    ['sender', ['sender.org']],
    ['network', ['203.0.113.0/24']],
    ['recipient', ['x.org', 'y.org', '-']],
  ]);
  for (const each of DIMENSIONS) {
    for (const group of all.of(each).values()) {
      expect(group).toMatchObject({ decisions: 1, then: { tempfail: 1 }, now: { reject: 1 }, stricter: 1 });
    }
  }
});

it.each<[now: [Disposition, string][], stricter: number, milder: number]>([
  [[['tempfail', 'a@x.org']], 0, 0],
  [[['reject', 'a@x.org']], 1, 0],
  [[['accept', 'a@x.org']], 0, 1],
  [
    [
      ['accept', 'a@x.org'],
      ['reject', 'b@y.org'],
      ['tempfail', 'c@z.org'],
    ],
    1,
    0,
  ],
])('a tempfail that would be %j', (now, stricter, milder) => {
  const { all, recipients } = tally({ now });
  expect([all.stricter, all.milder, all.decisions]).toEqual([stricter, milder, 1]);
  for (const [action, recipient] of now) {
    expect(recipients.get(recipient.slice(2))?.now[action]).toBe(1);
  }
});

it('counts a message once, however many decisions there are on it', () => {
  const { all, recipients } = tally(
    { decision: { message: 7 } },
    { decision: { message: 7 }, now: [['accept', '<b@y.org>']] },
    { decision: { message: 8 } },
    { decision: { message: 8, reference: 'other.1' } },
  );
  expect([all.decisions, all.messages]).toEqual([4, 3]);
  expect(['x.org', 'y.org'].map((each) => recipients.get(each)?.messages)).toEqual([3, 1]);
});

it('says from when to when, and on how many days', () => {
  const days = ['2026-11-24T23:59:59.000Z', '2026-11-25T00:00:00.000Z', '2026-11-25T09:00:00.000Z'];
  const { all } = tally(...days.toReversed().map((time) => ({ time })));
  expect([new Date(all.first).toISOString(), new Date(all.last).toISOString(), all.days]).toEqual([
    days[0],
    days[2],
    2,
  ]);
});

it.each<[what: string, decision: Partial<Decision>, sender: string]>([
  ['a client without an address', { client: null, judged: null, exempt: 'local' }, 'unknown'],
  ['one that was not looked up', { judged: null, exempt: 'loopback' }, '203.0.113.0/24'],
  ['an IPv6 one', { client: '2001:db8:1:2::3', judged: null, exempt: 'trusted' }, '2001:db8:1:2::/64'],
])('%s is counted as %s', (_, decision, sender) => {
  expect([...tally({ decision }).senders.keys()]).toEqual([sender]);
});

it('counts what is exempt now as then, and what a record does not say', () => {
  const all = tally(
    { decision: { exempt: 'postmaster' }, exempt: 'postmaster' },
    { decision: { exempt: 'authenticated' } },
    { unknown: 'settled', now: [['reject', '<a@x.org>']] },
  );
  expect(all.senders.get('sender.org')).toMatchObject({ decisions: 3, unknown: 1 });
  expect([all.exempt, all.unknown]).toEqual([1, { 'not-looked-up': 0, settled: 1, 'earlier-mail': 0 }]);
});
