/**
 * A verdict on one claim, and everything that it rests on: the assessment, what was seen of the session, and
 * what the operator has decided. Pure, so that a recorded session is judged again exactly like a live one.
 */
import { withSession } from '../core/assess.ts';
import type { Assessment } from '../core/assessment.ts';
import { messageChecks, sessionChecks } from '../core/checks/index.ts';
import type { MessageFacts } from '../core/checks/message.ts';
import type { SessionFacts } from '../core/checks/session.ts';
import { streamLimitFinding, type Unproved } from '../core/checks/stream.ts';
import { heldBack } from '../core/unasked.ts';
import type { AccessEntry } from './access.ts';
import { enforce } from './enforcement.ts';
import type { Exemption } from './exemption.ts';
import { type MtaSelf, ourselves } from './our-names.ts';
import { decide, rejectsWithout } from './decide.ts';
import {
  type CountedFinding,
  denialOf,
  type Disposition,
  DISPOSITIONS,
  type Policy,
  type Ramp,
  type Verdict,
} from './policy.ts';
import { mayOptOut } from './stream.ts';
import type { Rules, StreamLimit } from './rules.ts';

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
  /**
   * Of a reject that rests on findings with a ramp: whether the sender is still told to come again, or has
   * done so often enough. Where we only watch, what it would have been told. Null for any other verdict.
   */
  readonly ramp: 'within' | 'over' | null;
  /**
   * What `--stream-limit` says of a message that is let in otherwise; where we only watch, what it would have
   * said. Null where it was not asked.
   */
  readonly streamLimit: 'within' | 'over' | null;
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
   * The client is known under this name by its mail (`--regulars`): what DNS does not have and what was
   * inferred is not held against it.
   */
  readonly regular: boolean;
}

/** The rules that a verdict depends on. */
export type JudgingRules = Pick<
  Rules,
  | 'policy'
  | 'shadowPolicy'
  | 'enforcement'
  | 'streamLimits'
  | 'churnLimit'
  | 'ourNames'
  | 'ourAddresses'
  | 'recipients'
> & { readonly access: Pick<Rules['access'], 'match'> };

export interface Circumstances extends Pick<Judged, 'session' | 'dnsIll' | 'elapsedMs'> {
  /** Unix time in milliseconds, for lines of the access list that expire. */
  readonly at: number;
}

/** What there is to decide on: the assessment with what was found in the session, and the access list. */
export function seenIn(
  cached: Assessment,
  rules: Omit<JudgingRules, 'policy' | 'shadowPolicy' | 'enforcement'>,
  { session, at }: Pick<Circumstances, 'session' | 'at'>,
): Pick<Judged, 'assessment' | 'access'> {
  const access = rules.access.match(cached, at);
  return { assessment: inSession(cached, rules, session, access), access };
}

function inSession(
  cached: Assessment,
  rules: Pick<JudgingRules, 'churnLimit' | 'ourNames' | 'ourAddresses'>,
  { previousHelo, namesSeen, mta }: SessionSeen,
  access: AccessEntry | null,
): Assessment {
  const { ourNames, ourAddresses } = ourselves(rules, mta);
  const facts: SessionFacts = {
    ourNames,
    ourAddresses,
    previousHelo,
    namesSeen,
    churnLimit: rules.churnLimit,
    denied: access?.action === 'deny' ? (access.text ?? 'refused by local policy') : null,
    shareUsedUp: heldBack(cached.dns) === 'share',
  };
  return withSession(cached, facts, sessionChecks);
}

/** `cached` is the assessment without anything of a session. */
export function judge(cached: Assessment, rules: JudgingRules, circumstances: Circumstances): Judged {
  return judgeWith(rules.access.match(cached, circumstances.at), cached, rules, circumstances);
}

/** The same for whoever has asked the access list already. */
export function judgeWith(
  access: AccessEntry | null,
  cached: Assessment,
  rules: Omit<JudgingRules, 'access'>,
  { session, dnsIll, elapsedMs }: Omit<Circumstances, 'at'>,
): Judged {
  const { policy, shadowPolicy, enforcement } = rules;
  const assessment = inSession(cached, rules, session, access);
  const verdict = decide(assessment, policy, { dnsIll, regular: session.regular });
  return {
    assessment,
    verdict,
    policy,
    ownPolicy: null,
    shadow:
      shadowPolicy === null ? null : decide(assessment, shadowPolicy, { dnsIll, regular: session.regular }),
    shadowPolicy,
    dnsIll,
    action: enforce(verdict.disposition, cached.client.ip, enforcement),
    access,
    ramp: null,
    streamLimit: null,
    elapsedMs,
    session,
  };
}

/** The verdict under the policy of a recipient. */
export function judgeUnder(policy: Policy, judged: Judged, { enforcement }: JudgingRules): Judged {
  const verdict = decide(judged.assessment, policy, {
    dnsIll: judged.dnsIll,
    regular: judged.session.regular,
  });
  const action = enforce(verdict.disposition, judged.assessment.client.ip, enforcement);
  return { ...judged, verdict, policy, ownPolicy: policy, action };
}

/** The same verdict with what was found in the message. */
export function judgeMessage(judged: Judged, facts: MessageFacts, { enforcement }: JudgingRules): Judged {
  const { policy, shadowPolicy, dnsIll, session } = judged;
  const assessment = withSession(judged.assessment, facts, messageChecks);
  const verdict = decide(assessment, policy, { dnsIll, regular: session.regular });
  return {
    ...judged,
    assessment,
    verdict,
    shadow:
      shadowPolicy === null ? null : decide(assessment, shadowPolicy, { dnsIll, regular: session.regular }),
    action: enforce(verdict.disposition, assessment.client.ip, enforcement),
  };
}

