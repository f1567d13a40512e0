/** A listener for assessments, apart from the decisions that rest on them. */
import type { Assessment } from '../core/assessment.ts';

/** Told how long a name that was not in the cache took. Must not throw. */
export interface Timing {
  /** Milliseconds from HELO until the assessment was there. */
  assessed(ms: number, assessment: Assessment): void;
  /** Milliseconds that the MTA had to wait for it at a later command. */
  waited(ms: number): void;
}
