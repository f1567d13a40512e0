/** What happens to a message with too many forged fields, which all its recipients share. */
import type { MessageFacts } from '../core/checks/message.ts';
import { type Exemption, isExemption } from '../policy/exemption.ts';
import { type Judged, judgeMessage, judgeUnder, mildestOf, type Opinion } from '../policy/judge.ts';
import type { Rules } from '../policy/rules.ts';
import type { MessageLimits } from './message-limits.ts';
import type { Taker } from './transaction.ts';

interface Accepted {
  /** Of its recipients; empty if it was accepted for all of them before the first was named. */
  readonly takers: readonly Taker[];
  readonly limits: MessageLimits;
  readonly rules: Rules;
}

/** The verdicts on the message, which may depend on how often its sender has come (`MessageLimits.ask`). */
export function verdictsForAll(
  general: Judged,
  facts: MessageFacts,
  { takers, rules }: Omit<Accepted, 'limits'>,
): readonly Judged[] {
  return (takers.length === 0 ? [null] : takers).flatMap((taker) =>
    isExemption(taker) ? [] : [judgeMessage(underTaker(taker, general, rules), facts, rules)],
  );
}

function underTaker(taker: Exclude<Taker, Exemption>, general: Judged, rules: Rules): Judged {
  return taker === null ? general : judgeUnder(taker, general, rules);
}

/**
 * It is refused only if the policy of each recipient would refuse it, and as mildly as the mildest would.
 */
export function judgeForAll(general: Judged, facts: MessageFacts, accepted: Accepted): Opinion {
  const { takers, limits, rules } = accepted;
  const opinionOf = (taker: Taker): Opinion => {
    if (isExemption(taker)) return { judged: judgeMessage(general, facts, rules), exempt: taker };
    const judged = limits.onRamp(judgeMessage(underTaker(taker, general, rules), facts, rules));
    return { judged, exempt: limits.excused(judged) };
  };
  const opinions = takers.length === 0 ? [opinionOf(null)] : takers.map(opinionOf);
  return mildestOf(opinions) ?? { judged: general, exempt: null };
}
