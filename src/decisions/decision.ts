/** The `decision` line: what was decided about one message, on what grounds, and how to find its sender. */
import type { AccessEntry } from '../policy/access.ts';
import type { Exemption } from '../policy/exemption.ts';
import type { Assessment } from '../core/assess.ts';
import { heldBack } from '../dns/asker.ts';
import type { Log } from '../log/log.ts';
import { formatValue, jsonString } from '../log/value.ts';
import type { Stage } from '../policy/rules.ts';
import type { Disposition, Policy, Verdict } from '../policy/policy.ts';

/** When a decision was made: at a command, or at the end of the message because of what is in its header. */
export type DecidedAt = Stage | 'message';

/** A verdict with all that it rests on. */
export interface Judged {
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
}

export interface Decision {
  /** Also in the reply that the client got. */
  readonly reference: string;
  readonly client: string | null;
  readonly helo: string;
  /**
   * Whether the assessment came from the cache, was made for this session, or was shared with another session
   * that was making it.
   */
  readonly hit: 'hit' | 'miss' | 'joined' | 'none';
  /** Null if an exempt client was not judged, or not yet. */
  readonly judged: Judged | null;
  /** Why the verdict does not count. */
  readonly exempt: Exemption | null;
  readonly stage: DecidedAt;
  readonly sender: string | null;
  readonly recipient: string | null;
  readonly queueId: string | null;
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
  const { judged, client, exempt, sender, recipient, queueId } = decision;
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
    const dns = dnsTrouble(judged);
    if (dns !== null) text += ` dns=${dns}`;
    text += ` ms=${Math.round(judged.elapsedMs)}`;
  }
  text += ` cache=${decision.hit} stage=${decision.stage}`;
  if (sender !== null) text += ` from=${formatValue(sender)}`;
  if (recipient !== null) text += ` rcpt=${formatValue(recipient)}`;
  if (queueId !== null) text += ` queue=${formatValue(queueId)}`;
  return `${text} ref=${decision.reference}`;
}

/** The same fields as members of a JSON object. */
export function decisionMembers(decision: Decision): string {
  const { judged, client, exempt, sender, recipient, queueId } = decision;
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
    const dns = dnsTrouble(judged);
    if (dns !== null) text += `,"dns":"${dns}"`;
    text += `,"ms":${Math.round(judged.elapsedMs)}`;
  }
  text += `,"cache":"${decision.hit}","stage":"${decision.stage}"`;
  if (sender !== null) text += `,"from":${jsonString(sender)}`;
  if (recipient !== null) text += `,"rcpt":${jsonString(recipient)}`;
  if (queueId !== null) text += `,"queue":${jsonString(queueId)}`;
  return `${text},"ref":"${decision.reference}"`;
}

/** `helo-nxdomain:5,iprev-none:2`. */
function weighed({ counted }: Verdict): string {
  let text = '';
  for (const { finding, weight } of counted) text += `${text === '' ? '' : ','}${finding.id}:${weight}`;
  return text;
}
