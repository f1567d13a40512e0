/**
 * A verdict on one claim, and everything that it rests on: the assessment, what was seen of the session, and
 * what the operator has decided. Pure, so that a recorded session is judged again exactly like a live one.
 */
import { type Assessment, withSession } from '../core/assess.ts';
import { messageChecks, sessionChecks } from '../core/checks/index.ts';
import type { MessageFacts } from '../core/checks/message.ts';
import type { SessionFacts } from '../core/checks/session.ts';
import { heldBack } from '../core/unasked.ts';
import type { AccessEntry } from './access.ts';
import { enforce } from './enforcement.ts';
import type { Exemption } from './exemption.ts';
import { type MtaSelf, ourselves } from './our-names.ts';
import { decide, type Disposition, type Policy, type Verdict } from './policy.ts';
import type { Rules } from './rules.ts';

/** A verdict with everything that it rests on. */
export interface Judged {
  /** The assessment, with what was found in the session and in the message. */
  readonly assessment: Assessment;
  readonly verdict: Verdict;
  /** The policy that gave the verdict. */
  readonly policy: Policy;
  /** The policy of the recipient, if it has one of its own. */
  readonly ownPolicy: Policy | null;
  /** What the shadow policy would have said. */
  readonly shadow: Verdict | null;
  readonly shadowPolicy: Policy | null;
  /** The line of the access list that matched. */
  readonly access: AccessEntry | null;
  /** What is done; milder than the verdict if we only watch. */
  readonly action: Disposition;
  /** The resolver was out of order; see `decide`. */
  readonly dnsIll: boolean;
  /** Milliseconds from HELO until the assessment was there. */
  readonly elapsedMs: number;
  readonly session: SessionSeen;
}

/** What was seen of the session, whatever the operator has decided. */
export interface SessionSeen extends Pick<SessionFacts, 'previousHelo' | 'namesSeen'> {
  readonly mta: MtaSelf;
  /**
   * The client is known under this name by its mail (`--regulars`): what DNS does not have and what was inferred is not held
   * against it.
   */
  readonly regular: boolean;
}

/** The rules that a verdict depends on. */
export type JudgingRules = Pick<
  Rules,
  'policy' | 'shadowPolicy' | 'enforcement' | 'churnLimit' | 'ourNames' | 'ourAddresses' | 'recipients'
> & { readonly access: Pick<Rules['access'], 'match'> };

export interface Circumstances extends Pick<Judged, 'session' | 'dnsIll' | 'elapsedMs'> {
  /** Unix time in milliseconds, for lines of the access list that expire. */
  readonly at: number;
}

/** `cached` is the assessment without anything of a session. */
export function judge(cached: Assessment, rules: JudgingRules, circumstances: Circumstances): Judged {
  const { session, dnsIll, elapsedMs, at } = circumstances;
  const { policy, shadowPolicy, enforcement, access, churnLimit } = rules;
  const entry = access.match(cached, at);
  const { ourNames, ourAddresses } = ourselves(rules, session.mta);
  const facts: SessionFacts = {
    ourNames,
    ourAddresses,
    previousHelo: session.previousHelo,
    namesSeen: session.namesSeen,
    churnLimit,
    denied: entry?.action === 'deny' ? (entry.text ?? 'refused by local policy') : null,
    shareUsedUp: heldBack(cached.dns) === 'share',
  };
  const assessment = withSession(cached, facts, sessionChecks);
  const verdict = decide(assessment, policy, dnsIll, session.regular);
  return {
    assessment,
    verdict,
    policy,
    ownPolicy: null,
    shadow: shadowPolicy === null ? null : decide(assessment, shadowPolicy, dnsIll, session.regular),
    shadowPolicy,
    dnsIll,
    action: enforce(verdict.disposition, cached.client.ip, enforcement),
    access: entry,
    elapsedMs,
    session,
  };
}

/** The verdict under the policy of a recipient. */
export function judgeUnder(policy: Policy, judged: Judged, { enforcement }: JudgingRules): Judged {
  const verdict = decide(judged.assessment, policy, judged.dnsIll, judged.session.regular);
  const action = enforce(verdict.disposition, judged.assessment.client.ip, enforcement);
  return { ...judged, verdict, policy, ownPolicy: policy, action };
}

/** The same verdict with what was found in the message. */
export function judgeMessage(judged: Judged, facts: MessageFacts, { enforcement }: JudgingRules): Judged {
  const { policy, shadowPolicy, dnsIll, session } = judged;
  const assessment = withSession(judged.assessment, facts, messageChecks);
  const verdict = decide(assessment, policy, dnsIll, session.regular);
  return {
    ...judged,
    assessment,
    verdict,
    shadow: shadowPolicy === null ? null : decide(assessment, shadowPolicy, dnsIll, session.regular),
    action: enforce(verdict.disposition, assessment.client.ip, enforcement),
  };
}

/** Whether every recipient that may still follow would accept. */
export function acceptedByAll(judged: Judged, rules: JudgingRules): boolean {
  return (
    judged.action === 'accept' &&
    rules.recipients.policies.every((each) => judgeUnder(each, judged, rules).action === 'accept')
  );
}

/** What one recipient would have of a message. */
export interface Opinion {
  readonly judged: Judged;
  readonly exempt: Exemption | null;
}

/**
 * The mildest of several. Of equal ones that which needs no exemption, then that with the least score, so
 * that it does not depend on who came first.
 */
export function mildestOf(opinions: readonly Opinion[]): Opinion | undefined {
  const rank = ({ judged: { action }, exempt }: Opinion): number =>
    action === 'accept' ? (exempt === null ? 0 : 1) : exempt !== null ? 2 : action === 'tempfail' ? 3 : 4;
  return opinions.toSorted((a, b) => rank(a) - rank(b) || a.judged.verdict.score - b.judged.verdict.score)[0];
}

/**
 * Whether an outage has turned a refusal into a delay: that costs no mail that would have been accepted, and
 * ends with the outage. If it were counted, it would let in what is refused at all other times.
 */
export function isPutOff({ dnsIll, assessment, policy, session }: Judged): boolean {
  return dnsIll && decide(assessment, policy, false, session.regular).disposition === 'reject';
}
