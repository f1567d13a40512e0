/**
 * The outcome of a check as an assessment keeps it: under the name of its check, bounded, and one object for
 * all assessments where it holds nothing about a client.
 */
import { type Evidence, none, type Outcome, pass } from './check.ts';
import { keptText } from './kept-text.ts';

export type NamedOutcome = Outcome & { readonly check: string };

/** The outcomes that hold nothing about a client, by check: shared, as those of `check.ts` are. */
const plain = new Map<Outcome, Map<string, NamedOutcome>>([
  [pass(), new Map()],
  [none(), new Map()],
]);

/** The outcome under the name of its check. */
export function namedOutcome(check: string, outcome: Outcome): NamedOutcome {
  const shared = plain.get(outcome);
  const known = shared?.get(check);
  if (known !== undefined) return known;
  const { result, evidence, finding, correspondence, optOut, proofs, foreign } = outcome;
  const whole: NamedOutcome = {
    ...{ check, result, evidence, finding, correspondence, optOut },
    ...(proofs === undefined ? {} : { proofs }),
    ...(foreign === undefined ? {} : { foreign }),
  };
  shared?.set(check, Object.freeze(whole));
  return whole;
}

/**
 * Characters kept of one piece of evidence. All that is read from it fits: ten verified reverse names, and an
 * SPF record of any length in use.
 */
export const KEPT_OF_EVIDENCE = 4096;

/** The outcome, cut to what is kept. */
export function keptOutcome(outcome: Outcome): Outcome {
  const { evidence, finding } = outcome;
  const seen = keptEvidence(evidence);
  if (finding === null) return seen === evidence ? outcome : { ...outcome, evidence: seen };
  const shared = finding.evidence === evidence;
  const told = shared ? seen : keptEvidence(finding.evidence);
  return { ...outcome, evidence: seen, finding: { ...finding, evidence: told } };
}

function keptEvidence(evidence: Evidence): Evidence {
  const entries = Object.entries(evidence);
  if (entries.length === 0) return evidence;
  return Object.fromEntries(entries.map(([name, value]) => [name, keptText(value, KEPT_OF_EVIDENCE)]));
}
