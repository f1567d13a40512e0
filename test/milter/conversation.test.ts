import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/milter/conversation.ts';
import type { Wishes } from '../../src/milter/negotiation.ts';
import { replyCode } from '../../src/milter/reply.ts';
import type { CallbackName } from '../../src/milter/callbacks.ts';
import type { MilterSession } from '../../src/milter/session.ts';
import { talk } from '../support/conversation.ts';
import * as mta from '../support/mta.ts';

/** The calls as words, such as `helo mail.example.org`, in order. */
interface Stage {
  readonly calls: string[];
  readonly errors: readonly string[];
  /** One string for each reply; the answer to OPTNEG is left out. */
  readonly replies: () => string[];
  readonly writes: readonly Buffer[];
  readonly conversation: Conversation;
  readonly ended: () => boolean;
  readonly paused: () => boolean;
}

/** A session that records every event and answers `continue`, or what `answers` says. */
function recorder(
  calls: string[],
  answers: Partial<Record<CallbackName, () => unknown>> = {},
): MilterSession {
  const answer = (event: CallbackName, words = ''): never => {
    calls.push(`${event} ${words}`.trim());
    return (answers[event]?.() ?? 'continue') as never;
  };
  return {
    connect: ({ address }) => answer('connect', String(address)),
    helo: (name) => answer('helo', name),
    mail: ({ raw }) => answer('mail', raw),
    rcpt: ({ raw }) => answer('rcpt', raw),
    data: () => answer('data'),
    unknown: (line) => answer('unknown', line),
    header: (name, value) => answer('header', `${name}: ${value}`),
    endOfHeaders: () => answer('endOfHeaders'),
    body: (chunk) => answer('body', chunk.toString()),
    endOfMessage: () => answer('endOfMessage'),
    abort: () => {
      calls.push('abort');
    },
    close: () => {
      calls.push('close');
    },
  };
}

function stage(
  newSession: (calls: string[]) => MilterSession = (calls) => recorder(calls),
  wishes: Partial<Wishes> = {},
  replyOnError: 'continue' | 'tempfail' = 'tempfail',
): Stage {
  const calls: string[] = [];
  const { conversation, far, writes, errors, replies } = talk({
    newSession: () => newSession(calls),
    wishes,
    replyOnError,
    onYield: (talking) => {
      setImmediate(() => {
        talking.proceed();
      });
    },
  });
  return {
    calls,
    errors,
    writes,
    conversation,
    replies,
    ended: () => far.ended,
    paused: () => far.paused,
  };
}

/** A conversation that has received these packets after the negotiation. */
function played(packets: readonly Buffer[], ...args: Parameters<typeof stage>): Stage {
  const made = stage(...args);
  made.conversation.receive(Buffer.concat([mta.optneg(), ...packets]));
  return made;
}

const START = [mta.connect('192.0.2.1'), mta.helo('a.example.org')];
const CONNECTED = ['connect 192.0.2.1', 'helo a.example.org'];
const MESSAGE = [
  mta.mail('s@x'),
  mta.rcpt('r@y'),
  mta.data,
  mta.header('A', 'b'),
  mta.endOfHeaders,
  mta.body('text'),
  mta.endOfMessage,
];
const MESSAGE_CALLS = [
  'mail <s@x>',
  'rcpt <r@y>',
  'data',
  'header A: b',
  'endOfHeaders',
  'body text',
  'endOfMessage',
];
const later = <T>(value: T): Promise<T> =>
  new Promise((resolve) =>
    setImmediate(() => {
      resolve(value);
    }),
  );
