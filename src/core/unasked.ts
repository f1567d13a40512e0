/** Questions that were not asked, or not to their end: what that is called in an answer, and what it says of an assessment. */
import type { DnsAnswer } from './recording-resolver.ts';

/**
 * Why a question was not asked. `overload`: its turn did not come in time, since there was too much to ask; `share`: the
 * same, and its own network asked most of that; `dropped`: nobody wants the answer any more. None says anything about
 * DNS.
 */
export type Unasked = 'overload' | 'share' | 'dropped';

const UNASKED: ReadonlySet<string> = new Set<Unasked>(['overload', 'share', 'dropped']);

export function isUnasked(detail: string): detail is Unasked {
  return UNASKED.has(detail);
}

/** What kept questions of an assessment from being sent, from its answers; null where nothing did. */
export function heldBack(answers: readonly DnsAnswer[]): 'share' | 'overload' | null {
  const lost = (why: Unasked): boolean =>
    answers.some(({ status, records: [detail] }) => status === 'temperror' && detail === why);
  if (lost('share')) return 'share';
  return lost('overload') ? 'overload' : null;
}
