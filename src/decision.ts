/** The `decision` line: what was decided about one message, on what grounds, and how to find its sender again. */
import type { AccessEntry } from './access.ts';
import type { Assessment } from './core/assess.ts';
import type { Field } from './log.ts';
import type { Disposition, Policy, Verdict } from './policy.ts';

/** The SMTP command at which a verdict is given. */
export type Stage = 'helo' | 'mail' | 'rcpt';

/** A verdict with all that it rests on. */
export interface Judged {
  readonly assessment: Assessment;
  readonly verdict: Verdict;
  /** The policy of the recipient, where it has one of its own. */
  readonly ownPolicy: Policy | null;
  /** What the shadow policy would have said. */
  readonly shadow: Verdict | null;
  /** The line of the access list that matched. */
  readonly access: AccessEntry | null;
  /** What is done; softer than the verdict where we only watch. */
  readonly action: Disposition;
  /** The resolver was out of order, so nothing that rests on DNS counted. */
  readonly dnsIll: boolean;
  /** Milliseconds from HELO until the verdict was there. */
  readonly elapsedMs: number;
}

export interface Decision {
  /** Also in the reply that the client got. */
  readonly reference: string;
  readonly client: string | null;
  readonly helo: string;
  /** Whether the assessment came from the cache, was made, or was joined while another session made it. */
  readonly hit: 'hit' | 'miss' | 'joined' | 'none';
  /** Null where an exempt client was not judged, or not yet. */
  readonly judged: Judged | null;
  /** Why the verdict does not matter. */
  readonly exempt: string | null;
  readonly stage: Stage;
  readonly sender: string | null;
  readonly recipient: string | null;
  readonly queueId: string | null;
}

/** The fields in the order in which an administrator reads them: who, what, why, which message. */
export function decisionFields(decision: Decision): Field[] {
  const { judged, exempt } = decision;
  return [
    ['client', decision.client ?? 'unknown'],
    ['helo', decision.helo],
    ['action', exempt === null ? judged?.action : 'accept'],
    ['exempt', exempt],
    ...(judged === null ? [] : verdictFields(judged)),
    ['cache', decision.hit],
    ['stage', decision.stage],
    ['from', decision.sender],
    ['rcpt', decision.recipient],
    ['queue', decision.queueId],
    ['ref', decision.reference],
  ];
}

function verdictFields({
  verdict,
  ownPolicy,
  shadow,
  assessment,
  access,
  dnsIll,
  elapsedMs,
}: Judged): Field[] {
  const findings = verdict.counted.map(({ finding, weight }) => `${finding.id}:${weight}`);
  return [
    ['policy', ownPolicy?.preset],
    ['verdict', verdict.disposition],
    ['score', verdict.score],
    ['cause', verdict.cause?.id],
    ['findings', findings.length === 0 ? null : findings.join(',')],
    ['correspondence', assessment.correspondence],
    ['stream', verdict.stream],
    ['shadow', shadow === null ? null : `${shadow.disposition}:${shadow.score}`],
    ['access', access?.line],
    ['dns', dnsIll ? 'ill' : null],
    ['ms', Math.round(elapsedMs)],
  ];
}
