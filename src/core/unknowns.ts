/** What the answers that DNS did not give might have led to: see `Finding.atWorst`. */
import type { Check, Finding, Proof } from './check.ts';
import { mismatchFindings } from './checks/mismatch.ts';
import { isUnknown } from './checks/unknown.ts';

interface Told {
  readonly check: string;
  readonly finding: Finding | null;
}

/**
 * The finding as it is; if it says that DNS could not answer, with the findings that the missing answers
 * might have led to.
 */
export function bounded(
  finding: Finding,
  outcomes: readonly Told[],
  checks: readonly Check[],
  proofs: readonly Proof[],
): Finding {
  if (!isUnknown(finding)) return finding;
  const worst = outcomes
    .filter((told) => told.finding !== null && isUnknown(told.finding) && !isMoot(told.finding, proofs))
    .flatMap(({ check }) => checks.filter(({ name }) => name === check))
    .flatMap((check) => mightFind(check, proofs));
  return { ...finding, atWorst: [...new Set(worst)] };
}

function isMoot({ mootBy = [] }: Finding, proofs: readonly Proof[]): boolean {
  return mootBy.some((proof) => proofs.includes(proof));
}

/**
 * The check's own findings; and a mismatch, if an answer of the name's owner was the last chance to show
 * otherwise. What the client's zones could have shown is covered by the provisional mismatch itself.
 */
function mightFind({ findings, provesCorrespondence, reads }: Check, proofs: readonly Proof[]): string[] {
  const open = provesCorrespondence === true && reads !== 'client' && !proofs.some(isDecisive);
  return [...Object.keys(findings), ...(open ? Object.keys(mismatchFindings) : [])];
}

function isDecisive(proof: Proof): boolean {
  return proof === 'exact' || proof === 'authorized';
}
