/**
 * What is done about a message for one recipient: the verdict, and what excuses its sender. Pure, from an
 * assessment that is there; `session/session.ts` goes the same way command by command, while DNS is asked.
 *
 * Not told: whether a tempfail is still within its limit, which depends on what came before.
 */
import type { Assessment } from '../core/assessment.ts';
import type { MessageFacts } from '../core/checks/message.ts';
import { type Exemption, exemptRecipient } from './exemption.ts';
import { type Circumstances, judge, type Judged, judgeMessage, judgeUnder } from './judge.ts';
import type { Disposition } from './policy.ts';
import type { Rules } from './rules.ts';

export interface Treatment {
  readonly action: Disposition;
  readonly exempt: Exemption | null;
  readonly judged: Judged;
}

export interface Asked extends Circumstances {
  /** Address of the recipient without angle brackets; null for the general policy. */
  readonly recipient: string | null;
  /** What was found in the header of the message; null if nothing was. */
  readonly message: MessageFacts | null;
}

export function treatmentOf(cached: Assessment, rules: Rules, asked: Asked): Treatment {
  const { recipient, message } = asked;
  const own = recipient === null ? null : rules.recipients.of(recipient);
  const general = judge(cached, rules, asked);
  const ofRecipient = own === null || own === 'off' ? general : judgeUnder(own, general, rules);
  const judged = message === null ? ofRecipient : judgeMessage(ofRecipient, message, rules);
  const exempt =
    (recipient === null ? null : exemptRecipient(recipient)) ??
    (own === 'off' ? 'opted-out' : judged.access?.action === 'allow' ? 'access' : null);
  return { action: exempt === null ? judged.action : 'accept', exempt, judged };
}
