/** What a finding weighs, with all that speaks for the client. */
import type { Assessment } from '../core/assessment.ts';
import { type Basis, type Finding, type Proof, PROOFS } from '../core/check.ts';
import { inPreset, type Policy } from './policy.ts';

/** What speaks for a client. */
export interface Credit {
  readonly proofs: readonly Proof[];
  /** See `SessionSeen`. */
  readonly regular: boolean;
}

/** What is not held against a regular. */
const FORGIVEN: readonly Basis[] = ['existence', 'inferred'];

/** What the finding weighs with this credit: see `FindingSpec.excusedByProof` and `Finding.atWorst`. */
export function weightOf({ id, atWorst }: Finding, credit: Credit, policy: Policy): number {
  const weight = excusedWeight(id, credit, policy);
  if (atWorst === undefined || policy.operatorSet.has(id)) return weight;
  return Math.min(weight, Math.max(0, ...atWorst.map((worst) => excusedWeight(worst, credit, policy))));
}

/** What the finding would weigh if this were shown of the client, besides all that was. */
export function weightWithProof(
  finding: Finding,
  { proofs }: Assessment,
  policy: Policy,
  proof: Proof,
): number {
  return weightOf(finding, { proofs: [...proofs, proof], regular: false }, policy);
}

/** What the finding would weigh if the client opted out of naming itself. */
export function weightOfOptOut(finding: Finding, assessment: Assessment, policy: Policy): number {
  return waived(finding, { ...assessment, optOut: true }, policy)
    ? 0
    : weightOf(finding, { proofs: assessment.proofs, regular: false }, policy);
}

function excusedWeight(id: string, { proofs, regular }: Credit, policy: Policy): number {
  const { weights, operatorSet, findings, preset } = policy;
  const weight = weights.get(id) ?? 0;
  const spec = findings.get(id);
  if (spec === undefined || operatorSet.has(id)) return weight;
  if (regular && FORGIVEN.includes(spec.basis)) return 0;
  const excuses = spec.excusedByProof;
  if (excuses === undefined) return weight;
  return proofs.reduce((least, proof) => {
    const most = excuses[proof];
    return most === undefined ? least : Math.min(least, inPreset(most, preset));
  }, weight);
}

const EVERYTHING: Credit = { proofs: PROOFS, regular: true };

/**
 * Whether findings of the text alone make a policy reject, whatever else might be found and whatever DNS
 * might prove of the client.
 */
export function settles(found: readonly Finding[], policy: Policy): boolean {
  return found.reduce((sum, { id }) => sum + excusedWeight(id, EVERYTHING, policy), 0) >= policy.rejectAt;
}

/**
 * A client that opts out of naming itself fares no worse than with the checks off: what is held against a
 * name, or only against the address, does not count. The operator's own weights do.
 */
export function waived(
  { id }: Finding,
  { optOut }: Pick<Assessment, 'optOut'>,
  { findings, operatorSet }: Policy,
): boolean {
  if (!optOut || operatorSet.has(id)) return false;
  const spec = findings.get(id);
  return spec?.excusedByOptOut === true || ['inferred', 'existence', 'dns'].includes(spec?.basis ?? '');
}
