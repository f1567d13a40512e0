/** What earlier mail says about a message, for a replay; the service keeps it in tables of its own. */
import type { Unproved } from '../core/checks/stream.ts';
import type { IpAddress } from '../core/ip.ts';
import type { Ended } from '../decisions/welcome.ts';
import type { Judged } from '../policy/judge.ts';
import type { Ramp } from '../policy/policy.ts';
import type { StreamLimit } from '../policy/rules.ts';

/** What depends on earlier mail. `at` is Unix time in milliseconds. */
export interface ReplayPast {
  /**
   * Counts a message that is about to be tempfailed; false once its sender has been tempfailed often enough.
   * `given`: the tempfail would really be given, not only watched.
   */
  readonly spend: (judged: Judged, given: boolean, at: number) => boolean;
  /** Counts a try of a sender on the ramp of a finding; whether it is still answered 4yz. */
  readonly isWithinRamp: (judged: Judged, finding: string, ramp: Ramp, at: number) => boolean;
  /** Whether the client's network may send one more message in the stream, which is counted if so. */
  readonly isWithinStream: (ip: IpAddress, stream: Unproved, limit: StreamLimit, at: number) => boolean;
  /** `perhaps`: if messages that were not seen to be accepted were. */
  readonly isRegular: (ip: IpAddress, helo: string, at: number) => boolean | 'perhaps';
  /** Takes note of what became of a message. */
  readonly learn: (ip: IpAddress, helo: string, decision: Ended, at: number) => void;
  /** Whether anybody can be a regular. */
  readonly followsRegulars: boolean;
}

/** Each message for itself: nothing that came before counts. */
export const NO_PAST: ReplayPast = {
  spend: () => true,
  isWithinRamp: () => false,
  isWithinStream: () => true,
  isRegular: () => false,
  learn: () => undefined,
  followsRegulars: false,
};
