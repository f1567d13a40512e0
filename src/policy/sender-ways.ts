/**
 * What a sender can do so that these policies accept its mail: `advice/` with what each policy holds
 * against it.
 */
import { type HeldAgainst, type Way, waysOut, type Yardstick } from '../advice/sender-advice.ts';
import type { Assessment } from '../core/assessment.ts';
import { byEvidence, type Cure, type Finding } from '../core/check.ts';
import { ownLiteralFindings } from '../core/checks/literal.ts';
import type { Policy, Verdict } from './policy.ts';
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
  const held = verdict.counted.flatMap(({ finding, weight }): HeldAgainst[] =>
    weight === 0
      ? []
      : [
          {
            finding,
            cure: cureOf(finding, policy),
            weight,
            withProof: {
              exact: weightWithProof(finding, assessment, policy, 'exact'),
              authorized: weightWithProof(finding, assessment, policy, 'authorized'),
            },
            withLiteral: weightOfOptOut(finding, assessment, policy),
          },
        ],
  );
  return {
    held,
    tempfailAt: policy.tempfailAt,
    excuseFrom: policy.excuseFrom,
    literalWeight: ownLiteralFindings.reduce((sum, id) => sum + (policy.weights.get(id) ?? 0), 0),
  };
}
