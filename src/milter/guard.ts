/**
 * Calls what the user of this library gave us: sessions, `onError`, observers. Whatever these throw, or
 * reject with later, is told and goes no further; a fault in a filter must not cost the mail of others.
 */
import { inspect } from 'node:util';
import type { CallbackName } from './callbacks.ts';
import type { MilterSession } from './session.ts';

/**
 * Where an error came from: a callback by its name, `observe` and what it returned, or `newSession`;
 * `protocol` if the peer broke the protocol, `turned-away` if a connection was refused or cut short
 * (TurnedAwayError), `internal` for a fault of this library.
 */
export type ErrorSource =
  CallbackName | 'newSession' | 'observe' | 'abort' | 'close' | 'protocol' | 'turned-away' | 'internal';

/** The answer if a callback fails, and of a session that could not be made. */
export type ReplyOnError = 'continue' | 'tempfail';

/** What a session is given. */
interface SessionMaker {
  readonly newSession: () => MilterSession;
  readonly replyOnError: ReplyOnError;
  readonly onError: OnError;
}

/** What it returns does not matter; a promise that rejects is caught. */
export type OnError = (error: unknown, source: ErrorSource) => unknown;

/**
 * The handlers that have themselves failed; each is told once, since a hostile peer may cause an error with
 * each packet.
 */
const failed = new WeakSet();

/**
 * Tells an error. If the handler fails, that is told as a warning of the process, and has no other effect.
 */
export function report(onError: OnError, error: unknown, source: ErrorSource): void {
  const complain = (failure: unknown): void => {
    if (typeof onError === 'function') {
      if (failed.has(onError)) return;
      failed.add(onError);
    }
    process.emitWarning(`onError of a MilterServer failed: ${describe(failure)}`);
  };
  try {
    const outcome: unknown = onError(error, source);
    quiet(outcome, complain);
  } catch (failure) {
    complain(failure);
  }
}

/** A new session, or one that answers as a failing callback would. */
export function openSession({ newSession, replyOnError, onError }: SessionMaker): MilterSession {
  try {
    const session: unknown = newSession();
    if (isThenable(session)) {
      quiet(session, () => undefined);
      throw new TypeError('newSession must return a session, not a promise of one');
    }
    if (typeof session !== 'object' || session === null) {
      throw new TypeError(`newSession returned ${describe(session)}, which is no session`);
    }
    return session;
  } catch (error) {
    report(onError, error, 'newSession');
    return standIn(replyOnError);
  }
}

/** The session of a connection for which there is none. */
export function standIn(reply: ReplyOnError): MilterSession {
  return STAND_INS[reply];
}

const tempfail = (): 'tempfail' => 'tempfail';

const STAND_INS: Readonly<Record<ReplyOnError, MilterSession>> = {
  continue: {},
  // Any of these events may be unanswered by agreement, so one alone would not be enough.
  tempfail: {
    connect: tempfail,
    helo: tempfail,
    mail: tempfail,
    rcpt: tempfail,
    data: tempfail,
    endOfMessage: tempfail,
  },
};

/** Handles the rejection of a value that may be a promise. */
export function quiet(value: unknown, onRejection: (error: unknown) => void): void {
  if (isThenable(value)) Promise.resolve(value).catch(onRejection);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Any value, briefly, for the text of an error. */
export function describe(value: unknown): string {
  try {
    return inspect(value, { depth: 1, maxStringLength: 100, maxArrayLength: 10, breakLength: Infinity });
  } catch {
    return typeof value;
  }
}
