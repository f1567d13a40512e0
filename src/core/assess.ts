/**
 * Assesses one (client, HELO): runs the checks side by side over one remembered and bounded view of DNS, and
 * draws from their outcomes what no single check can say: the correspondence, and whether it stayed
 * undecided.
 */
import {
  atLeast,
  type Check,
  type Correspondence,
  type Evidence,
  type Finding,
  NO_PROOFS,
  none,
  type Outcome,
  pass,
  type Proof,
  PROOFS,
  type Zone,
} from './check.ts';
import { findingsOf } from './checks/index.ts';
import { isMismatch, mismatch as mismatchWith } from './checks/mismatch.ts';
import type { SessionCheck, SessionFacts } from './checks/session.ts';
import { isUnknown } from './checks/unknown.ts';
import type { Client } from './client.ts';
import { queryName } from './helo.ts';
import { keptText } from './kept-text.ts';
import { type DnsAnswer, recordingResolver } from './recording-resolver.ts';
import type { Resolver } from './resolver.ts';
import { runCheck } from './run-check.ts';
import { bounded } from './unknowns.ts';

export interface Assessment {
  readonly client: Client;
  /** One outcome for each check, in registry order. */
  readonly outcomes: readonly CheckOutcome[];
  /** What is wrong, in registry order; `dns-temperror` at most once. */
  readonly findings: readonly Finding[];
  readonly correspondence: Correspondence;
  /** Everything that was shown about the client, strongest first. */
  readonly proofs: readonly Proof[];
  /** The client gave its own address, or the name's owner says that it cannot be identified yet. */
  readonly optOut: boolean;
  /** A method that could have shown more correspondence met DNS trouble. */
  readonly undecided: boolean;
  /**
   * Whose zones left something unknown: `client` where only the client's own did, `owner` where those of the
   * name's owner did; null where everything was answered. Only trouble on the owner's side excuses the name.
   */
  readonly trouble: Zone | null;
  /**
   * Evidence for a mismatch, whatever a policy makes of it: set where the name resolves but not to the
   * client.
   */
  readonly mismatch: Evidence | null;
  /** Every question asked, in order, with what came back. */
  readonly dns: readonly DnsAnswer[];
  /** The text alone decided and DNS was not asked: enough for this policy, not for another. */
  readonly settled: boolean;
}

/** What a check concluded, without what the assessment says about all checks together. */
export type CheckOutcome = Omit<Outcome, 'proofs' | 'foreign'> & { readonly check: string };

type ToldOutcome = Outcome & { readonly check: string };

/** Told of a check that threw; the session goes on as if the check had nothing to say. */
export type OnCheckError = (check: string, error: unknown) => void;

/**
 * Whether these findings of the text alone decide, so that nothing DNS could say would change the verdict.
 */
export type Settles = (findings: readonly Finding[]) => boolean;

export interface AssessOptions {
  readonly resolver: Resolver;
  readonly checks: readonly Check[];
  readonly onCheckError: OnCheckError;
  /** By default none decide. */
  readonly settles?: Settles | undefined;
}

/**
 * The checks of the text alone come first: where they settle the verdict, DNS is not asked at all, and the
 * assessment is `settled`. Everything else runs side by side.
 */
export async function assess(
  client: Client,
  { resolver, checks, onCheckError, settles = () => false }: AssessOptions,
): Promise<Assessment> {
  const { resolver: recorded, reverse, answers } = recordingResolver(resolver);
  const runOne = async (check: Check): Promise<ToldOutcome> => {
    try {
      const outcome = await runCheck(check, client, check.reads === 'client' ? reverse : recorded);
      return named(check.name, kept(outcome));
    } catch (error) {
      onCheckError(check.name, error);
      return { check: check.name, ...none({ detail: 'the check failed' }) };
    }
  };
  const formal = await Promise.all(checks.filter(isFormal).map(runOne));
  const early = formal.flatMap(({ finding }) => (finding === null ? [] : [finding]));
  if (early.length > 0 && settles(early)) return { ...conclude(client, formal, checks, []), settled: true };
  const rest = await Promise.all(checks.filter((check) => !isFormal(check)).map(runOne));
  const order = checks.map(({ name }) => name);
  const outcomes = [...formal, ...rest].sort((a, b) => order.indexOf(a.check) - order.indexOf(b.check));
  return conclude(client, outcomes, checks, answers());
}

