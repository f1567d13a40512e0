/**
 * An assessment as text for the store, and back. What is read may have been written by anybody: it must be of
 * the client and name that were asked for, of the same checks, and whole; otherwise it counts as absent.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import {
  type Check,
  CORRESPONDENCES,
  type Evidence,
  type Finding,
  NOTHING,
  PROOFS,
  RESULTS,
  ZONES,
} from '../core/check.ts';
import type { Client } from '../core/client.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { Members, RecordError } from '../decisions/members.ts';

/** Octets; a larger assessment is not shared. */
export const MAX_SHARED_TEXT = 16_384;
const STATUSES = ['found', 'nodata', 'nxdomain', 'temperror'] as const;

/** Null for one that is too large. */
export function assessmentText(assessment: Assessment): string | null {
  const { client, outcomes, findings, ...rest } = assessment;
  const shown = outcomes.map(({ finding, evidence, ...outcome }) => ({
    ...outcome,
    ...(evidence === NOTHING ? {} : { evidence }),
    ...(finding === null ? {} : { finding: unlike(finding, evidence) }),
  }));
  const found = findings.map((each) => unlike(each, evidenceOf(outcomes, each.id)));
  // Members that are undefined are left out.
  const parts = { about: aboutText(client), outcomes: shown, findings: found, ...rest, settled: undefined };
  const text = JSON.stringify(parts);
  return Buffer.byteLength(text) > MAX_SHARED_TEXT ? null : text;
}

/** Null if it is not one of this client and these checks. */
export function readAssessmentText(
  text: string,
  client: Client,
  checks: readonly Check[],
): Assessment | null {
  try {
    const given = Members.parse(text);
    if (given.text('about') !== aboutText(client)) return null;
    const ids = new Set(checks.flatMap(({ findings }) => Object.keys(findings)));
    const outcomes = given.objects('outcomes').map((each) => outcomeOf(each));
    const assessment: Assessment = {
      client,
      outcomes,
      findings: given.objects('findings').map((each) => {
        return findingOf(each, evidenceOf(outcomes, each.text('id')));
      }),
      correspondence: given.word('correspondence', CORRESPONDENCES),
      proofs: proofWords(given, 'proofs') ?? [],
      optOut: given.flag('optOut'),
      undecided: given.flag('undecided'),
      trouble: given.word('trouble', [...ZONES, null] as const, null),
      mismatch: given.maybeObject('mismatch') === null ? null : given.evidence('mismatch'),
      dns: given.objects('dns').map(answerOf),
      settled: false,
    };
    const names = outcomes.map(({ check }) => check).join();
    const found = [...assessment.findings, ...outcomes.flatMap(({ finding }) => finding ?? [])];
    const isOurs = names === checks.map(({ name }) => name).join();
    return isOurs && found.every(({ id }) => ids.has(id)) ? assessment : null;
  } catch (error) {
    if (error instanceof RecordError) return null;
    throw error;
  }
}

function aboutText({ ip, helo }: Client): string {
  return `${ip?.text ?? ''} ${helo.text.toLowerCase()}`;
}

/** Evidence that is that of the outcome is written once. */
function unlike(finding: Finding, evidence: Evidence): Omit<Finding, 'evidence'> {
  const { evidence: own, ...rest } = finding;
  return own === evidence ? rest : finding;
}

function evidenceOf(outcomes: readonly CheckOutcome[], id: string): Evidence {
  return outcomes.find(({ finding }) => finding?.id === id)?.evidence ?? NOTHING;
}

function outcomeOf(given: Members): CheckOutcome {
  const evidence = given.has('evidence') ? given.evidence('evidence') : NOTHING;
  const finding = given.maybeObject('finding');
  return {
    check: given.text('check'),
    result: given.word('result', RESULTS),
    evidence,
    finding: finding === null ? null : findingOf(finding, evidence),
    correspondence: given.word('correspondence', CORRESPONDENCES),
    optOut: given.flag('optOut'),
  };
}

function findingOf(given: Members, evidence: Evidence): Finding {
  const atWorst = given.texts('atWorst');
  const mootBy = proofWords(given, 'mootBy');
  return {
    id: given.text('id'),
    evidence: given.has('evidence') ? given.evidence('evidence') : evidence,
    ...(given.flag('provisional') ? { provisional: true as const } : {}),
    ...(atWorst === null ? {} : { atWorst }),
    ...(mootBy === null ? {} : { mootBy }),
  };
}

function proofWords(given: Members, name: string): Assessment['proofs'] | null {
  const words = given.texts(name);
  if (words === null) return null;
  const known = PROOFS.filter((proof) => words.includes(proof));
  if (known.length < words.length) throw new RecordError(`"${name}" has a word that is unknown`);
  return known;
}

function answerOf(given: Members): DnsAnswer {
  const errors = given.objects('errors');
  const alias = given.maybe('alias');
  const omitted = given.number('omitted', 0);
  return {
    name: given.text('name'),
    type: given.text('type') as DnsAnswer['type'],
    status: given.word('status', STATUSES),
    records: given.texts('records') ?? [],
    ttl: given.maybeNumber('ttl'),
    ...(given.flag('authenticated') ? { authenticated: true as const } : {}),
    ...(errors.length === 0
      ? {}
      : { errors: errors.map((each) => ({ code: each.number('code'), text: each.text('text') })) }),
    ...(alias === null ? {} : { alias }),
    ...(omitted === 0 ? {} : { omitted }),
    ...(given.flag('moot') ? { moot: true as const } : {}),
  };
}
