import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Decision } from '../../src/decisions/decision.ts';
import { History } from '../../src/decisions/history.ts';
import { RECORD_END } from '../../src/decisions/record-end.ts';
import { hello, service } from '../support/service.ts';
import * as mta from '../support/mta.ts';

const KIB = 1024;
const as = (record: string): string => record;
const empty = (bytes = 256 * KIB): History => new History(bytes, as, () => 0);

/** Everything from this number on, as a client would read it. */
function readAll(history: History, from: number): { first: number; records: string[] } {
  const records: string[] = [];
  let first: number | null = null;
  for (let next = from; ;) {
    const batch = history.read(next);
    if (batch === null) return { first: first ?? next, records };
    first ??= batch.first;
    const texts = batch.bytes.toString('latin1').split(RECORD_END);
    expect(texts.pop()).toBe('');
    expect(texts).toHaveLength(batch.next - batch.first);
    records.push(...texts);
    next = batch.next;
  }
}

it('keeps the newest within its octets, whatever their lengths', () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 900 })), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 128, max: 600 }), fc.nat(140), (all, kib, from) => {
      const history = empty(kib * KIB);
      const records = all.map((length, i) => `${i}`.padEnd(length, 'x'));
      for (const record of records) {
        history.add(record);
        expect(history.bytes).toBeLessThanOrEqual(kib * KIB);
      }
      expect(history.next).toBe(records.length);
      const read = readAll(history, from);
      if (from < records.length) expect(read.first).toBe(Math.max(from, history.first));
      expect(read.records).toEqual(records.slice(Math.max(from, history.first)));
    }),
  );
});

it('keeps most of what fits', () => {
  const history = empty(1024 * KIB);
  for (let i = 0; i < 5000; i++) history.add('x'.repeat(1000));
  expect(readAll(history, 0).records.length).toBeGreaterThan(900);
});

it('counts a record that is larger than all of its room, and goes on', () => {
  const history = empty(128 * KIB);
  history.add('a');
  history.add('y'.repeat(200 * KIB));
  expect(readAll(history, 0)).toEqual({ first: 0, records: [] });
  history.add('b');
  expect(readAll(history, 0)).toEqual({ first: 2, records: ['b'] });
});

it('does not change what it has handed out', () => {
  const history = empty();
  history.add('first');
  const batch = history.read(0);
  for (let i = 0; i < 10_000; i++) history.add('z'.repeat(100));
  expect(batch?.bytes.toString()).toBe(`first${RECORD_END}`);
});

it('takes decisions as the decision log does, and hides what is to be hidden', async () => {
  const decided: Decision[] = [];
  const { connection } = service({ decided: (decision) => decided.push(decision) });
  const { say } = connection();
  await say(...hello('Jupiter'), mta.macros('M', { j: 'mx.dest.test' }), mta.mail('from@sender.org'));
  await say(mta.rcpt('user@dest.test'), mta.data, mta.endOfMessage);
  const history = new History(
    256 * KIB,
    (record) => record.replaceAll('user@', 'someone@'),
    () => 86_400_000,
  );
  for (let i = 0; i < 1500; i++) history.write(decided[0] ?? expect.fail());
  // A thousand that wait are formatted at once.
  expect(history.next).toBe(1000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(history.next).toBe(1500);
  const { records } = readAll(history, 1499);
  expect(records).toEqual([
    expect.stringMatching(/^\{"version":2,"time":"1970-01-02T00:00:00.000Z".*<someone@dest/),
  ]);
});
