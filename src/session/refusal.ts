/** A verdict as the answer of the milter. */
import { type ReplyCode, replyCode } from '../milter/index.ts';
import type { Judged } from '../policy/judge.ts';
import type { Rules } from '../policy/rules.ts';
import { smtpReply } from '../policy/smtp-reply.ts';
import type { Claim } from './claim.ts';

/** What a reply tells besides the verdict. */
interface Refused {
  readonly claim: Pick<Claim, 'reference'>;
  readonly rules: Pick<Rules, 'reply'>;
  /** That of the refused command; empty if it has none. */
  readonly address?: string;
  /** The recipient that the verdict is about, without angle brackets. */
  readonly recipient?: string | null;
}

/** `accept` where nothing is to be refused. */
export function refuse(judged: Judged, refused: Refused): ReplyCode | 'accept' {
  const { verdict, action, assessment, policy } = judged;
  const { claim, rules, address = '', recipient = null } = refused;
  const reply = smtpReply(
    { ...verdict, disposition: action },
    {
      assessment,
      findings: policy.findings,
      words: rules.reply,
      reference: claim.reference,
      policy,
      recipient,
      address,
    },
  );
  return reply === null ? 'accept' : replyCode(reply.code, reply.enhancedCode, reply.text);
}