/** Lets everything happen that follows from what has come: by turns of the event loop, not by time. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
};

describe('the order of commands', () => {
  it.each<[string, Buffer[], string[], string]>([
    ['a whole message', [...START, ...MESSAGE], [...CONNECTED, ...MESSAGE_CALLS], 'ccccccccc'],
    [
      'two messages',
      [...START, ...MESSAGE, mta.mail('t@x'), mta.rcpt('r@y')],
      [...CONNECTED, ...MESSAGE_CALLS, 'mail <t@x>', 'rcpt <r@y>'],
      'ccccccccccc',
    ],
    [
      'several recipients',
      [...START, mta.mail('s@x'), mta.rcpt('a@y'), mta.rcpt('b@y')],
      [...CONNECTED, 'mail <s@x>', 'rcpt <a@y>', 'rcpt <b@y>'],
      'ccccc',
    ],
    [
      'MAIL without HELO',
      [mta.connect('192.0.2.1'), mta.mail('s@x')],
      ['connect 192.0.2.1', 'mail <s@x>'],
      'cc',
    ],
    ['HELO twice', [...START, mta.helo('b.example.org')], [...CONNECTED, 'helo b.example.org'], 'ccc'],
    [
      'HELO inside a message, then ABORT twice (Postfix)',
      [...START, mta.mail('s@x'), mta.helo('b'), mta.abort, mta.abort],
      [...CONNECTED, 'mail <s@x>', 'abort', 'helo b'],
      'cccc',
    ],
    [
      'ABORT, then HELO (Sendmail)',
      [...START, mta.mail('s@x'), mta.abort, mta.helo('b')],
      [...CONNECTED, 'mail <s@x>', 'abort', 'helo b'],
      'cccc',
    ],
    [
      'ABORT after the end of a message',
      [...START, ...MESSAGE, mta.abort],
      [...CONNECTED, ...MESSAGE_CALLS],
      'ccccccccc',
    ],
    ['ABORT with no message', [...START, mta.abort, mta.abort], CONNECTED, 'cc'],
    [
      'MAIL inside a message',
      [...START, mta.mail('s@x'), mta.mail('t@x')],
      [...CONNECTED, 'mail <s@x>', 'abort', 'mail <t@x>'],
      'cccc',
    ],
    ['RCPT with no message: ignored without a reply', [...START, mta.rcpt('r@y')], CONNECTED, 'cc'],
    ['DATA without RCPT', [...START, mta.mail('s@x'), mta.data], [...CONNECTED, 'mail <s@x>'], 'ccc'],
    [
      'RCPT after DATA',
      [...START, ...MESSAGE.slice(0, 3), mta.rcpt('z@y')],
      [...CONNECTED, ...MESSAGE_CALLS.slice(0, 3), 'abort'],
      'ccccc',
    ],
    [
      'a CONNECT after HELO: ignored without a reply',
      [mta.helo('b'), mta.connect('192.0.2.9'), mta.mail('s@x'), mta.connect('192.0.2.9')],
      ['helo b', 'mail <s@x>'],
      'cc',
    ],
    ['a second CONNECT', [...START, mta.connect('192.0.2.9')], CONNECTED, 'cc'],
    [
      'UNKNOWN at any time',
      [...START, mta.mail('s@x'), mta.packet('U', 'BOGUS\0'), mta.rcpt('r@y')],
      [...CONNECTED, 'mail <s@x>', 'unknown BOGUS', 'rcpt <r@y>'],
      'ccccc',
    ],
    [
      'the end of a message though all else was declined',
      [...START, mta.endOfMessage],
      [...CONNECTED, 'endOfMessage'],
      'ccc',
    ],
    [
      'the last chunk in the end of the message',
      [...START, ...MESSAGE.slice(0, 5), mta.packet('E', 'tail')],
      [...CONNECTED, ...MESSAGE_CALLS.slice(0, 5), 'body tail', 'endOfMessage'],
      'cccccccc',
    ],
    [
      'macros before everything, answered never',
      [mta.macros('C', { j: 'mx' }), ...START, mta.macros('H'), mta.macros('M', { i: '1' })],
      CONNECTED,
      'cc',
    ],
    ['QUIT', [...START, mta.quit], [...CONNECTED, 'close'], 'cc'],
    [
      'QUIT inside a message',
      [...START, mta.mail('s@x'), mta.quit],
      [...CONNECTED, 'mail <s@x>', 'abort', 'close'],
      'ccc',
    ],
    [
      'QUIT_NC and another connection',
      [...START, mta.packet('K'), mta.connect('192.0.2.2')],
      [...CONNECTED, 'close', 'connect 192.0.2.2'],
      'ccc',
    ],
  ])('takes %s', async (_, packets, calls, replies) => {
    const made = played(packets);
    await settle();
    expect(made.calls).toEqual(calls);
    expect(made.replies().join('')).toBe(replies);
    expect(made.errors).toEqual([]);
  });

  it('gives the same replies however the bytes are cut', async () => {
    const bytes = Buffer.concat([mta.optneg(), ...START, ...MESSAGE]);
    for (let at = 1; at < bytes.length; at++) {
      const made = stage();
      made.conversation.receive(bytes.subarray(0, at));
      made.conversation.receive(bytes.subarray(at));
      await Promise.resolve();
      expect(made.calls).toEqual([...CONNECTED, ...MESSAGE_CALLS]);
    }
  });

  it('lets the message of a filter that declined MAIL and RCPT through', () => {
    const chunks: string[] = [];
    const made = played([mta.connect('192.0.2.1'), mta.body('x'), mta.endOfMessage], () => ({
      body: (chunk) => {
        chunks.push(chunk.toString());
        return 'continue';
      },
    }));
    expect(chunks).toEqual(['x']);
    expect(made.replies()).toEqual(['c', 'c', 'c']);
  });

  it.each([
    ['an unknown command', [mta.packet('z')]],
    ['a command without its data', [mta.packet('H')]],
    ['an impossible length', [Buffer.from('ffffffff', 'hex')]],
    ['a second negotiation', [mta.optneg()]],
  ])('ends at %s, after the callbacks', (_, packets) => {
    const made = played([...START, mta.mail('s@x'), ...packets, mta.rcpt('r@y')]);
    expect(made.calls).toEqual([...CONNECTED, 'mail <s@x>', 'abort', 'close']);
    expect(made.replies()).toEqual(['c', 'c', 'c']);
    expect(made.errors).toHaveLength(1);
    expect(made.ended()).toBe(true);
  });

  it.each([
    ['a command before the negotiation', mta.helo('x')],
    ['version 1', mta.optneg(1)],
  ])('ends at %s', (_, first) => {
    const made = stage();
    made.conversation.receive(first);
    expect(made.errors).toHaveLength(1);
    expect(made.ended()).toBe(true);
    expect(made.writes).toEqual([]);
  });

  it('takes QUIT before the negotiation, as a port scanner’s goodbye', () => {
    const made = stage();
    made.conversation.receive(mta.quit);
    expect(made.errors).toEqual([]);
    expect(made.ended()).toBe(true);
  });
});

describe('replies', () => {
  it.each<[string, CallbackName, unknown, string]>([
    ['reject at HELO', 'helo', 'reject', 'r'],
    ['a reply code', 'rcpt', replyCode(550, '5.7.1', '100%'), 'y550 5.7.1 100%%|'],
    ['discard from MAIL on', 'mail', 'discard', 'd'],
    ['skip of the body', 'body', 'skip', 's'],
    ['accept at the end', 'endOfMessage', 'accept', 'a'],
  ])('%s', async (_, event, reply, wanted) => {
    const made = played([...START, ...MESSAGE], (calls) => recorder(calls, { [event]: () => reply }));
    await settle();
    expect(made.replies()).toContain(wanted);
    expect(made.errors).toEqual([]);
  });

  it.each<[string, CallbackName, unknown]>([
    ['skip at HELO, which Sendmail takes for leave', 'helo', 'skip'],
    ['discard at CONNECT', 'connect', 'discard'],
    ['skip at MAIL', 'mail', 'skip'],
    ['a word nobody knows', 'rcpt', 'whatever'],
    ['an object that is no reply', 'rcpt', { code: 550 }],
    ['a number', 'rcpt', 550],
  ])('refuses %s of a filter in JavaScript', (_, event, reply) => {
    const made = played([...START, ...MESSAGE.slice(0, 2)], (calls) =>
      recorder(calls, { [event]: () => reply }),
    );
    expect(made.errors).toHaveLength(1);
    expect(made.replies()).toContain('t');
  });

  it('falls back from skip to continue where the MTA did not offer it', () => {
    const made = stage((calls) => recorder(calls, { body: () => 'skip' }));
    made.conversation.receive(Buffer.concat([mta.optneg(4, 0x3f, 0x3ff), ...START, ...MESSAGE]));
    expect(made.replies()).toEqual(Array.from({ length: 9 }, () => 'c'));
  });

  it.each<[string, CallbackName, unknown, boolean]>([
    ['a refusal of MAIL', 'mail', 'reject', true],
    ['an acceptance at RCPT', 'rcpt', 'accept', true],
    ['a refusal of one recipient', 'rcpt', 'reject', false],
    ['a refusal at DATA', 'data', 'tempfail', true],
  ])('after %s the message is over: %s', (_, event, reply, over) => {
    const made = played([...START, ...MESSAGE.slice(0, 3), mta.abort], (calls) =>
      recorder(calls, { [event]: () => reply }),
    );
    expect(made.calls.includes('abort')).toBe(!over);
  });

  it('does not answer what it agreed not to answer', () => {
    const made = played([...START, mta.mail('s@x')], undefined, { noReply: ['connect', 'helo'] });
    expect(made.calls).toEqual([...CONNECTED, 'mail <s@x>']);
    expect(made.replies()).toEqual(['c']);
  });

  it('sends all replies of one chunk in one write', () => {
    expect(played([...START, ...MESSAGE.slice(0, 4)]).writes).toHaveLength(1);
  });

  it('sends changes and the final reply in one write, progress before', async () => {
    const made = played(
      [...START, mta.endOfMessage],
      () => ({
        endOfMessage: async (message) => {
          message.progress();
          await later(null);
          message.addHeader('A', 'b');
          message.quarantine('q');
          return 'accept' as const;
        },
      }),
      { actions: ['addHeaders', 'quarantine'] },
    );
    await settle();
    expect(made.replies()).toEqual(['c', 'c', 'p', 'hA|b|', 'qq|', 'a']);
    expect(made.writes).toHaveLength(2);
  });
});

describe('callbacks that take time', () => {
  it('are answered in order, one at a time', async () => {
    const made = played([...START, ...MESSAGE], (calls) =>
      recorder(calls, { helo: () => later('continue'), rcpt: () => later(replyCode(450, '4.7.1', 'x')) }),
    );
    expect(made.calls).toEqual(CONNECTED);
    await settle();
    expect(made.calls).toEqual([...CONNECTED, ...MESSAGE_CALLS]);
    expect(made.replies()).toEqual(['c', 'c', 'c', 'y450 4.7.1 x|', 'c', 'c', 'c', 'c', 'c']);
  });

  it('do not answer a peer that has gone', async () => {
    const made = played(START, (calls) => recorder(calls, { helo: () => later('reject') }));
    made.conversation.end();
    made.conversation.receive(mta.mail('s@x'));
    await settle();
    expect(made.calls).toEqual([...CONNECTED, 'close']);
    expect(made.replies()).toEqual(['c']);
  });

  it('hold back a peer that sends on, and let it come again', async () => {
    const made = played(START, (calls) => recorder(calls, { helo: () => later('continue') }));
    made.conversation.receive(mta.mail('s@x'));
    expect(made.paused()).toBe(false);
    for (let i = 0; i < 20; i++) made.conversation.receive(mta.packet('U', `${'x'.repeat(60_000)}\0`));
    expect(made.paused()).toBe(true);
    await settle();
    expect(made.paused()).toBe(false);
    expect(made.replies()).toHaveLength(23);
  });
});

describe('our own failures', () => {
  const boom = (): never => {
    throw new Error('boom');
  };

  it.each<[string, () => unknown, 'continue' | 'tempfail', string]>([
    ['thrown', boom, 'tempfail', 't'],
    ['rejected', () => later(null).then(boom), 'tempfail', 't'],
    ['thrown, by choice ignored', boom, 'continue', 'c'],
    ['rejected, by choice ignored', () => later(null).then(boom), 'continue', 'c'],
  ])('%s: the connection goes on', async (_, callback, replyOnError, letter) => {
    const made = played(
      [...START, mta.mail('s@x'), mta.rcpt('r@y')],
      (calls) => recorder(calls, { rcpt: callback }),
      {},
      replyOnError,
    );
    await settle();
    made.conversation.receive(mta.rcpt('z@y'));
    await settle();
    expect(made.replies().join('')).toBe(`ccc${letter}${letter}`);
    expect(made.errors).toEqual(['rcpt: boom', 'rcpt: boom']);
    expect(made.ended()).toBe(false);
  });

  it('of abort and close are told and change nothing', () => {
    const made = played([...START, mta.mail('s@x'), mta.abort, mta.quit], () => ({
      mail: () => 'continue',
      abort: boom,
      close: boom,
    }));
    expect(made.errors).toEqual(['abort: boom', 'close: boom']);
    expect(made.ended()).toBe(true);
  });

  it('takes more changes of one message than a call takes arguments', () => {
    const made = played(
      [...START, mta.endOfMessage],
      () => ({
        endOfMessage: (message) => {
          for (let i = 0; i < 200_000; i++) message.addHeader('A', 'b');
          return 'accept' as const;
        },
      }),
      { actions: ['addHeaders'] },
    );
    expect(made.errors).toEqual([]);
    expect(made.replies()).toHaveLength(200_003);
  });

  it('after a failure, the changes made so far are dropped', async () => {
    const made = played(
      [...START, mta.endOfMessage],
      () => ({
        endOfMessage: (message) => {
          message.addHeader('A', 'b');
          return later(null).then((): 'continue' => boom());
        },
      }),
      { actions: ['addHeaders'] },
    );
    await settle();
    expect(made.replies()).toEqual(['c', 'c', 't']);
  });
});

describe('the context', () => {
  it('gives macros and the version', () => {
    const seen: unknown[] = [];
    played(
      [mta.macros('C', { j: 'mx' }), ...START, mta.macros('M', { '{auth_authen}': 'bob' }), mta.mail('s@x')],
      () => ({
        mail: (_, context) => {
          seen.push(
            context.version,
            context.macro('auth_authen'),
            context.macro('{j}'),
            context.macro('none'),
          );
          return 'continue';
        },
      }),
    );
    expect(seen).toEqual([6, 'bob', 'mx', undefined]);
  });
});

describe('release', () => {
  it('answers the open question and ends', async () => {
    const made = played(START, (calls) => recorder(calls, { helo: () => new Promise(() => undefined) }));
    made.conversation.release();
    await settle();
    expect(made.replies()).toEqual(['c', 'c']);
    expect(made.calls).toEqual([...CONNECTED, 'close']);
    expect(made.ended()).toBe(true);
  });

  it('says nothing where nothing is asked', () => {
    const made = played(START);
    made.conversation.release();
    expect(made.replies()).toEqual(['c', 'c']);
  });
});
