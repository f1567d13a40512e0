/**
 * Reads an assessment back from a record of the decision log: as it is cached, without what was found in the
 * session and in the message.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import {
  atLeast,
  type Check,
  type Correspondence,
  CORRESPONDENCES,
  type Finding,
  NOTHING,
  type Proof,
  PROOFS,
  RESULTS,
  ZONES,
} from '../core/check.ts';
import { asNeighbour } from '../core/checks/address.ts';
import { messageChecks, sessionChecks } from '../core/checks/index.ts';
import { makeClient } from '../core/client.ts';
import type { Members } from './members.ts';
import { readAnswers, readOldAnswer } from './recorded-answers.ts';

/** The findings and checks of the session and of the message, which are run afresh. */
const FRESH = [...sessionChecks, ...messageChecks];
const FRESH_CHECKS: ReadonlySet<string> = new Set(FRESH.map(({ name }) => name));
const FRESH_IDS: ReadonlySet<string> = new Set(FRESH.flatMap(({ findings }) => Object.keys(findings)));

/** Of the record that it stands in. */
export interface AboutRecord {
  readonly client: string | null;
  readonly helo: string;
  readonly version: number;
}

/** Those of the session and of the message, which are not part of the assessment. */
export function freshFindings(evidence: ReadonlyMap<string, Members>): Finding[] {
  return [...evidence.keys()]
    .filter((id) => FRESH_IDS.has(id))
    .map((id) => readFinding(id, evidence.get(id)));
}

function readFinding(id: string, finding: Members | undefined): Finding {
  const atWorst = finding?.texts('atWorst') ?? null;
  const mightBe = finding?.texts('mightBe') ?? null;
  return {
    id,
    evidence: finding?.evidence('evidence') ?? NOTHING,
    ...(finding?.flag('provisional') === true ? { provisional: true as const } : {}),
    ...(atWorst === null ? {} : { atWorst }),
    ...(mightBe === null ? {} : { mightBe }),
  };
}

/**
 * `checks` are those that are known today, `evidence` the findings of the record by id. Throws RecordError.
 */
export function readAssessment(
  judged: Members,
  { client, helo, version }: AboutRecord,
  checks: readonly Check[],
  evidence: ReadonlyMap<string, Members>,
): Assessment {
  const told = (id: string): Finding => readFinding(id, evidence.get(id));
  const given = judged.object('assessment');
  const made = given
    .objects('outcomes')
    .filter((each) => !FRESH_CHECKS.has(each.text('check')))
    .map(readOutcome)
    .map((outcome) => (version === 1 ? asNeighbour(outcome) : outcome));
  const ids = given.texts('findings') ?? judged.objects('findings').map((each) => each.text('id'));
  const trouble = given.word('trouble', [...ZONES, null] as const, null);
  const mismatch = given.maybeObject('mismatch');
  const correspondence = given.word('correspondence', CORRESPONDENCES);
  return {
    client: makeClient(client, helo),
    outcomes: inOrder(made, given.texts('passed') ?? [], checks),
    findings: ids.filter((id) => !FRESH_IDS.has(id)).map(told),
    correspondence: version === 1 ? strongest(made, correspondence) : correspondence,
    proofs: (given.texts('proofs') ?? []).filter(isProof),
    optOut: given.flag('optOut'),
    undecided: given.flag('undecided'),
    trouble,
    mismatch: mismatch === null ? null : given.evidence('mismatch'),
    dns: version === 1 ? judged.objects('dns').map(readOldAnswer) : readAnswers(judged.object('dns')),
    settled: given.flag('settled'),
  };
}

function readOutcome(outcome: Members): CheckOutcome {
  const id = outcome.maybe('finding');
  const evidence = outcome.evidence('evidence');
  return {
    check: outcome.text('check'),
    result: outcome.word('result', RESULTS),
    evidence,
    finding: id === null ? null : { id, evidence },
    correspondence: outcome.word('correspondence', CORRESPONDENCES, 'none'),
    optOut: outcome.flag('optOut'),
  };
}

/** The outcome of a check that found nothing at all. */
const plain = (check: string, result: 'pass' | 'none'): CheckOutcome => ({
  check,
  result,
  evidence: NOTHING,
  finding: null,
  correspondence: 'none',
  optOut: false,
});

type Plain = Readonly<Record<'pass' | 'none', CheckOutcome>>;

/** Most checks found nothing in most records, which share these outcomes. */
const PLAIN = new WeakMap<readonly Check[], ReadonlyMap<string, Plain>>();

function plainOf(checks: readonly Check[]): ReadonlyMap<string, Plain> {
  const made =
    PLAIN.get(checks) ??
    new Map(checks.map(({ name }) => [name, { pass: plain(name, 'pass'), none: plain(name, 'none') }]));
  PLAIN.set(checks, made);
  return made;
}

/** An outcome for every check that is known today, and the outcomes of checks that no longer exist. */
function inOrder(
  made: readonly CheckOutcome[],
  passed: readonly string[],
  checks: readonly Check[],
): CheckOutcome[] {
  const known = plainOf(checks);
  return [
    ...Array.from(
      known,
      ([name, { pass, none }]) =>
        made.findLast(({ check }) => check === name) ?? (passed.includes(name) ? pass : none),
    ),
    ...made.filter(({ check }) => !known.has(check)),
    ...passed.filter((check) => !known.has(check)).map((check) => plain(check, 'pass')),
  ];
}

/** A neighbour that counted as `aligned` then does not make the whole assessment `aligned` now. */
function strongest(outcomes: readonly CheckOutcome[], recorded: Correspondence): Correspondence {
  if (recorded !== 'aligned') return recorded;
  return outcomes.reduce<Correspondence>(
    (best, outcome) => (atLeast(outcome.correspondence, best) ? outcome.correspondence : best),
    'none',
  );
}

function isProof(word: string): word is Proof {
  return (PROOFS as readonly string[]).includes(word);
}
