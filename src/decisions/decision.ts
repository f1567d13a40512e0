/** The `decision` line: what was decided about one message, on what grounds, and how to find its sender. */
import type { Exemption } from '../policy/exemption.ts';
import { identityOf } from '../policy/identity.ts';
import type { Assessment } from '../core/assessment.ts';
import { heldBack, isUnasked } from '../core/unasked.ts';
import type { Log } from '../log/log.ts';
import { formatValue, jsonString } from '../log/value.ts';
import type { Stage } from '../policy/rules.ts';
import type { Judged } from '../policy/judge.ts';
import type { Disposition, Verdict } from '../policy/policy.ts';

/**
 * What became of the message, for the recipients that the decision let through, as far as we saw. `accepted`:
 * we saw its end and let it pass. `refused`: by this decision, or by one about the whole message. `aborted`:
 * the client gave it up, or somebody else refused it. `unseen`: we accepted it without looking at its
 * content, so the MTA told us nothing more.
 */
export const ENDS = ['accepted', 'refused', 'aborted', 'unseen'] as const;
export type End = (typeof ENDS)[number];

/** When a decision was made: at a command, or at the end of the message because of what is in its header. */
export type DecidedAt = Stage | 'message';

export interface Decision {
  /** Also in the reply that the client got. */
  readonly reference: string;
  readonly client: string | null;
  readonly helo: string;
  /**
   * Whether the assessment came from the cache, was made for this session, or was shared with another session
   * that was making it.
   */
  readonly cache: 'hit' | 'miss' | 'joined' | 'none';
  /** Null if an exempt client was not judged, or not yet. */
  readonly judged: Judged | null;
  /** Why the verdict does not count. */
  readonly exempt: Exemption | null;
  readonly stage: DecidedAt;
  /**
   * What the tempfail limit says about a message that the verdict tempfails: that it may be delayed, or that
   * this sender has been delayed often enough; when we only watch, what it would have said. Null for any
   * other verdict.
   */
  readonly limit: 'within' | 'spent' | null;
  /** Which message of the connection it is, from 1; 0 where none had begun. */
  readonly message: number;
  readonly sender: string | null;
  /** The recipients with this decision, in order; only a bounded number of them. */
  readonly recipients: readonly string[];
  /** The number of all of them. */
  readonly recipientCount: number;
  /**
   * Null if the MTA had none by the last event that we saw: Postfix has none yet when mail is accepted at
   * MAIL.
   */
  readonly queueId: string | null;
  readonly end: End;
  /** Unix time in milliseconds at which the client connected; null if the MTA did not say. */
  readonly connectedAt: number | null;
}

/** What is done with the message, taking an exemption into account. */
export function actionOf({ judged, exempt }: Decision): Disposition {
  return exempt === null ? (judged?.action ?? 'accept') : 'accept';
}

/**
 * `ill`: the outage brake was on, and what could not be known might have changed the verdict. `overload`:
 * some questions were not asked because there were too many at once; what they might have shown is unknown.
 * `share`: the same, because the client's own network asked for too much.
 */
export function dnsTrouble(judged: Judged): 'ill' | 'overload' | 'share' | null {
  if (judged.dnsIll) return hadAPart(judged) ? 'ill' : null;
  return heldBack(judged.assessment.dns);
}

/**
 * If the text decided, DNS was not asked; and what is refused in an outage is refused for its text or by a
 * local rule.
 */
function hadAPart({ assessment, verdict, shadow }: Judged): boolean {
  const open = [verdict, ...(shadow === null ? [] : [shadow])].some(
    ({ disposition }) => disposition !== 'reject',
  );
  return assessment.dns.length > 0 && open;
}

/** Writes decisions in the format of the log. */
export function decisionLogger(log: Log): (decision: Decision) => void {
  const text = log.format === 'json' ? decisionMembers : decisionText;
  return (decision) => {
    if (log.wants('info')) log.write('info', text(decision));
  };
}

/**
 * `decision key=value …`, with the fields in the order in which an administrator reads them: who, what, why,
 * which message. Written out for speed, like the JSON version below: there is one for every message.
 */
export function decisionText(decision: Decision): string {
  const { judged, client, exempt, limit, sender, queueId } = decision;
  let text = `decision client=${client ?? 'unknown'} helo=${formatValue(decision.helo)} action=${actionOf(decision)}`;
  if (exempt !== null) text += ` exempt=${exempt}`;
  if (judged !== null) {
    const { verdict, ownPolicy, shadow } = judged;
    if (ownPolicy !== null) text += ` policy=${ownPolicy.preset}`;
    text += ` verdict=${verdict.disposition} score=${verdict.score}`;
    if (verdict.cause !== null) text += ` cause=${verdict.cause.id}`;
    if (verdict.counted.length > 0) text += ` findings=${weighed(verdict)}`;
    text += ` correspondence=${judged.assessment.correspondence} stream=${verdict.stream}`;
    if (shadow !== null) text += ` shadow=${shadow.disposition}:${shadow.score}`;
    if (judged.access !== null) text += ` access=${judged.access.line}`;
    if (judged.session.regular) text += ' regular=yes';
    const dns = dnsTrouble(judged);
    if (dns !== null) text += ` dns=${dns}`;
    const unanswered = unansweredWords(judged.assessment);
    if (unanswered !== null) text += ` unanswered=${formatValue(unanswered)}`;
    if (limit !== null) text += ` limit=${limit}`;
    if (judged.ramp !== null) text += ` ramp=${judged.ramp}`;
    if (judged.streamLimit !== null) text += ` stream_limit=${judged.streamLimit}`;
    const { domain, reverse, reverseDomain } = identityOf(judged.assessment);
    if (domain !== null) text += ` domain=${formatValue(domain)}`;
    if (reverse !== null) text += ` reverse=${formatValue(reverse)}`;
    if (reverseDomain !== null) text += ` reverse_domain=${formatValue(reverseDomain)}`;
    text += ` ms=${Math.round(judged.elapsedMs)}`;
  }
  text += ` cache=${decision.cache} stage=${decision.stage}`;
  if (sender !== null) text += ` from=${formatValue(sender)}`;
  text += recipientsText(decision);
  if (queueId !== null) text += ` queue=${formatValue(queueId)}`;
  return `${text} end=${decision.end} ref=${decision.reference}`;
}

