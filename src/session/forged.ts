/** What happens to a message with too many forged fields, which all its recipients share. */
import type { MessageFacts } from '../core/checks/message.ts';
import { isExemption } from '../policy/exemption.ts';
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

/**
 * It is refused only if the policy of each recipient would refuse it, and as mildly as the mildest would.
 */
export function judgeForAll(general: Judged, facts: MessageFacts, accepted: Accepted): Opinion {
  const { takers, limits, rules } = accepted;
  const opinionOf = (taker: Taker): Opinion => {
    if (isExemption(taker)) return { judged: judgeMessage(general, facts, rules), exempt: taker };
    const own = taker === null ? general : judgeUnder(taker, general, rules);
    const judged = limits.onRamp(judgeMessage(own, facts, rules));
    return { judged, exempt: limits.excused(judged) };
  };
  const opinions = takers.length === 0 ? [opinionOf(null)] : takers.map(opinionOf);
  return mildestOf(opinions) ?? { judged: general, exempt: null };
}
