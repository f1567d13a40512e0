/**
 * How much memory an assessment takes as it is, not packed: an estimate from what V8 uses for objects and
 * strings, right to within a half (measured by the test). It need not be exact, but nothing that a stranger
 * writes may fool it.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import { type Evidence, NOTHING } from '../core/check.ts';
import type { IpAddress } from '../core/ip.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';

/** Header and slack of a string; of an object or array with its few fields. */
const STRING = 20;
const OBJECT = 64;
/** A name and its value in an object, or an element of an array. */
const SLOT = 8;
/** The assessment itself, its lists, and the HELO as it was read. */
const ASSESSMENT = 400;

export function assessmentBytes({ client, outcomes, findings, mismatch, dns }: Assessment): number {
  let bytes = ASSESSMENT + 3 * textBytes(client.helo.text);
  if (client.ip !== null) bytes += addressBytes(client.ip);
  bytes += SLOT * (outcomes.length + findings.length + dns.length);
  const seen = new Set<Evidence>();
  for (const outcome of outcomes) bytes += outcomeBytes(outcome, seen);
  if (mismatch !== null) bytes += evidenceBytes(mismatch, seen);
  for (const { evidence } of findings) bytes += evidenceBytes(evidence, seen);
  for (const answer of dns) bytes += answerBytes(answer);
  return bytes;
}

function addressBytes({ text, bytes }: IpAddress): number {
  return OBJECT + SLOT * bytes.length + textBytes(text);
}

/** Outcomes that say nothing are shared by all. */
function outcomeBytes({ evidence, finding }: CheckOutcome, seen: Set<Evidence>): number {
  if (evidence === NOTHING && finding === null) return 0;
  return OBJECT + evidenceBytes(evidence, seen) + (finding === null ? 0 : OBJECT / 2);
}

function evidenceBytes(evidence: Evidence, seen: Set<Evidence>): number {
  if (evidence === NOTHING || seen.has(evidence)) return 0;
  seen.add(evidence);
  let bytes = OBJECT;
  for (const text of Object.values(evidence)) bytes += SLOT + textBytes(text);
  return bytes;
}

function answerBytes({ name, records, errors = [] }: DnsAnswer): number {
  let bytes = OBJECT + textBytes(name);
  for (const { text } of errors) bytes += OBJECT + textBytes(text);
  if (records.length > 0) bytes += OBJECT / 2;
  for (const text of records) bytes += SLOT + textBytes(text);
  return bytes;
}

/** HELO and DNS texts have one octet per character, and V8 keeps them so. */
function textBytes(text: string): number {
  return STRING + text.length;
}
