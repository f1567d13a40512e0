/**
 * What no single check can say, drawn from the outcomes of all: the correspondence and what proves it,
 * whether it stayed undecided, and the mismatch where it falls short.
 */
import type { Assessment, CheckOutcome } from './assessment.ts';
import {
  atLeast,
  type Check,
  type Correspondence,
  type Evidence,
  type Finding,
  isOpen,
  NO_PROOFS,
  type Proof,
  PROOFS,
  type Zone,
} from './check.ts';
import { byPlace, listed } from './check-list.ts';
import { isMismatch, mismatch as mismatchWith } from './checks/mismatch.ts';
import { isUnknown } from './checks/unknown.ts';
import type { Client } from './client.ts';
import { queryName } from './helo.ts';
import type { NamedOutcome } from './kept-outcome.ts';
import type { DnsAnswer } from './recording-resolver.ts';
import { bounded } from './unknowns.ts';

/** Draws from the outcomes of the checks, in registry order, what no single check can say. */
export function conclude(
  client: Client,
  told: readonly NamedOutcome[],
  checks: readonly Check[],
  dns: readonly DnsAnswer[],
): Assessment {
  const isForeign = told.some(({ foreign }) => foreign === true);
  const outcomes = told.map((outcome) => withoutClaims(outcome, isForeign));
  const correspondence = outcomes.reduce<Correspondence>(
    (best, outcome) => (atLeast(outcome.correspondence, best) ? outcome.correspondence : best),
    'none',
  );
  const { provers } = listed(checks);
  const undecided = outcomes.some(
    (outcome) => provers.has(outcome.check) && (outcome.result === 'temperror' || isOpen(outcome)),
  );
  const proofs = proofsOf(told);
  const trouble = troubleOf(outcomes, checks);
  const mismatch = correspondence === 'exact' ? null : mismatchOf(client, outcomes, checks);
  const found = outcomes.flatMap((outcome) => {
    const { finding } = outcome;
    if (finding === null) return [];
    return [isOpen(outcome) ? { ...finding, provisional: true as const } : finding];
  });
  const short = correspondence === 'none' ? mismatchFinding({ mismatch, undecided, trouble }) : null;
  if (short !== null) found.push(short);
  return {
    client,
    outcomes,
    findings: inRegistryOrder(found, checks).map((each) => bounded(each, outcomes, checks, proofs)),
    correspondence,
    proofs,
    optOut: outcomes.some(({ optOut }) => optOut),
    undecided,
    trouble,
    mismatch,
    dns: correspondence === 'exact' ? dns.map((answer) => withoutNeed(answer, client)) : dns,
    settled: false,
  };
}

/**
 * A neighbour with somebody else's reverse name, or with an unknown one, does not count: the host next to the
 * name's own may be anybody's.
 */
function withoutClaims(told: NamedOutcome, isForeign: boolean): CheckOutcome {
  const isRefuted = isForeign && told.correspondence === 'near';
  // Most outcomes claim nothing, and are shared by all assessments.
  if (told.proofs === undefined && told.foreign === undefined && !isRefuted) return told;
  const { check, result, evidence, finding, correspondence, optOut } = told;
  return { check, result, evidence, finding, correspondence: isRefuted ? 'none' : correspondence, optOut };
}

/**
 * Strongest first. `exact` and `authorized` prove what they say; an `aligned` correspondence may rest on a
 * name that any customer's line has, so its check has to say whether it is a proof as well.
 */
function proofsOf(outcomes: readonly NamedOutcome[]): readonly Proof[] {
  const shown = new Set<Proof>();
  for (const { correspondence, proofs = NO_PROOFS } of outcomes) {
    if (correspondence === 'exact' || correspondence === 'authorized') shown.add(correspondence);
    for (const proof of proofs) shown.add(proof);
  }
  return shown.size === 0 ? NO_PROOFS : PROOFS.filter((proof) => shown.has(proof));
}

/**
 * If an address of the name is the client's, the other address type does not matter: some servers never
 * answer for a type that they do not know (RFC 4074 §4.1).
 */
function withoutNeed(answer: DnsAnswer, { helo }: Client): DnsAnswer {
  const { name, type, status } = answer;
  const isOther = (type === 'A' || type === 'AAAA') && name === queryName(helo);
  return status === 'temperror' && isOther ? { ...answer, moot: true } : answer;
}

/** A check that met trouble says so in its result; an operator's check perhaps only in its finding. */
function troubleOf(outcomes: readonly CheckOutcome[], checks: readonly Check[]): Zone | null {
  const ill = outcomes.filter(
    (each) =>
      each.result === 'temperror' || isOpen(each) || (each.finding !== null && isUnknown(each.finding)),
  );
  if (ill.length === 0) return null;
  const { reads } = listed(checks);
  return ill.every((each) => isOpen(each) || reads.get(each.check) === 'client') ? 'client' : 'owner';
}

/**
 * The finding for a correspondence that falls short; null where there is no mismatch, or where the name's
 * owner may still have something to say. While only the client's reverse zone is silent, the mismatch counts
 * provisionally.
 */
function mismatchFinding(
  { mismatch, undecided, trouble }: Pick<Assessment, 'mismatch' | 'undecided' | 'trouble'>,
  more: Evidence = {},
): Finding | null {
  if (mismatch === null) return null;
  const finding = mismatchWith({ ...mismatch, ...more });
  if (!undecided) return finding;
  return trouble === 'client' ? { ...finding, provisional: true } : null;
}

/**
 * The findings for a policy that requires more correspondence than was shown: with a mismatch among them if
 * there is one at all. `assess` itself reports it only if nothing was shown. `more` is added to its evidence.
 */
export function withMismatch(
  assessment: Pick<Assessment, 'findings' | 'mismatch' | 'undecided' | 'trouble'>,
  more: Evidence,
): readonly Finding[] {
  const { findings } = assessment;
  if (findings.some(isMismatch)) return findings;
  const short = mismatchFinding(assessment, more);
  return short === null ? findings : [...findings, short];
}

/**
 * A mismatch needs a name that resolves to something public and a client with an address that is not among
 * it.
 */
function mismatchOf(
  { helo, ip }: Client,
  outcomes: readonly CheckOutcome[],
  checks: readonly Check[],
): Evidence | null {
  if (ip === null) return null;
  for (const { name, resolvesTo } of checks) {
    if (resolvesTo === undefined) continue;
    const told = outcomes.find(({ check, result }) => check === name && result === 'pass');
    const addresses = told?.evidence[resolvesTo];
    if (addresses !== undefined) return { helo: helo.text, addresses };
  }
  return null;
}

function inRegistryOrder(found: readonly Finding[], checks: readonly Check[]): readonly Finding[] {
  if (found.length < 2) return found;
  const { findingPlaces } = listed(checks);
  const seen = new Set<string>();
  return found
    .filter(({ id }) => (seen.has(id) ? false : seen.add(id)))
    .sort(byPlace(findingPlaces, ({ id }) => id));
}
