/**
 * Questions that were not asked, or were abandoned: how an answer says so, and what that means for an
 * assessment.
 */
import type { DnsAnswer } from './recording-resolver.ts';

/**
 * Why a question was not asked. `overload`: its turn did not come in time, since there was too much to ask;
 * `share`: the same, and most of that was its own network's; `dropped`: nobody wants the answer any more.
 * None of these says anything about DNS.
 */
export type Unasked = 'overload' | 'share' | 'dropped';

const UNASKED: ReadonlySet<string> = new Set<Unasked>(['overload', 'share', 'dropped']);

export function isUnasked(detail: string): detail is Unasked {
  return UNASKED.has(detail);
}

/** Why questions of an assessment were not sent, according to its answers; null if all were. */
export function heldBack(answers: readonly DnsAnswer[]): 'share' | 'overload' | null {
  let held: 'overload' | null = null;
  for (const { status, records } of answers) {
    if (status !== 'temperror') continue;
    const why = records[0];
    if (why === 'share') return why;
    if (why === 'overload') held = why;
  }
  return held;
}
