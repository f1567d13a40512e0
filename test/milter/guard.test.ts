/** Faults in the code that uses the library are told to `onError`, and do no further harm. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MilterSession } from '../../src/milter/session.ts';
import { type ConversationSetup, talk } from '../support/conversation.ts';
import * as mta from '../support/mta.ts';

/** Uncaught exceptions and rejections, which would end a program. */
let uncaught: unknown[];
const take = (error: unknown): void => void uncaught.push(error);
let warnings: string[];

beforeEach(() => {
  uncaught = [];
  warnings = [];
  process.on('unhandledRejection', take);
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
});

afterEach(async () => {
  await settle();
  process.off('unhandledRejection', take);
  vi.restoreAllMocks();
  expect(uncaught).toEqual([]);
});

/** Lets everything happen that follows from what has come: by turns of the event loop, not by time. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
};
const boom = (): never => {
  throw new Error('boom');
};
const later = (): Promise<never> => Promise.reject(new Error('boom'));
const any = (value: unknown): never => value as never;

interface Played {
  readonly errors: readonly string[];
  readonly replies: () => string;
  readonly receive: (...packets: Buffer[]) => Promise<void>;
  readonly ended: () => boolean;
}

function played(setup: ConversationSetup): Played {
  const { conversation, errors, replies, far } = talk(setup);
  return {
    errors,
    replies: () => replies().join(''),
    receive: async (...packets) => {
      conversation.receive(Buffer.concat(packets));
      await settle();
    },
    ended: () => far.ended,
  };
}

const SESSION = [mta.optneg(), mta.connect('192.0.2.1'), mta.helo('a'), mta.mail('s@x'), mta.rcpt('r@y')];

describe('newSession', () => {
  const CASES: readonly (readonly [string, unknown, RegExp])[] = [
    ['throws', boom, /^newSession: boom$/],
    ['is missing', undefined, /^newSession: newSession is not a function$/],
    ['returns nothing', () => undefined, /^newSession: newSession returned undefined/],
    ['returns null', () => null, /^newSession: newSession returned null/],
    ['returns a word', () => 'continue', /^newSession: newSession returned 'continue'/],
    ['returns a promise', () => Promise.resolve({}), /^newSession: .* not a promise/],
    ['rejects', later, /^newSession: .* not a promise/],
    [
      'returns what cannot be looked at',
      () =>
        Object.defineProperty({}, 'helo', {
          get: boom,
        }),
      /^newSession: boom$/,
    ],
  ];

  it.each(CASES)(
    'that %s: the MTA gets replyOnError, and the connection goes on',
    async (_, newSession, error) => {
      const { errors, replies, receive, ended } = played({ newSession: any(newSession) });
      await receive(...SESSION, mta.abort, mta.mail('t@x'), mta.rcpt('r@y'), mta.data, mta.endOfMessage);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(error);
      // Everything that the MTA asks and that can be refused.
      expect(replies()).toMatch(/^tttt?t*$/);
      expect(ended()).toBe(false);
    },
  );

  it.each(CASES)('that %s, to be ignored: the mail passes', async (_, newSession) => {
    const { errors, replies, receive } = played({ newSession: any(newSession), replyOnError: 'continue' });
    await receive(...SESSION, mta.endOfMessage);
    expect(errors).toHaveLength(1);
    expect(replies()).toMatch(/^c+$/);
  });

  it('that fails once does so for that connection only', async () => {
    let count = 0;
    const { errors, replies, receive } = played({
      newSession: () => {
        if (++count === 1) boom();
        return { connect: () => 'continue', helo: () => 'accept' };
      },
    });
    await receive(
      mta.optneg(),
      mta.connect('192.0.2.1'),
      mta.packet('K'),
      mta.connect('192.0.2.2'),
      mta.helo('b'),
    );
    expect([errors, replies()]).toEqual([['newSession: boom'], 'tca']);
  });
});

describe('callbacks', () => {
  const circular: unknown[] = [];
  circular.push(circular);

  it.each<[string, MilterSession]>([
    ['throws', { rcpt: boom }],
    ['rejects', { rcpt: later }],
    ['is no function', { rcpt: any('tempfail') }],
    [
      'is a getter that throws late',
      Object.create({
        get rcpt() {
          return seen++ < 1 ? () => 'continue' : boom();
        },
      }) as MilterSession,
    ],
    ['returns what has no text', { rcpt: () => any(Object.create(null)) }],
    ['returns what holds itself', { rcpt: () => any(circular) }],
    ['returns it later', { rcpt: () => Promise.resolve(any(circular)) }],
    ['returns a number too large', { rcpt: () => Promise.resolve(any(10n)) }],
    [
      'returns what throws when looked at',
      {
        rcpt: () =>
          any({
            get encoded() {
              return boom();
            },
          }),
      },
    ],
    [
      'returns what throws later',
      {
        rcpt: () =>
          Promise.resolve(
            any({
              get encoded() {
                return boom();
              },
            }),
          ),
      },
    ],
    [
      'returns a proxy that throws',
      { rcpt: () => any(new Proxy({}, { has: boom, get: boom, getPrototypeOf: boom })) },
    ],
    ['returns a thenable that throws', { rcpt: () => any({ then: boom }) }],
    [
      'returns a thenable that rejects',
      {
        rcpt: () =>
          any({
            then: (_: unknown, no: (e: Error) => void) => {
              no(new Error('boom'));
            },
          }),
      },
    ],
    [
      'rejects with what is no error',
      {
        rcpt: () =>
          any({
            then: (_: unknown, no: (error: unknown) => void) => {
              no('boom');
            },
          }),
      },
    ],
  ])('one that %s: told, answered, and the next is asked', async (_, session) => {
    seen = 0;
    const { errors, replies, receive, ended } = played({ newSession: () => session });
    await receive(...SESSION);
    await receive(mta.rcpt('z@y'));
    expect(errors).toHaveLength(2);
    expect(errors.every((error) => error.startsWith('rcpt: '))).toBe(true);
    expect(replies()).toBe('ccctt');
    expect(ended()).toBe(false);
  });
  let seen = 0;

  it('may return what is like a promise', async () => {
    const thenable = {
      then: (yes: (reply: string) => void) => {
        yes('reject');
      },
    };
    const { errors, replies, receive } = played({ newSession: () => ({ helo: () => any(thenable) }) });
    await receive(mta.optneg(), mta.connect('192.0.2.1'), mta.helo('a'), mta.mail('s@x'));
    expect([errors, replies()]).toEqual([[], 'crc']);
  });

  it.each<[string, MilterSession, string[]]>([
    ['throw', { mail: () => 'continue', abort: boom, close: boom }, ['abort: boom', 'close: boom']],
    [
      'reject',
      { mail: () => 'continue', abort: any(later), close: any(later) },
      ['abort: boom', 'close: boom'],
    ],
  ])('abort and close that %s', async (_, session, wanted) => {
    const { errors, receive, ended } = played({ newSession: () => session });
    await receive(...SESSION, mta.quit);
    expect([errors, ended()]).toEqual([wanted, true]);
  });

  it('body that throws on the last chunk, or cannot be looked at', async () => {
    let looks = 0;
    const session = {
      endOfMessage: () => 'accept',
      get body() {
        return looks++ === 0 ? () => 'continue' : boom();
      },
    } as unknown as MilterSession;
    const { errors, replies, receive } = played({ newSession: () => session });
    await receive(...SESSION, mta.packet('E', 'tail'));
    expect(errors).toHaveLength(1);
    expect(replies()).toMatch(/t$/);
  });
});

describe('observers', () => {
  it.each<[string, () => unknown]>([
    ['observe throws', boom],
    ['the observer throws', () => boom],
    ['the observer rejects', () => later],
    ['observe returns nonsense', () => 'nonsense'],
  ])('%s: told, and nothing else changes', async (_, observe) => {
    const { errors, replies, receive, ended } = played({
      newSession: () => ({ mail: () => 'reject' }),
      observe: any(observe),
    });
    await receive(...SESSION);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every((error) => error.startsWith('observe: '))).toBe(true);
    expect([replies(), ended()]).toEqual(['ccr', false]);
  });
});

describe('onError', () => {
  it.each<[string, unknown]>([
    ['throws', boom],
    ['rejects', later],
    ['is missing', undefined],
    [
      'throws what has no text',
      () => {
        throw Object.create(null);
      },
    ],
  ])('that %s: a warning of the process, once for a function, and the mail goes on', async (_, onError) => {
    const { replies, receive, ended } = played({
      newSession: () => ({ helo: boom, mail: later, close: boom }),
      onError: any(onError),
    });
    await receive(...SESSION);
    expect([replies(), ended()]).toEqual(['ctt', false]);
    expect(warnings.length).toBeGreaterThan(0);
    if (onError !== undefined) expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^onError of a MilterServer failed/);
    await receive(mta.packet('z'));
    expect(ended()).toBe(true);
  });
});
