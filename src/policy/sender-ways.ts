/**
 * What a sender can do so that these policies accept its mail: `advice/` with what each policy holds
 * against it.
 */
import { type HeldAgainst, type Way, waysOut, type Yardstick } from '../advice/sender-advice.ts';
import type { Assessment } from '../core/assessment.ts';
import { byEvidence, type Cure, type Finding } from '../core/check.ts';
import { ownLiteralFindings } from '../core/checks/literal.ts';
import { isOfStream, isStreamLimit, limitSparesOptOut } from '../core/checks/stream.ts';
import { denialOf, type Policy, type Verdict } from './policy.ts';
import { type ShownOfHost, streamIf, weightOfStreamIf } from './stream.ts';
import { fill, valuesOf } from './template.ts';
import { weightOfOptOut, weightWithProof } from './weight.ts';

/** A verdict and the policy that gave it. */
export interface VerdictUnder {
  readonly verdict: Verdict;
  readonly policy: Policy;
}

/** The ways that are enough for all of these verdicts on the assessment. */
export function waysFor(assessment: Assessment, judged: readonly VerdictUnder[]): readonly Way[] {
  return waysOut(
    assessment,
    judged.map((each) => yardstick(assessment, each)),
  );
}

/** What the sender can do about a finding with its evidence. */
export function cureOf({ id, evidence }: Finding, { findings }: Pick<Policy, 'findings'>): Cure | undefined {
  const spec = findings.get(id);
  return byEvidence(spec?.cureWith, evidence) ?? spec?.cure;
}

function yardstick(assessment: Assessment, { verdict, policy }: VerdictUnder): Yardstick {
  const held = verdict.counted.flatMap((each) => {
    const isOver = isStreamLimit(each.finding) && each.finding === verdict.cause;
    // It delays the mail without any weight.
    const weight = isOver ? policy.tempfailAt : each.weight;
    if (weight === 0) return [];
    return isOfStream(each.finding)
      ? ofStream(each.finding, weight, assessment, policy)
      : [heldAgainst(each.finding, weight, assessment, policy)];
  });
  const ofLiteral = ownLiteralFindings.reduce((sum, id) => sum + (policy.weights.get(id) ?? 0), 0);
  // Whoever gives up a proof changes the stream.
  const ofStreamThen = held.some((each) => each.isOfStream)
    ? 0
    : weightOfStreamIf(assessment, policy, LITERAL);
  return {
    held,
    tempfailAt: policy.tempfailAt,
    excuseFrom: policy.excuseFrom,
    literalWeight: ofLiteral + ofStreamThen,
  };
}

const LITERAL: ShownOfHost = { renamed: true, correspondence: 'none', optOut: true };

function heldAgainst(finding: Finding, weight: number, assessment: Assessment, policy: Policy): HeldAgainst {
  const cure = cureOf(finding, policy);
  const exact = weightWithProof(finding, assessment, policy, 'exact');
  const authorized = weightWithProof(finding, assessment, policy, 'authorized');
  const withLiteral = weightOfOptOut(finding, assessment, policy);
  // It is of the client, and stays what it is whatever the client says.
  const stays = cure === undefined || cure === 'give-reverse-name';
  return {
    finding,
    cure,
    weight,
    withProof: { exact, authorized },
    withName: { exact: stays ? exact : 0, authorized: stays ? authorized : 0 },
    withLiteral: stays ? withLiteral : 0,
    withOptOut: withLiteral,
    withRelay: cure === undefined ? weight : 0,
    isOfStream: false,
    other: cure === undefined ? fixOf(finding, assessment, policy) : null,
  };
}

/**
 * A stream is drawn from everything else: with what the owner of the name denies, whatever that weighs by
 * itself.
 */
function ofStream(finding: Finding, weight: number, assessment: Assessment, policy: Policy): HeldAgainst[] {
  const { correspondence, findings } = assessment;
  const left = (shown: ShownOfHost): number => {
    if (!isStreamLimit(finding)) return weightOfStreamIf(assessment, policy, shown);
    const stream = streamIf(assessment, policy, shown);
    const isSpared = stream === 'verified' || (stream === 'unverified' && limitSparesOptOut(finding));
    return isSpared ? 0 : weight;
  };
  const withName = {
    exact: left({ renamed: true, correspondence: 'exact', optOut: false }),
    authorized: left({ renamed: true, correspondence: 'authorized', optOut: false }),
  };
  const denials = findings.filter((each) => denialOf(each, policy) === 'name');
  return [
    // The ways to publish something cure them all.
    ...denials.map((each) => ({
      ...heldAgainst(each, 0, assessment, policy),
      withProof: { exact: 0, authorized: 0 },
      withName: { exact: 0, authorized: 0 },
      withLiteral: 0,
      withOptOut: 0,
      other: null,
    })),
    {
      finding,
      cure: withName.exact < weight ? 'opt-out' : undefined,
      weight,
      withProof: withName,
      withName,
      withLiteral: left(LITERAL),
      withOptOut: left({ renamed: false, correspondence, optOut: true }),
      withRelay: 0,
      isOfStream: true,
      other: null,
    },
  ];
}

/** What to do about a finding, in general; null where nothing is known. */
export function fixOf(
  { id, evidence }: Finding,
  assessment: Pick<Assessment, 'client'>,
  { findings }: Pick<Policy, 'findings'>,
): string | null {
  const spec = findings.get(id);
  const fix = byEvidence(spec?.fixWith, evidence) ?? spec?.fix;
  return fix === undefined ? null : fill(fix, valuesOf(evidence, assessment));
}
