/** Which stream a client belongs to, and what a policy holds against it. */
import type { Assessment } from '../core/assessment.ts';
import { atLeast, type Correspondence } from '../core/check.ts';
import { streamFinding, streamId, type Unproved } from '../core/checks/stream.ts';
import { type CountedFinding, denialOf, type Policy, type Stream } from './policy.ts';

/** The stream, and the finding that it is, where the operator gives it a weight. */
export function streamOf(
  assessment: Assessment,
  policy: Policy,
): { readonly stream: Stream; readonly held: readonly CountedFinding[] } {
  const denials = assessment.findings.filter((finding) => denialOf(finding, policy) !== 'none');
  const stream = denials.length > 0 ? 'failed' : shownStream(assessment, policy);
  if (stream === 'verified') return { stream, held: [] };
  const weight = streamWeight(stream, policy);
  if (weight === 0 && !policy.operatorSet.has(streamId(stream))) return { stream, held: [] };
  const finding = streamFinding(stream, assessment.client);
  // Where something is unknown, the answer might have led to another stream.
  const isCertain = denials.some(({ provisional }) => provisional !== true);
  const isOpen = !isCertain && assessment.trouble !== null;
  return { stream, held: [{ finding: isOpen ? { ...finding, provisional: true } : finding, weight }] };
}

/**
 * Whoever fails is held to be no better than whoever shows nothing: else a host would gain by a false claim.
 */
function streamWeight(stream: Unproved, { weights }: Pick<Policy, 'weights'>): number {
  const unverified = weights.get(streamId('unverified')) ?? 0;
  return stream === 'unverified' ? unverified : Math.max(unverified, weights.get(streamId('failed')) ?? 0);
}

/** Whether a host of this stream would do better without a name. */
export function mayOptOut(stream: Unproved, policy: Pick<Policy, 'weights' | 'tempfailAt'>): boolean {
  return stream === 'failed' && streamWeight('unverified', policy) < policy.tempfailAt;
}

/** What may be shown of a host that does something about the stream that its mail is in. */
export interface ShownOfHost {
  /** It says another name, of which nothing is known. */
  readonly renamed: boolean;
  readonly correspondence: Correspondence;
  readonly optOut: boolean;
}

/** What the stream would weigh then. */
export function weightOfStreamIf(assessment: Assessment, policy: Policy, shown: ShownOfHost): number {
  const { held } = streamOf(after(assessment, policy, shown), policy);
  return held.reduce((sum, { weight }) => sum + weight, 0);
}

/** Which stream it would be then. */
export function streamIf(assessment: Assessment, policy: Policy, shown: ShownOfHost): Stream {
  return streamOf(after(assessment, policy, shown), policy).stream;
}

function after(
  assessment: Assessment,
  policy: Policy,
  { renamed, correspondence, optOut }: ShownOfHost,
): Assessment {
  const { findings, trouble } = assessment;
  return {
    ...assessment,
    correspondence,
    optOut,
    findings: renamed ? findings.filter((each) => denialOf(each, policy) === 'client') : findings,
    trouble: renamed ? null : trouble,
  };
}

/** A plain "no" outweighs any proof; a softfail or a broken record denies nothing. */
function shownStream({ correspondence, optOut, trouble, client }: Assessment, policy: Policy): Stream {
  if (atLeast(correspondence, policy.require)) return 'verified';
  // A neighbour is excused, but not identified.
  if (atLeast(correspondence, policy.excuseFrom)) return 'unverified';
  const unnamed = optOut || client.ip === null || client.helo.kind === 'missing';
  return unnamed || trouble === 'owner' ? 'unverified' : 'failed';
}
