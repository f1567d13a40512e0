/** Who hears of assessments, besides the decisions that rest on them. */
import type { Assessment } from '../core/assess.ts';

/** Hears how long a name took that the cache did not have. Must not throw. */
export interface Timing {
  /** Milliseconds from HELO until the assessment was there. */
  assessed(ms: number, assessment: Assessment): void;
  /** Milliseconds that the MTA was kept waiting for it at a later command. */
  waited(ms: number): void;
}
