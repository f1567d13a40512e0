/** The log of a service that refuses: who would be let in, what they were told, and when all of it was. */
import { beforeAll, expect, it } from 'vitest';
import { OUTCOMES } from '../../web/overview.ts';
import { type Choice, choiceOf } from '../../web/choice.ts';
import type { PageEngine } from '../../web/engine.ts';
import { EVERYTHING } from '../../web/search.ts';
import { observedLog } from '../support/observed-log.ts';
import { dataWith, engineWith } from '../support/page-counts.ts';

const START = Date.UTC(2026, 10, 1);
const HOUR = 3_600_000;
/** Days of mail, of which the service refused what it says of one that only watches. */
const HELOS = ['mail.sender.org', 'gone.sender.org', 'gone.strange.org', 'Jupiter', 'gone.strange.org'];
const DAYS = 10;

interface Line {
  readonly action: string;
  readonly judged: { readonly verdict: { readonly disposition: string } };
}

let engine: PageEngine;
let lenient: Choice;
let refused: number;
beforeAll(async () => {
  const log = await observedLog(
    Array.from({ length: DAYS }, (_, day) =>
      HELOS.map((helo, i) => ({
        client: helo === 'mail.sender.org' ? '198.51.100.7' : '203.0.113.9',
        helo,
        time: START + day * 24 * HOUR + i * HOUR,
      })),
    ).flat(),
  );
  const acted = log.map((text) => {
    const line = JSON.parse(text) as Line;
    return { ...line, action: line.judged.verdict.disposition };
  });
  refused = acted.filter(({ action }) => action !== 'accept').length;
  const data = dataWith({});
  engine = engineWith(
    data,
    acted.map((line) => JSON.stringify(line)),
  );
  lenient = { ...choiceOf(data.options), rejectAt: 1000, tempfailAt: 1000 };
});

it('are told by sender, the most legitimate first, with what they were', async () => {
  const detail = (await engine.detail(lenient, () => true)) ?? expect.fail();
  const { senders } = detail.letIn;
  expect(refused).toBeGreaterThan(0);
  expect(engine.overview(lenient).all).toMatchObject({ milder: refused, stricter: 0 });
  expect(detail.refused.senders).toEqual([]);
  expect(senders.map(({ name, decisions }) => [name, decisions])).toEqual(
    expect.arrayContaining([['strange.org', 2 * DAYS]]),
  );
  expect(senders.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(refused);
  expect(senders.every(({ now }) => now.accept === 0)).toBe(true);
  const points = senders.map((each) => each.points);
  expect(points).toEqual(points.toSorted((a, b) => b - a));
});

it('as they were told then', async () => {
  await engine.detail(lenient, () => true);
  const [row] = engine.find({ ...EVERYTHING, text: 'Jupiter', change: 'milder' }).rows;
  const opened = engine.open(row?.index ?? -1, lenient) ?? expect.fail();
  expect([opened.then.action, opened.now.action]).toEqual(['reject', 'accept']);
  const reference = new Map(opened.facts).get('Reference') ?? expect.fail();
  expect(opened.replyThen).toMatch(/^5\d\d 5\.\d\.\d+ \[helo-not-fqdn\] .*Jupiter/);
  expect(opened.replyThen).toContain(`(ref ${reference})`);
  expect(opened.replyNow).toBeNull();
});

it('over time, by score and by finding as in sum', () => {
  const { all, slices, scores, streams, findings, sliceMs } = engine.overview(choiceOf(engine.data.options));
  expect(slices.length).toBeGreaterThan(1);
  for (const each of OUTCOMES) {
    const total = (when: 'now' | 'then'): number => slices.reduce((sum, slice) => sum + slice[when][each], 0);
    expect([total('now'), total('then')]).toEqual([all.now[each], all.then[each]]);
    expect(scores.reduce((sum, { now }) => sum + now[each], 0)).toBe(all.now[each]);
  }
  for (const { name, decisions } of streams)
    expect(slices.reduce((sum, slice) => sum + slice.streams[name], 0)).toBe(decisions);
  // Each slice has the mail of its time.
  for (const { from, now } of slices) {
    const times = Array.from({ length: DAYS }, (_, day) =>
      HELOS.map((__, i) => START + day * 24 * HOUR + i * HOUR),
    ).flat();
    const own = times.filter((time) => time >= from && time < from + sliceMs).length;
    expect(now.accept + now.tempfail + now.reject).toBe(own);
  }
  const ranks = findings.map(({ decisions }) => decisions);
  expect(ranks.length).toBeGreaterThan(1);
  expect(ranks).toEqual(ranks.toSorted((a, b) => b - a));
});