/** The outcomes that hold nothing about a client, by check: shared, as those of `check.ts` are. */
const plain = new Map<Outcome, Map<string, ToldOutcome>>([
  [pass(), new Map()],
  [none(), new Map()],
]);

function named(check: string, outcome: Outcome): ToldOutcome {
  const shared = plain.get(outcome);
  const known = shared?.get(check);
  if (known !== undefined) return known;
  const { result, evidence, finding, correspondence, optOut, proofs, foreign } = outcome;
  const whole: ToldOutcome = {
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
const MAX_EVIDENCE = 4096;

/** The outcome, cut to what is kept. */
function kept(outcome: Outcome): Outcome {
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
  return Object.fromEntries(entries.map(([name, value]) => [name, keptText(value, MAX_EVIDENCE)]));
}

/** Whether a check looks at the text alone: its findings say so. */
function isFormal({ findings }: Check): boolean {
  const specs = Object.values(findings);
  return specs.length > 0 && specs.every(({ basis }) => basis === 'form');
}

/** The assessment with what the session checks add to it. */
export function withSession<Facts = SessionFacts>(
  assessment: Assessment,
  facts: Facts,
  checks: readonly SessionCheck<string, Facts>[],
): Assessment {
  const outcomes = assessment.outcomes.slice();
  const found: Finding[] = [];
  for (const check of checks) {
    const outcome = named(check.name, check.run(assessment.client, facts, assessment.correspondence));
    outcomes.push(outcome);
    if (outcome.finding !== null) found.push(outcome.finding);
  }
  if (found.length === 0) return { ...assessment, outcomes };
  const trouble = assessment.findings.filter(isUnknown);
  const others = assessment.findings.filter((finding) => !isUnknown(finding));
  return { ...assessment, outcomes, findings: [...others, ...found, ...trouble] };
}

function conclude(
  client: Client,
  told: readonly ToldOutcome[],
  checks: readonly Check[],
  dns: readonly DnsAnswer[],
): Assessment {
  const isForeign = told.some(({ foreign }) => foreign === true);
  const outcomes = told.map((outcome) => withoutClaims(outcome, isForeign));
  const correspondence = outcomes.reduce<Correspondence>(
    (best, outcome) => (atLeast(outcome.correspondence, best) ? outcome.correspondence : best),
    'none',
  );
  const provers = new Set(
    checks.filter((check) => check.provesCorrespondence === true).map(({ name }) => name),
  );
  const undecided = outcomes.some(({ check, result }) => result === 'temperror' && provers.has(check));
  const proofs = proofsOf(told);
  const trouble = troubleOf(outcomes, checks);
  const mismatch = correspondence === 'exact' ? null : mismatchOf(client, outcomes, checks);
  const found = outcomes.flatMap(({ finding }) => (finding === null ? [] : [finding]));
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
function withoutClaims(told: ToldOutcome, isForeign: boolean): CheckOutcome {
  const { proofs, foreign, ...outcome } = told;
  if (isForeign && outcome.correspondence === 'near') return { ...outcome, correspondence: 'none' };
  // Most outcomes have neither, and are shared by all assessments.
  return proofs === undefined && foreign === undefined ? told : outcome;
}

/**
 * Strongest first. `exact` and `authorized` prove what they say; an `aligned` correspondence may rest on a
 * name that any customer's line has, so its check has to say whether it is a proof as well.
 */
function proofsOf(outcomes: readonly ToldOutcome[]): readonly Proof[] {
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
    ({ result, finding }) => result === 'temperror' || (finding !== null && isUnknown(finding)),
  );
  if (ill.length === 0) return null;
  const readers = new Map(checks.map(({ name, reads }) => [name, reads]));
  return ill.every(({ check }) => readers.get(check) === 'client') ? 'client' : 'owner';
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

function inRegistryOrder(found: readonly Finding[], checks: readonly Check[]): Finding[] {
  const order = [...findingsOf(checks).keys()];
  const seen = new Set<string>();
  return found
    .filter(({ id }) => (seen.has(id) ? false : seen.add(id)))
    .sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}
