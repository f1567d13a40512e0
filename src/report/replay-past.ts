/** What earlier mail says about a message, for a replay; the service keeps it in tables of its own. */
import type { Unproved } from '../core/checks/stream.ts';
import type { IpAddress } from '../core/ip.ts';
import { type Ended, isWelcome } from '../decisions/welcome.ts';
import type { StreamLimit } from '../policy/rules.ts';
import type { BudgetKey } from '../state/budget-key.ts';
import type { RampTry } from '../state/ramp-table.ts';
import type { RegularSender } from '../state/regulars.ts';

/** A client, and the name that it gives. */
export interface Named {
  readonly ip: IpAddress;
  readonly helo: string;
  /** Of the claim: in a session, a name that is given anew is another claim. */
  readonly reference: string;
  /** As `--regulars` knows it, if that has been worked out before. */
  readonly regular?: RegularSender | null;
}

/** What is learned of a client: as it is named, or what has been made of that. */
export type Learned = Pick<Named, 'ip' | 'helo'> | { readonly regular: RegularSender };

/**
 * Whether a message speaks for its sender. `surely`: it was seen to be accepted; otherwise nobody knows how
 * it would have ended, as it was refused then or not seen to its end.
 */
export interface Welcome {
  readonly surely: boolean;
}

/** Null if it does not. */
export function welcomeOf(decision: Ended): Welcome | null {
  if (isWelcome(decision)) return { surely: true };
  const end = decision.end === 'aborted' ? 'aborted' : 'accepted';
  return isWelcome({ ...decision, end }) ? { surely: false } : null;
}

/** What depends on earlier mail. */
export interface ReplayPast {
  /**
   * Goes on to the next record, of this Unix time in milliseconds. Returns the time that it is then: that
   * of the latest record so far, as several processes may have written the log.
   */
  readonly goTo: (time: number) => number;
  /**
   * Counts a message that is about to be tempfailed; false once its sender has been tempfailed often enough.
   * `given`: the tempfail would really be given, not only watched.
   */
  readonly spend: (sender: BudgetKey, given: boolean) => boolean;
  /** Counts a try of a sender on the ramp of a finding; whether it is still answered 4yz. */
  readonly isWithinRamp: (each: RampTry) => boolean;
  /** Whether the client's network may send one more message in the stream, which is counted if so. */
  readonly isWithinStream: (ip: IpAddress, stream: Unproved, limit: StreamLimit) => boolean;
  /**
   * `perhaps`: if messages that were not seen to be accepted were. A claim has the answer that it had
   * first.
   */
  readonly isRegular: (who: Named) => boolean | 'perhaps';
  /** Takes note of a message that speaks for its sender. */
  readonly learn: (who: Learned, welcome: Welcome) => void;
  /** Whether anybody can be a regular. */
  readonly followsRegulars: boolean;
}

/** Each message for itself: nothing that came before counts. */
export const NO_PAST: ReplayPast = {
  goTo: (time) => time,
  spend: () => true,
  isWithinRamp: () => false,
  isWithinStream: () => true,
  isRegular: () => false,
  learn: () => undefined,
  followsRegulars: false,
};
