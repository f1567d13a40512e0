/** A verdict as the answer of the milter. */
import { type ReplyCode, replyCode } from '../milter/index.ts';
import type { Judged } from '../policy/judge.ts';
import type { Rules } from '../policy/rules.ts';
import { type Refusal, refusalOf, replyTo, type ReplyOptions } from '../policy/smtp-reply.ts';
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
  const { claim, rules, address = '', recipient = null } = refused;
  const words = rules.reply;
  const refusal = refusalFor(judged, words);
  if (refusal === null) return 'accept';
  const reply = replyTo(refusal, { words, reference: claim.reference, recipient, address });
  return replyCode(reply.code, reply.enhancedCode, reply.text);
}

/** What is known of a verdict that is given again (`recent-verdicts.ts`). */
const known = new WeakMap<Judged, { readonly words: ReplyOptions; readonly refusal: Refusal | null }>();

/** What the sender should do is worked out for each verdict, which takes a third of a refused session. */
function refusalFor(judged: Judged, words: ReplyOptions): Refusal | null {
  const before = known.get(judged);
  if (before?.words === words) return before.refusal;
  const { verdict, action, assessment, policy } = judged;
  const refusal = refusalOf(
    { ...verdict, disposition: action },
    { assessment, findings: policy.findings, words, policy },
  );
  known.set(judged, { words, refusal });
  return refusal;
}
