/** Portions, back-pressure, and the count of bytes held. */
import { describe, expect, it } from 'vitest';
import { PORTION } from '../../src/milter/flow.ts';
import type { MilterSession } from '../../src/milter/session.ts';
import { talk, type Talk } from '../support/conversation.ts';
import * as mta from '../support/mta.ts';

/** A filter that must not meet an error. */
const stage = (session: MilterSession): Talk =>
  talk({
    newSession: () => session,
    onError: (error) => {
      throw error;
    },
  });

const flood = (count: number): Buffer =>
  Buffer.concat([mta.optneg(), ...Array.from({ length: count }, () => mta.packet('U', 'X\0'))]);

describe.each<[string, () => 'continue' | Promise<'continue'>]>([
  ['at once', () => 'continue'],
  ['by a promise that is kept already', () => Promise.resolve('continue')],
])('a peer that sends more than others would wait for, answered %s', (_, unknown) => {
  it('is taken in portions, and heard again when all is done', async () => {
    let taken = 0;
    const { conversation, writes, far } = stage({
      unknown: () => {
        taken++;
        return unknown();
      },
    });
    conversation.receive(flood(10 * PORTION));
    for (let turn = 1; turn <= 10; turn++) {
      for (let i = 0; i < 10 * PORTION; i++) await Promise.resolve();
      // The negotiation counts as a packet as well.
      expect([taken, far]).toMatchObject([turn * PORTION - 1, { paused: true, yields: turn }]);
      conversation.proceed();
    }
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect([taken, far.paused]).toEqual([10 * PORTION, false]);
    expect(mta.replies(Buffer.concat(writes))).toHaveLength(10 * PORTION + 1);
  });
});

it('what an MTA sends at once is taken at once', () => {
  const { conversation, far } = stage({ unknown: () => 'continue' });
  conversation.receive(flood(PORTION - 2));
  conversation.receive(flood(0).subarray(0, 2));
  expect(far).toMatchObject({ paused: false, yields: 0 });
});

it('bytes that come while others have their turn are neither lost nor taken before it', () => {
  let taken = 0;
  const { conversation } = stage({
    unknown: () => {
      taken++;
      return 'continue';
    },
  });
  conversation.receive(flood(PORTION));
  conversation.receive(mta.packet('U', 'X\0'));
  expect(taken).toBe(PORTION - 1);
  conversation.proceed();
  expect(taken).toBe(PORTION + 1);
});

describe('a peer that does not read its replies', () => {
  it('is not asked for more until it has, and loses nothing', () => {
    let taken = 0;
    const { conversation, writes, far } = stage({
      unknown: () => {
        taken++;
        return 'continue';
      },
    });
    conversation.receive(mta.optneg());
    far.reads = false;
    conversation.receive(mta.packet('U', 'X\0'));
    for (let i = 0; i < 10; i++) conversation.receive(mta.packet('U', 'X\0'));
    expect([taken, far.paused, writes.length]).toEqual([1, true, 2]);
    far.reads = true;
    conversation.drained();
    expect([taken, far.paused]).toEqual([11, false]);
    expect(mta.replies(Buffer.concat(writes))).toHaveLength(12);
  });
});

describe('what a connection holds', () => {
  const all: MilterSession = { connect: () => 'continue', helo: () => 'continue', mail: () => 'continue' };

  it.each<[string, Buffer, number]>([
    ['half a packet', mta.packet('H', 'x'.repeat(5000)).subarray(0, 4000), 4000],
    ['macros of a stage to come', mta.macros('M', { i: 'x'.repeat(5000) }), 5000],
    ['the name of HELO', mta.helo('x'.repeat(5000)), 5000],
    ['the sender', mta.mail('x'.repeat(5000)), 5000],
    ['the client', mta.connect('192.0.2.1', 'x'.repeat(5000)), 5000],
  ])('has %s in it', (_, bytes, least) => {
    const { conversation } = stage(all);
    conversation.receive(mta.optneg());
    expect(conversation.held).toBe(0);
    conversation.receive(bytes);
    expect(conversation.held).toBeGreaterThanOrEqual(least);
    expect(conversation.held).toBeLessThan(least * 2 + 100);
    conversation.end();
    expect(conversation.held).toBe(0);
  });

  it('grows with what comes in pieces, and is little once that is complete', () => {
    const { conversation } = stage(all);
    conversation.receive(mta.optneg());
    const packet = mta.packet('U', 'x'.repeat(100_000));
    for (let at = 0; at < packet.length; at += 1000) conversation.receive(packet.subarray(at, at + 1000));
    expect(conversation.held).toBe(0);
    for (let at = 0; at < 90_000; at += 1000) conversation.receive(packet.subarray(at, at + 1000));
    expect(conversation.held).toBeGreaterThanOrEqual(90_000);
  });
});