/** Asks how far a sender is on the ramp of a finding, and counts the try. */
export type IsWithinRamp = (finding: string, ramp: Ramp) => boolean;

/**
 * A reject that rests on findings with a ramp is a tempfail while the sender is on it. A finding that is
 * without one, or whose ramp is over, counts as usual: so one more finding never makes the answer milder. The
 * verdict itself stays what it is, and is no tempfail for the tempfail limit: what is about to be refused is
 * not let in for having come often.
 */
export function onRamp(judged: Judged, isWithin: IsWithinRamp, { enforcement }: JudgingRules): Judged {
  const { verdict, policy, assessment } = judged;
  if (policy.ramps.size === 0 || verdict.disposition !== 'reject' || judged.access?.action === 'allow')
    return judged;
  const ids = verdict.counted.flatMap(({ finding, weight }) =>
    weight > 0 && finding.provisional !== true && policy.ramps.has(finding.id) ? [finding.id] : [],
  );
  if (ids.length === 0 || rejectsWithout(ids, judged)) return judged;
  const within = ids.filter((id) => {
    const ramp = policy.ramps.get(id);
    return ramp !== undefined && isWithin(id, ramp);
  });
  return rejectsWithout(within, judged)
    ? { ...judged, ramp: 'over' }
    : { ...judged, ramp: 'within', action: enforce('tempfail', assessment.client.ip, enforcement) };
}

/** Asks whether the client's network may send one more message in the stream, and counts it if so. */
export type IsWithinLimit = (stream: Unproved, limit: StreamLimit) => boolean;

/**
 * A message that is about to be let in is delayed if its network has sent too many in its stream. The verdict
 * stays what it is, but for the cause. In an outage of the resolver streams say nothing, and nothing is
 * counted.
 */
export function onStreamLimit(judged: Judged, isWithin: IsWithinLimit, rules: JudgingRules): Judged {
  const { verdict, policy, assessment } = judged;
  const { client } = assessment;
  const limit = limitOf(judged, rules);
  if (limit === null || verdict.stream === 'verified' || client.ip === null) return judged;
  if (isWithin(verdict.stream, limit)) return { ...judged, streamLimit: 'within' };
  const free = mayOptOut(verdict.stream, policy) && !rules.streamLimits.has('unverified');
  const cause = streamLimitFinding(client, limit, free);
  return {
    ...judged,
    streamLimit: 'over',
    verdict: { ...verdict, cause, counted: [...verdict.counted, { finding: cause, weight: 0 }] },
    action: enforce('tempfail', client.ip, rules.enforcement),
  };
}

function limitOf(
  { verdict: { stream }, dnsIll }: Judged,
  { streamLimits }: JudgingRules,
): StreamLimit | null {
  return dnsIll || stream === 'verified' ? null : (streamLimits.get(stream) ?? null);
}

/** Whether the limit of a stream may be asked for a recipient that follows. */
export function mayBeLimited(judged: Judged, rules: JudgingRules): boolean {
  if (rules.streamLimits.size === 0) return false;
  const all = [judged, ...rules.recipients.policies.map((each) => judgeUnder(each, judged, rules))];
  return all.some((each) => limitOf(each, rules) !== null);
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
 * The mildest of several. Among equals, the one that needs no exemption; then the one with the lowest score;
 * then the mildest verdict where we only watch; then the general policy, whoever came first.
 */
export function mildestOf(opinions: readonly Opinion[]): Opinion | undefined {
  const rank = ({ judged: { action }, exempt }: Opinion): number =>
    action === 'accept' ? (exempt === null ? 0 : 1) : exempt !== null ? 2 : action === 'tempfail' ? 3 : 4;
  const verdictRank = ({ judged }: Opinion): number => DISPOSITIONS.indexOf(judged.verdict.disposition);
  const word = ({ judged, exempt }: Opinion): string => `${exempt ?? ''} ${judged.ownPolicy?.preset ?? ''}`;
  return opinions.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      a.judged.verdict.score - b.judged.verdict.score ||
      verdictRank(a) - verdictRank(b) ||
      (word(a) < word(b) ? -1 : word(a) > word(b) ? 1 : 0),
  )[0];
}

/**
 * Whether a refusal is only put off: by an outage, or by the client's own reverse zone, which did not say
 * what the name's owner asks of it (SPF `ptr`) and without which the owner says no. That costs no mail that
 * would have been accepted, and ends when there is an answer. If it were counted, it would let in what is
 * refused at all other times; and whoever wants to may break a zone of his own.
 */
export function isPutOff({ dnsIll, assessment, policy, session, verdict }: Judged): boolean {
  const isDenial = ({ finding, weight }: CountedFinding): boolean =>
    weight > 0 && finding.provisional === true && denialOf(finding, policy) !== 'none';
  if (verdict.counted.some(isDenial)) return true;
  return dnsIll && decide(assessment, policy, { regular: session.regular }).disposition === 'reject';
}

/** Whether it is let in for no other reason than that it is known by its mail. */
export function isLetInAsRegular({ session, verdict, assessment, policy, dnsIll }: Judged): boolean {
  return (
    session.regular &&
    verdict.disposition === 'accept' &&
    decide(assessment, policy, { dnsIll }).disposition !== 'accept'
  );
}

/** Whether it, or the shadow policy, would not accept: an operator who watches wants to know for whom. */
export function wouldRefuse({ verdict, shadow }: Judged): boolean {
  return verdict.disposition !== 'accept' || (shadow !== null && shadow.disposition !== 'accept');
}
