/**
 * What can be wrong with one of the operator's own checks, in one sentence each: it comes from a module that
 * no compiler has seen.
 */
import {
  DENIALS,
  type FindingSpec,
  type Method,
  PRESETS,
  PROOFS,
  type Weight,
  ZONES,
} from '../core/check.ts';
import { OWN_CONDITIONS } from '../policy/access-conditions.ts';

const BASES: ReadonlySet<unknown> = new Set(['form', 'existence', 'declared', 'inferred', 'local']);
const ID = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/**
 * Methods that begin like this are ours: if somebody else wrote one in our name, it is removed.
 */
const RESULT_METHOD = /^x-helo-[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** `ptype.property` of RFC 8601 §2.2. */
const PROPERTY = /^[a-z]+\.[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** A check, as far as it takes words for itself. */
export interface NamedCheck {
  readonly name: string;
  readonly method?: Method;
}

/** The words that are in use; each can mean only one thing. */
export class TakenWords {
  readonly names = new Set<string>();
  readonly findings = new Set<string>();
  /** Of the access list. */
  readonly conditions = new Set(OWN_CONDITIONS);
  /** Of Authentication-Results. */
  readonly results = new Set<string>();

  constructor(checks: readonly NamedCheck[], findings: readonly string[]) {
    for (const check of checks) this.add(check, []);
    for (const id of findings) this.findings.add(id);
  }

  add({ name, method }: NamedCheck, findings: readonly string[]): void {
    this.names.add(name);
    for (const id of findings) this.findings.add(id);
    if (method?.access !== undefined) this.conditions.add(method.access.key);
    if (method?.results !== undefined) this.results.add(method.results.method);
  }
}

/** What is wrong with a would-be check, or null. */
export function faultOf(value: unknown, taken: TakenWords): string | null {
  const { name, findings, run, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !NAME.test(name)) return 'a check needs a "name" in kebab-case';
  if (taken.names.has(name)) return `there is a check "${name}" already`;
  if (typeof run !== 'function') return `check "${name}" has no function "run"`;
  if (typeof findings !== 'object' || findings === null) return `check "${name}" has no "findings"`;
  const wrong = traitFault(rest, taken);
  if (wrong !== null) return `check "${name}": ${wrong}`;
  for (const [id, spec] of Object.entries(findings)) {
    if (!ID.test(id)) return `check "${name}": the finding id "${id}" is not of the form word-word`;
    if (taken.findings.has(id)) return `check "${name}": there is a finding "${id}" already`;
    const wrong = specFault(spec);
    if (wrong !== null) return `check "${name}", finding "${id}": ${wrong}`;
  }
  return null;
}

/** What the check declares about itself. */
function traitFault(
  { reads, provesCorrespondence, resolvesTo, onlyIfWeighed, method }: Readonly<Record<string, unknown>>,
  taken: TakenWords,
): string | null {
  if (reads !== undefined && !isOneOf(ZONES, reads)) return `"reads" must be ${ZONES.join(' or ')}`;
  for (const [key, value] of Object.entries({ provesCorrespondence, onlyIfWeighed })) {
    if (value !== undefined && typeof value !== 'boolean') return `"${key}" must be true or false`;
  }
  if (resolvesTo !== undefined && !isText(resolvesTo))
    return '"resolvesTo" must say which evidence has the addresses of the name';
  if (method === undefined) return null;
  if (onlyIfWeighed === true)
    return 'it has a "method", which is always asked, so it cannot be "onlyIfWeighed"';
  return methodFault(method, taken);
}

function methodFault(method: unknown, taken: TakenWords): string | null {
  if (!isObject(method)) return '"method" must be an object';
  const { heading, about, access, results } = method;
  if (!isText(heading)) return '"method.heading" must be a text';
  if (!isOneOf(['helo', 'client'], about)) return '"method.about" must be helo or client';
  return (
    (access === undefined ? null : accessFault(access, taken)) ??
    (results === undefined ? null : resultsFault(results, taken))
  );
}

function accessFault(access: unknown, taken: TakenWords): string | null {
  if (!isObject(access)) return '"method.access" must be an object';
  const { key, takes, names } = access;
  if (typeof key !== 'string' || !/^[a-z]+$/.test(key)) {
    return '"method.access.key" must be a word of small letters';
  }
  if (taken.conditions.has(key)) return `access lists have a condition "${key}=" already`;
  if (!isOneOf(['pass', 'name'], takes)) return '"method.access.takes" must be pass or name';
  return takes === 'pass' || isText(names)
    ? null
    : '"method.access.names" must say which evidence has the names';
}

function resultsFault(results: unknown, taken: TakenWords): string | null {
  if (!isObject(results)) return '"method.results" must be an object';
  const { method, property } = results;
  if (typeof method !== 'string' || !RESULT_METHOD.test(method)) {
    return '"method.results.method" must be of the form x-helo-word';
  }
  if (taken.results.has(method)) return `Authentication-Results have a method "${method}" already`;
  return typeof property === 'string' && PROPERTY.test(property)
    ? null
    : '"method.results.property" must be like smtp.helo';
}

function specFault(spec: unknown): string | null {
  if (!isObject(spec)) return 'it is not an object';
  const { basis, weight, rejectCode, tempfailCode, status, ...texts } = spec as Partial<FindingSpec>;
  if (!BASES.has(basis)) return `"basis" must be one of ${[...BASES].join(', ')}`;
  for (const key of ['summary', 'reference', 'reason', 'reply'] as const) {
    if (!isText(texts[key])) return `"${key}" must be a text`;
  }
  if (!isWeight(weight)) return `"weight" must be ${A_WEIGHT}`;
  if (rejectCode !== undefined && !(rejectCode >= 500 && rejectCode <= 599))
    return '"rejectCode" must be 5yz';
  if (tempfailCode !== undefined && !(tempfailCode >= 400 && tempfailCode <= 499)) {
    return '"tempfailCode" must be 4yz';
  }
  if (status !== undefined && !/^\d{1,3}\.\d{1,3}$/.test(status)) return '"status" must be like 7.1';
  if (texts.said !== undefined && !isText(texts.said)) return '"said" must be a text';
  const { replyWith } = texts;
  if (replyWith !== undefined && !(isObject(replyWith) && Object.values(replyWith).every(isText)))
    return '"replyWith" must give a text for names of evidence';
  return declarationFault(spec);
}

/** What the finding declares to policy and stream. */
function declarationFault({
  basis,
  denies,
  aboutClientAlone,
  exclusive,
  mechanism,
  excusedByOptOut,
  excusedByProof,
}: Readonly<Record<string, unknown>>): string | null {
  const denials = DENIALS.join(', ');
  if (basis === 'declared' && denies === undefined) {
    return `basis "declared" needs "denies", one of ${denials}: who says no?`;
  }
  if (denies !== undefined && !isOneOf(DENIALS, denies)) return `"denies" must be one of ${denials}`;
  if (exclusive !== undefined && !(typeof exclusive === 'string' && NAME.test(exclusive))) {
    return '"exclusive" must name a group in kebab-case';
  }
  if (aboutClientAlone !== undefined && !(aboutClientAlone === true && basis === 'inferred')) {
    return '"aboutClientAlone" can only be true, with basis "inferred"';
  }
  if (mechanism !== undefined && mechanism !== true) return '"mechanism" can only be true';
  if (excusedByOptOut !== undefined && excusedByOptOut !== true) return '"excusedByOptOut" can only be true';
  if (excusedByProof === undefined) return null;
  const excuses = isObject(excusedByProof) ? Object.entries(excusedByProof) : [];
  return excuses.length > 0 && excuses.every(([proof, most]) => isOneOf(PROOFS, proof) && isWeight(most))
    ? null
    : `"excusedByProof" must give one or more of ${PROOFS.join(', ')} ${A_WEIGHT}`;
}

const A_WEIGHT = `a number from 0, or one for each of ${PRESETS.join(', ')}`;

function isWeight(weight: unknown): weight is Weight {
  const each: unknown[] = isObject(weight) ? PRESETS.map((preset) => weight[preset]) : [weight];
  return each.every((number) => typeof number === 'number' && Number.isFinite(number) && number >= 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isOneOf(words: readonly unknown[], value: unknown): boolean {
  return words.includes(value);
}
