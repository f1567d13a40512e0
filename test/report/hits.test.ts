/** Who would be hit, how they are sorted, and that what is kept of them is bounded. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { checks, findings } from '../../src/core/checks/index.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import { emptyGroup, type Group } from '../../src/report/group.ts';
import type { HitSender } from '../../src/report/hit-sender.ts';
import { HitCollector, type HitOptions } from '../../src/report/hits.ts';
import { pointsOf, SIGNS, signsOf } from '../../src/report/likeness.ts';
import { NO_PAST } from '../../src/report/replay-past.ts';
import type { Replayed } from '../../src/report/replayed.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { suggestedLines } from '../../src/report/suggested-lines.ts';
import { observedLog, type Sent } from '../support/observed-log.ts';
import { RULES } from '../support/service.ts';

const rules = { ...RULES, policy: makePolicy('strict', findings) };

async function replayed(sent: readonly Omit<Sent, 'time'>[]): Promise<readonly Replayed[]> {
  const messages = sent.map((each, i) => ({ ...each, time: Date.UTC(2026, 10, 1) + i * 3_600_000 }));
  const replayer = new Replayer({ rules, past: NO_PAST });
  return (await observedLog(messages)).map((line) => replayer.replay(readRecord(line, checks)));
}

function collectorOf(decisions: readonly Replayed[], options?: HitOptions): HitCollector {
  const collector = new HitCollector(options);
  for (const each of decisions) collector.add(each);
  return collector;
}

async function hitBy(sent: readonly Omit<Sent, 'time'>[], maxCases?: number): Promise<readonly HitSender[]> {
  return collectorOf(await replayed(sent), { maxCases }).senders();
}

const many = (count: number, of: (i: number) => Omit<Sent, 'time'>): Omit<Sent, 'time'>[] =>
  Array.from({ length: count }, (_, i) => of(i));

it('keeps a few cases of one sender and counts the rest', async () => {
  const [sender] = await hitBy(many(30, (i) => ({ client: `192.0.2.${i}`, helo: `h${i}` })));
  expect(sender).toMatchObject({ hits: { messages: 30 }, left: 22 });
  expect(sender?.cases.size).toBe(8);
});

it('keeps those of the senders that look most legitimate where there are too many in all', async () => {
  const partner = { helo: 'other.sender.org' };
  const junk = many(40, (i) => ({ client: `203.0.${i}.9`, helo: `junk${i}` }));
  const senders = await hitBy([partner, ...junk, partner], 10);
  expect(senders.length).toBe(41);
  expect(senders.reduce((sum, { cases }) => sum + cases.size, 0)).toBeLessThanOrEqual(10);
  expect(senders[0]).toMatchObject({ name: 'sender.org', hits: { messages: 2 }, left: 0 });
  expect(senders[0]?.cases.size).toBe(1);
  expect(senders.reduce((sum, { hits: { messages } }) => sum + messages, 0)).toBe(42);
});

it('counts every sender exactly, however few examples it keeps', async () => {
  const decisions = await replayed(
    many(90, (i) => ({
      client: `203.0.${i % 31}.${i % 7}`,
      helo: i % 5 === 0 ? 'other.sender.org' : `junk${i % 13}`,
      aborted: i % 3 === 0,
      to: Array.from({ length: 1 + (i % 4) }, (_, n) => `r${n}@dest.test`),
    })),
  );
  const [few, all] = [collectorOf(decisions, { maxCases: 4 }), collectorOf(decisions)];
  const counts = (collector: HitCollector): unknown => [
    collector.size,
    collector.messages,
    collector.senders().map(({ cases, left, recipients, moreRecipients, ...rest }) => ({
      ...rest,
      decisions: [...cases.values()].reduce((sum, { decisions }) => sum + decisions, left),
      recipients: [...recipients.values()].reduce((sum, each) => sum + each, moreRecipients),
    })),
  ];
  expect(counts(few)).toEqual(counts(all));
  expect(few.senders().reduce((sum, { cases }) => sum + cases.size, 0)).toBeLessThanOrEqual(4);
  expect(all.messages).toBe(90);
});

it('gives the first, or those with a name', async () => {
  const decisions = await replayed([
    ...many(30, (i) => ({ client: `203.0.${i}.9`, helo: `junk${i}` })),
    ...many(3, () => ({ helo: 'other.sender.org' })),
    ...many(4, () => ({ client: '192.0.2.9', helo: 'other.sender.org', aborted: true })),
  ]);
  const collector = collectorOf(decisions);
  const all = collector.senders();
  expect(all).toHaveLength(32);
  for (const limit of [0, 1, 5, 32, 100]) expect(collector.senders(limit)).toEqual(all.slice(0, limit));
  // The last two: no room for examples of the others.
  const only = collectorOf(decisions, { name: 'sender.org', maxCases: 2 });
  const named = only.senders();
  expect(named.map(({ origin }) => origin)).toEqual(['sender.org', '192.0.2.0/24']);
  expect(named).toEqual(all.filter(({ name }) => name === 'sender.org'));
  expect([only.size, only.messages]).toEqual([collector.size, collector.messages]);
});

it('takes a few hundred octets for a sender that came once', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const [line] = await observedLog([{ time: Date.UTC(2026, 10, 1), client: '203.0.113.9', helo: 'junk' }]);
  const collector = new HitCollector({ maxCases: 10 });
  const replayer = new Replayer({ rules, past: NO_PAST });
  const senders = 20_000;
  const before = heap();
  for (let i = 0; i < senders; i++) {
    const client = `${i >> 16 === 0 ? '100' : '101'}.${(i >> 8) & 255}.${i & 255}.9`;
    collector.add(replayer.replay(readRecord(String(line).replaceAll('203.0.113.9', client), checks)));
  }
  const bytes = (heap() - before) / senders;
  expect(collector.size).toBe(senders);
  expect(bytes).toBeLessThan(600);
});

it('counts a message once, however many recipients were treated differently', async () => {
  const [sender] = await hitBy([
    { helo: 'Jupiter', to: ['a@dest.test', 'postmaster@dest.test', 'b@dest.test'] },
  ]);
  expect(sender).toMatchObject({ hits: { messages: 1 }, moreRecipients: 0 });
  expect([...(sender?.recipients.keys() ?? [])]).toEqual(['<a@dest.test>', '<b@dest.test>']);
});

it('counts a message once in each number, however many policies its recipients have', async () => {
  const policies = parseRecipientRules('a@dest.test strict\nb@dest.test emailcore', 'list');
  const recipients = new RecipientPolicies(policies, (preset) => makePolicy(preset, findings));
  const collector = new HitCollector();
  const replayer = new Replayer({ rules: { ...rules, recipients }, past: NO_PAST });
  const sent = [true, false, false].map((aborted, i) => ({
    helo: 'Jupiter',
    to: ['postmaster@dest.test', 'a@dest.test', 'b@dest.test', 'c@dest.test'],
    time: Date.UTC(2026, 10, 1 + i),
    aborted,
  }));
  for (const line of await observedLog(sent, undefined, { recipients }))
    collector.add(replayer.replay(readRecord(line, checks)));
  const [sender = expect.fail()] = collector.senders();
  expect(collector.messages).toBe(3);
  expect(sender).toMatchObject({
    hits: { decisions: 9, messages: 3 },
    past: { history: { decisions: 12, messages: 3 }, accepted: 2, aborted: 1 },
  });
  expect([...sender.cases.values()].map(({ messages, firsts }) => [messages, firsts])).toEqual([
    [3, 3],
    [3, 0],
    [3, 0],
  ]);
  const until = '2027-01-31';
  const lines = suggestedLines(sender, { rules: { ...rules, recipients }, checks, until, now: 0 });
  expect(lines.map(({ letsIn }) => letsIn)).toEqual([3]);
});

it('does not count what was refused at its end, though accepted before', async () => {
  const [line = ''] = await observedLog([{ time: Date.UTC(2026, 10, 1), helo: 'Jupiter' }]);
  const hit = (text: string): number => {
    const collector = new HitCollector();
    collector.add(new Replayer({ rules, past: NO_PAST }).replay(readRecord(text, checks)));
    return collector.messages;
  };
  const refused = line.replace('"end":"accepted"', '"end":"refused"');
  expect(refused).not.toBe(line);
  expect([hit(line), hit(refused)]).toEqual([1, 0]);
});

describe('points', () => {
  it('are what the signs give, between 0 and 100', async () => {
    const senders = await hitBy([
      ...many(3, () => ({ helo: 'other.sender.org' })),
      ...many(3, () => ({ client: '192.0.2.9', helo: 'other.sender.org', aborted: true })),
    ]);
    for (const sender of senders) {
      const signs = signsOf(sender);
      const sum = signs.reduce((all, { points }) => all + points, 0);
      expect(pointsOf(sender)).toBe(Math.max(0, Math.min(100, sum)));
      for (const { id, points } of signs)
        expect(points >= Math.min(0, SIGNS[id]) && points <= Math.max(0, SIGNS[id])).toBe(true);
    }
    expect(senders.map(({ origin }) => origin)).toEqual(['sender.org', '192.0.2.0/24']);
  });

  const group = (changes: Partial<Group>): Group => ({
    ...emptyGroup('x'),
    decisions: 4,
    days: 1,
    ...changes,
  });
  const base: HitSender = {
    name: 'sender.org',
    origin: '192.0.2.0/24',
    past: { history: group({}), accepted: 0, aborted: 0 },
    authenticated: 0,
    hits: group({}),
    proved: 0,
    reverse: 0,
    permitted: 0,
    denied: 0,
    recipients: new Map(),
    moreRecipients: 0,
    cases: new Map(),
    left: 0,
  };
  const past = (changes: Partial<HitSender['past']>): Partial<HitSender> => ({
    past: { ...base.past, ...changes },
  });

  it.each<[what: string, sender: Partial<HitSender>, points: number]>([
    ['nothing', {}, 0],
    ['half of it proved', { proved: 2 }, 40],
    ['less than half of it proved', { proved: 1 }, 0],
    ['a reverse name', { reverse: 4 }, 20],
    ['a reverse name, which is part of the proof', { proved: 4, reverse: 4 }, 40],
    ['six days', past({ history: group({ days: 6 }) }), 10],
    ['many days', past({ history: group({ days: 60 }) }), 20],
    ['mail that was accepted', past({ accepted: 3 }), 15],
    ['a message that was accepted', past({ accepted: 1 }), 5],
    ['more that was given up', past({ accepted: 3, aborted: 4 }), 5],
    ['nothing accepted', past({ aborted: 4 }), 0],
    ['somebody of its network who had logged in', { authenticated: 1 }, 15],
    ['the permission of the owner', { permitted: 4 }, 10],
    ['a denial of the owner, with a proof', { proved: 4, denied: 4 }, 10],
    ['a denial alone', { denied: 4 }, 0],
    [
      'everything',
      { ...past({ history: group({ days: 60 }), accepted: 9 }), authenticated: 1, proved: 4, permitted: 4 },
      100,
    ],
  ])('for %s', (_, sender, points) => {
    expect(pointsOf({ ...base, ...sender })).toBe(points);
  });

  it('are in docs/report.md as they are', () => {
    const page = readFileSync(new URL('../../docs/report.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` +\| +(-?\d+) +\|/gm)].map(([, id, points]) => [
      id,
      Number(points),
    ]);
    expect(Object.fromEntries(rows)).toEqual(SIGNS);
    // Who has proved more is given nothing for the lesser.
    const most = Object.entries(SIGNS).filter(([id, points]) => points > 0 && id !== 'reverse');
    expect(most.reduce((sum, [, points]) => sum + points, 0)).toBe(100);
  });
});
