/** Connections that are refused or cut short for lack of room: why, and how often. */
import { type OnError, report } from './guard.ts';

/**
 * `connections`: the maximum number is open. `descriptors`: the process may open no more files. `buffers`:
 * all connections together keep more in memory than they may, and this one has kept the most for the longest.
 * `unread`: the peer does not read its replies.
 */
export const TURNED_AWAY = ['connections', 'descriptors', 'buffers', 'unread'] as const;
/** Why a connection was turned away: a word of `TURNED_AWAY`. */
export type TurnedAwayReason = (typeof TURNED_AWAY)[number];

/** The MTA sees a closed connection and does what its default action says. */
export class TurnedAwayError extends Error {
  override readonly name = 'TurnedAwayError';
  readonly code = 'milter-turned-away';
  readonly reason: TurnedAwayReason;

  constructor(reason: TurnedAwayReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export class Refusals {
  readonly #counts: Record<TurnedAwayReason, number> = {
    connections: 0,
    descriptors: 0,
    buffers: 0,
    unread: 0,
  };
  /** Asked each time, since it may change. */
  readonly #onError: () => OnError;

  constructor(onError: () => OnError) {
    this.#onError = onError;
  }

  get counts(): Readonly<Record<TurnedAwayReason, number>> {
    return { ...this.#counts };
  }

  /** `message` is the same for the same reason, so that a log can count it instead of repeating it. */
  note(reason: TurnedAwayReason, message: string): void {
    this.#counts[reason]++;
    report(this.#onError(), new TurnedAwayError(reason, message), 'turned-away');
  }
}
