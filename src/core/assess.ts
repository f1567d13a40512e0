/**
 * Assesses one (client, HELO): runs the checks side by side over one remembered and bounded view of DNS, and
 * concludes from their outcomes (`conclude.ts`).
 */
import type { Assessment } from './assessment.ts';
import { type Check, type Finding, none, type Outcome } from './check.ts';
import type { SessionCheck, SessionFacts } from './checks/session.ts';
import { isUnknown } from './checks/unknown.ts';
import type { Client } from './client.ts';
import { conclude } from './conclude.ts';
import { keptOutcome, namedOutcome, type NamedOutcome } from './kept-outcome.ts';
import { recordingResolver } from './recording-resolver.ts';
import type { Resolver } from './resolver.ts';
import { runCheck } from './run-check.ts';

/** Told of a check that threw; the session goes on as if the check had nothing to say. */
export type OnCheckError = (check: string, error: unknown) => void;

/**
 * Whether these findings of the text alone decide, so that nothing DNS could say would change the verdict.
 */
export type Settles = (findings: readonly Finding[]) => boolean;

/** What an assessment asks, and whom it tells of faults. */
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
  const failed = (check: Check, error: unknown): NamedOutcome => {
    onCheckError(check.name, error);
    return { check: check.name, ...none({ detail: 'the check failed' }) };
  };
  const runOne = (check: Check): NamedOutcome | Promise<NamedOutcome> => {
    const named = (outcome: Outcome): NamedOutcome => namedOutcome(check.name, keptOutcome(outcome));
    try {
      const outcome = runCheck(check, client, check.reads === 'client' ? reverse : recorded);
      if (!(outcome instanceof Promise)) return named(outcome);
      return outcome.then(named).catch((error: unknown) => failed(check, error));
    } catch (error) {
      return failed(check, error);
    }
  };
  const { formal, others } = planOf(checks);
  const told = new Map<Check, NamedOutcome>();
  await runAll(formal, runOne, told);
  const read = formal.flatMap((check) => told.get(check) ?? []);
  const early = read.flatMap(({ finding }) => (finding === null ? [] : [finding]));
  if (early.length > 0 && settles(early)) return { ...conclude(client, read, checks, []), settled: true };
  await runAll(others, runOne, told);
  const outcomes = checks.flatMap((check) => told.get(check) ?? []);
  return conclude(client, outcomes, checks, answers());
}

/** Runs them side by side, and waits only for those that are not done at once: most look at a text. */
async function runAll(
  checks: readonly Check[],
  runOne: (check: Check) => NamedOutcome | Promise<NamedOutcome>,
  told: Map<Check, NamedOutcome>,
): Promise<void> {
  const open: Promise<unknown>[] = [];
  for (const check of checks) {
    const outcome = runOne(check);
    if (outcome instanceof Promise) open.push(outcome.then((named) => told.set(check, named)));
    else told.set(check, outcome);
  }
  if (open.length > 0) await Promise.all(open);
}

/** The checks of the text alone, and the others. */
interface Plan {
  readonly formal: readonly Check[];
  readonly others: readonly Check[];
}

const plans = new WeakMap<readonly Check[], Plan>();

function planOf(checks: readonly Check[]): Plan {
  let plan = plans.get(checks);
  if (plan === undefined) {
    plan = { formal: checks.filter(isFormal), others: checks.filter((check) => !isFormal(check)) };
    plans.set(checks, plan);
  }
  return plan;
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
    const outcome = namedOutcome(check.name, check.run(assessment.client, facts, assessment.correspondence));
    outcomes.push(outcome);
    if (outcome.finding !== null) found.push(outcome.finding);
  }
  if (found.length === 0) return { ...assessment, outcomes };
  const trouble = assessment.findings.filter(isUnknown);
  const others = assessment.findings.filter((finding) => !isUnknown(finding));
  return { ...assessment, outcomes, findings: [...others, ...found, ...trouble] };
}
