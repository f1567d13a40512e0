/** Portions, back-pressure, and what is counted as held. */
import { describe, expect, it } from 'vitest';
import { Conversation } from '../../src/milter/conversation.ts';
import { PORTION } from '../../src/milter/flow.ts';
import type { MilterSession } from '../../src/milter/session.ts';
import * as mta from '../support/mta.ts';

interface Stage {
  readonly conversation: Conversation;
  readonly written: Buffer[];
  readonly state: { reads: boolean; paused: boolean; yields: number };
}

function stage(session: MilterSession): Stage {
  const written: Buffer[] = [];
  const state = { reads: true, paused: false, yields: 0 };
  const conversation = new Conversation(
    {
      newSession: () => session,
      wishes: {
        keep: [],
        noReply: [],
        actions: [],
        macros: {},
        rejectedRecipients: false,
        leadingSpace: false,
      },
      replyOnError: 'tempfail',
      onError: (error) => {
        throw error;
      },
    },
    {
      write: (bytes) => {
        written.push(bytes);
        return state.reads;
      },
      yield: () => state.yields++,
      pause: () => (state.paused = true),
      resume: () => (state.paused = false),
      destroy: () => undefined,
    },
  );
  return { conversation, written, state };
}

const flood = (count: number): Buffer =>
  Buffer.concat([mta.optneg(), ...Array.from({ length: count }, () => mta.packet('U', 'X\0'))]);

describe.each<[string, () => 'continue' | Promise<'continue'>]>([
  ['at once', () => 'continue'],
  ['by a promise that is kept already', () => Promise.resolve('continue')],
])('a peer that sends more than others would wait for, answered %s', (_, unknown) => {
  it('is taken in portions, and heard again when all is done', async () => {
    let taken = 0;
    const { conversation, written, state } = stage({
      unknown: () => {
        taken++;
        return unknown();
      },
    });
    conversation.receive(flood(10 * PORTION));
    for (let turn = 1; turn <= 10; turn++) {
      for (let i = 0; i < 10 * PORTION; i++) await Promise.resolve();
      // The negotiation is a packet as well.
      expect([taken, state]).toEqual([turn * PORTION - 1, { reads: true, paused: true, yields: turn }]);
      conversation.proceed();
    }
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect([taken, state.paused]).toEqual([10 * PORTION, false]);
    expect(mta.replies(Buffer.concat(written))).toHaveLength(10 * PORTION + 1);
  });
});

it('what an MTA sends at once is taken at once', () => {
  const { conversation, state } = stage({ unknown: () => 'continue' });
  conversation.receive(flood(PORTION - 2));
  conversation.receive(flood(0).subarray(0, 2));
  expect(state).toEqual({ reads: true, paused: false, yields: 0 });
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
    const { conversation, written, state } = stage({
      unknown: () => {
        taken++;
        return 'continue';
      },
    });
    conversation.receive(mta.optneg());
    state.reads = false;
    conversation.receive(mta.packet('U', 'X\0'));
    for (let i = 0; i < 10; i++) conversation.receive(mta.packet('U', 'X\0'));
    expect([taken, state.paused, written.length]).toEqual([1, true, 2]);
    state.reads = true;
    conversation.drained();
    expect([taken, state.paused]).toEqual([11, false]);
    expect(mta.replies(Buffer.concat(written))).toHaveLength(12);
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
