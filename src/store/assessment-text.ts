/**
 * An assessment as text for the store, and back. What is read may have been written by anybody: it must be of
 * the client and name that were asked for, of the same checks, whole, and of our making; otherwise it counts
 * as absent. What is concluded from the outcomes is not believed but concluded again.
 *
 * Only what speaks for a client is shared: the name leads to it, nothing was found, and nothing is unknown.
 * So a forged one can let mail in, and is no reason to refuse it.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import {
  type Check,
  CORRESPONDENCES,
  type Evidence,
  NOTHING,
  type Proof,
  type Result,
  RESULTS,
} from '../core/check.ts';
import type { Client } from '../core/client.ts';
import { conclude } from '../core/conclude.ts';
import { KEPT_OF_EVIDENCE, namedOutcome, type NamedOutcome } from '../core/kept-outcome.ts';
import {
  type DnsAnswer,
  KEPT_ERRORS,
  KEPT_OF_ERROR,
  KEPT_OF_RECORD,
  QUERY_BUDGET,
  REVERSE_BUDGET,
} from '../core/recording-resolver.ts';
import { RECORD_TYPES } from '../core/resolver.ts';
import { Members, RecordError } from '../decisions/members.ts';

/** Octets; a larger assessment is not shared. */
export const MAX_SHARED_TEXT = 16_384;
/** Results that say nothing against a client, of checks that found nothing. */
const HARMLESS: readonly Result[] = ['pass', 'neutral', 'none'];
const STATUSES = ['found', 'nodata', 'nxdomain'] as const;
/** Characters of a name, and of the word for a piece of evidence. */
const MAX_NAME = 255;
const MAX_KEY = 64;
/** What the reverse name of a client shows besides; the others follow from the correspondence. */
const REVERSE_PROOFS: readonly Proof[] = ['aligned', 'reverse'];

/** Whether hosts share it. */
function isShareable({ findings, outcomes, correspondence, trouble, settled, dns }: Assessment): boolean {
  return (
    correspondence === 'exact' &&
    trouble === null &&
    !settled &&
    findings.length === 0 &&
    outcomes.every(({ finding, result }) => finding === null && HARMLESS.includes(result)) &&
    dns.every(({ status }) => status !== 'temperror')
  );
}

/** Null for one that is not shared, or is too large. */
export function assessmentText(assessment: Assessment): string | null {
  if (!isShareable(assessment)) return null;
  const { client, outcomes, proofs, dns } = assessment;
  const shown = outcomes.map(({ check, result, evidence, correspondence, optOut }) => ({
    ...{ check, result, correspondence, optOut },
    ...(evidence === NOTHING ? {} : { evidence }),
  }));
  const reverse = proofs.filter((proof) => REVERSE_PROOFS.includes(proof));
  const text = JSON.stringify({ about: aboutText(client), outcomes: shown, proofs: reverse, dns });
  return Buffer.byteLength(text) > MAX_SHARED_TEXT ? null : text;
}

/** Null if it is not one that we share, of this client and these checks. */
export function readAssessmentText(
  text: string,
  client: Client,
  checks: readonly Check[],
): Assessment | null {
  if (text.length > MAX_SHARED_TEXT) return null;
  try {
    const given = Members.parse(text);
    if (given.text('about') !== aboutText(client)) return null;
    const outcomes = outcomesOf(given, checks);
    const proofs = proofsOf(given);
    const dns = given.objects('dns').map(answerOf);
    if (outcomes === null || dns.length > QUERY_BUDGET + REVERSE_BUDGET) return null;
    const told = proofs.length === 0 ? outcomes : withProofs(outcomes, proofs, checks);
    if (told === null) return null;
    const assessment = conclude(client, told, checks, dns);
    return isShareable(assessment) ? assessment : null;
  } catch (error) {
    if (error instanceof RecordError) return null;
    throw error;
  }
}

function aboutText({ ip, helo }: Client): string {
  return `${ip?.text ?? ''} ${helo.text.toLowerCase()}`;
}

/** Null unless there is one for each check, in order, and none that shows what its check cannot. */
function outcomesOf(given: Members, checks: readonly Check[]): readonly CheckOutcome[] | null {
  const outcomes = given.objects('outcomes').map(outcomeOf);
  const isOurs =
    outcomes.length === checks.length &&
    outcomes.every(({ check, correspondence }, i) => {
      const made = checks[i];
      const shows = made?.provesCorrespondence === true || correspondence === 'none';
      return made?.name === check && shows;
    });
  return isOurs ? outcomes : null;
}

function outcomeOf(given: Members): CheckOutcome {
  const outcome = {
    result: given.word('result', RESULTS),
    evidence: given.has('evidence') ? evidenceOf(given) : NOTHING,
    finding: null,
    correspondence: given.word('correspondence', CORRESPONDENCES),
    optOut: given.flag('optOut'),
  };
  return namedOutcome(given.text('check'), outcome);
}

function evidenceOf(given: Members): Evidence {
  const evidence = given.evidence('evidence');
  for (const [key, value] of Object.entries(evidence))
    if (key.length > MAX_KEY || value.length > KEPT_OF_EVIDENCE)
      throw new RecordError('"evidence" is too long');
  return evidence;
}

function proofsOf(given: Members): readonly Proof[] {
  const words = given.texts('proofs') ?? [];
  const known = REVERSE_PROOFS.filter((proof) => words.includes(proof));
  if (known.length < words.length) throw new RecordError('"proofs" has a word that is unknown');
  return known;
}

/** With the proofs where they came from; null if no check of the client's own zones passed. */
function withProofs(
  outcomes: readonly CheckOutcome[],
  proofs: readonly Proof[],
  checks: readonly Check[],
): readonly NamedOutcome[] | null {
  const from = outcomes.findIndex(({ result }, i) => {
    const check = checks[i];
    return result === 'pass' && check?.provesCorrespondence === true && check.reads === 'client';
  });
  return from < 0 ? null : outcomes.map((outcome, i) => (i === from ? { ...outcome, proofs } : outcome));
}

function answerOf(given: Members): DnsAnswer {
  const status = given.word('status', STATUSES);
  const errors = given.objects('errors').map((each) => ({
    code: natural(each, 'code'),
    text: short(each, 'text', KEPT_OF_ERROR),
  }));
  const records = given.texts('records') ?? [];
  const isLong = records.some(({ length }) => length > KEPT_OF_RECORD);
  if (isLong || errors.length > KEPT_ERRORS || (records.length > 0 && status !== 'found'))
    throw new RecordError('the answer is not one that is kept');
  const omitted = given.has('omitted') ? natural(given, 'omitted') : 0;
  return {
    name: short(given, 'name', MAX_NAME),
    type: given.word('type', RECORD_TYPES),
    status,
    records,
    ttl: given.maybeNumber('ttl') === null ? null : natural(given, 'ttl'),
    ...(given.flag('authenticated') ? { authenticated: true as const } : {}),
    ...(errors.length === 0 ? {} : { errors }),
    ...(given.has('alias') ? { alias: short(given, 'alias', MAX_NAME) } : {}),
    ...(omitted === 0 ? {} : { omitted }),
  };
}

function short(given: Members, name: string, most: number): string {
  const text = given.text(name);
  if (text.length > most) throw new RecordError(`"${name}" is too long`);
  return text;
}

/** A whole number, not negative. */
function natural(given: Members, name: string): number {
  const value = given.number(name);
  if (!Number.isSafeInteger(value) || value < 0) throw new RecordError(`"${name}" is not a count`);
  return value;
}