/** The same fields as members of a JSON object. */
export function decisionMembers(decision: Decision): string {
  const { judged, client, exempt, limit, sender, queueId } = decision;
  let text = `"event":"decision","client":"${client ?? 'unknown'}","helo":${jsonString(decision.helo)},"action":"${actionOf(decision)}"`;
  if (exempt !== null) text += `,"exempt":"${exempt}"`;
  if (judged !== null) {
    const { verdict, ownPolicy, shadow } = judged;
    if (ownPolicy !== null) text += `,"policy":"${ownPolicy.preset}"`;
    text += `,"verdict":"${verdict.disposition}","score":${verdict.score}`;
    if (verdict.cause !== null) text += `,"cause":"${verdict.cause.id}"`;
    if (verdict.counted.length > 0) text += `,"findings":"${weighed(verdict)}"`;
    text += `,"correspondence":"${judged.assessment.correspondence}","stream":"${verdict.stream}"`;
    if (shadow !== null) text += `,"shadow":"${shadow.disposition}:${shadow.score}"`;
    if (judged.access !== null) text += `,"access":${judged.access.line}`;
    if (judged.session.regular) text += ',"regular":"yes"';
    const dns = dnsTrouble(judged);
    if (dns !== null) text += `,"dns":"${dns}"`;
    const unanswered = unansweredWords(judged.assessment);
    if (unanswered !== null) text += `,"unanswered":${jsonString(unanswered)}`;
    if (limit !== null) text += `,"limit":"${limit}"`;
    if (judged.ramp !== null) text += `,"ramp":"${judged.ramp}"`;
    if (judged.streamLimit !== null) text += `,"stream_limit":"${judged.streamLimit}"`;
    const { domain, reverse, reverseDomain } = identityOf(judged.assessment);
    if (domain !== null) text += `,"domain":${jsonString(domain)}`;
    if (reverse !== null) text += `,"reverse":${jsonString(reverse)}`;
    if (reverseDomain !== null) text += `,"reverse_domain":${jsonString(reverseDomain)}`;
    text += `,"ms":${Math.round(judged.elapsedMs)}`;
  }
  text += `,"cache":"${decision.cache}","stage":"${decision.stage}"`;
  if (sender !== null) text += `,"from":${jsonString(sender)}`;
  text += recipientsMembers(decision);
  if (queueId !== null) text += `,"queue":${jsonString(queueId)}`;
  return `${text},"end":"${decision.end}","ref":"${decision.reference}"`;
}

/** The most reasons that a line tells; the decision log has all. */
const MAX_REASONS = 4;

/**
 * Why questions whose answers were missed had none: the resolver's word for each, and the codes of the
 * extended errors (RFC 8914) that it gave, `bogus:6,timeout`. Null where nothing was missed.
 */
function unansweredWords({ trouble, dns }: Assessment): string | null {
  if (trouble === null) return null;
  const words = new Set<string>();
  for (const { status, records, errors = [] } of dns) {
    const [detail = ''] = records;
    if (status !== 'temperror' || isUnasked(detail)) continue;
    words.add([detail, ...errors.map(({ code }) => code)].join(':'));
  }
  return words.size === 0 ? null : [...words].slice(0, MAX_REASONS).join(',');
}

/** Recipients after the first that a line names; the decision log has more. */
const MAX_MORE = 9;

/** The first as `rcpt`; if there are several, the next ones as `more`, and their number as `recipients`. */
function recipientsText({ recipients: [first, ...others], recipientCount }: Decision): string {
  if (first === undefined) return '';
  const text = ` rcpt=${formatValue(first)}`;
  if (others.length === 0) return text;
  return `${text} more=${formatValue(others.slice(0, MAX_MORE).join(','))} recipients=${recipientCount}`;
}

function recipientsMembers({ recipients: [first, ...others], recipientCount }: Decision): string {
  if (first === undefined) return '';
  const text = `,"rcpt":${jsonString(first)}`;
  if (others.length === 0) return text;
  return `${text},"more":${jsonString(others.slice(0, MAX_MORE).join(','))},"recipients":${recipientCount}`;
}

/** `helo-nxdomain:5,iprev-none:2`. */
function weighed({ counted }: Verdict): string {
  let text = '';
  for (const { finding, weight } of counted) text += `${text === '' ? '' : ','}${finding.id}:${weight}`;
  return text;
}
