/**
 * Assesses one (client, HELO): runs the checks side by side over one remembered and bounded view of DNS, and
 * concludes from their outcomes (`conclude.ts`).
 */
import type { Assessment } from './assessment.ts';
import { type Check, type Finding, none, type Outcome } from './check.ts';
import { byPlace, listed } from './check-list.ts';
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
  const runOne = (check: Check): NamedOutcome | Promise<NamedOutcome> => {
    const told = (outcome: Outcome): NamedOutcome => namedOutcome(check.name, keptOutcome(outcome));
    const failed = (error: unknown): NamedOutcome => {
      onCheckError(check.name, error);
      return { check: check.name, ...none({ detail: 'the check failed' }) };
    };
    try {
      const outcome = runCheck(check, client, check.reads === 'client' ? reverse : recorded, reverse);
      return outcome instanceof Promise ? outcome.then(told).catch(failed) : told(outcome);
    } catch (error) {
      return failed(error);
    }
  };
  const list = listed(checks);
  const formal = await wholeOf(list.formal.map(runOne));
  const early = formal.flatMap(({ finding }) => (finding === null ? [] : [finding]));
  if (early.length > 0 && settles(early)) return { ...conclude(client, formal, checks, []), settled: true };
  const rest = await wholeOf(list.others.map(runOne));
  const outcomes = [...formal, ...rest].sort(byPlace(list.places, ({ check }) => check));
  return conclude(client, outcomes, checks, answers());
}

/** All answers, of which some are there at once. None of the promises may reject. */
async function wholeOf<T>(answers: readonly (T | Promise<T>)[]): Promise<readonly T[]> {
  const whole: T[] = [];
  for (const answer of answers) whole.push(answer instanceof Promise ? await answer : answer);
  return whole;
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
