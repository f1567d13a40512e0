/**
 * An assessment as the cache keeps it: its texts in one string, and a shape that says where they belong,
 * which is one object for all assessments that differ in nothing but their texts. Hosts that are in order
 * look so much alike that a handful of shapes serves nearly all of them, and the garbage collector has little
 * to visit.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import { type Evidence, type Finding, NOTHING } from '../core/check.ts';
import { parseHelo } from '../core/helo.ts';
import type { IpAddress } from '../core/ip.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import type { Packing } from './cache.ts';
import { Kept } from './cache-members.ts';

/** Where a text is: the number of a kept one, and what it has before it: `_auth.` and the like. */
interface Place {
  readonly at: number;
  readonly before: string;
}

type EvidenceShape = readonly (readonly [key: string, value: Place])[];

interface FindingShape extends Omit<Finding, 'evidence'> {
  /** The number of its evidence; -1 where nothing was seen. */
  readonly evidence: number;
}

interface OutcomeShape {
  /** The outcome itself where nothing in it differs from client to client; otherwise what does not. */
  readonly outcome: CheckOutcome;
  /** As in `FindingShape`. */
  readonly evidence: number;
  /** The number of its finding; -1 where it found nothing. */
  readonly finding: number;
}

interface AnswerShape extends Omit<DnsAnswer, 'name' | 'records' | 'ttl' | 'errors' | 'alias'> {
  readonly name: Place;
  readonly records: readonly Place[];
  readonly ttl: Place | null;
  readonly errors: readonly { readonly code: number; readonly text: Place }[] | null;
  readonly alias: Place | null;
  /** Nothing is told about it but name, type, status, records and TTL. */
  readonly isBare: boolean;
}

/** An assessment without its texts. The client is known to whoever asks, but for what it said. */
interface Shape extends Omit<Assessment, 'client' | 'outcomes' | 'findings' | 'mismatch' | 'dns'> {
  /** Pieces of evidence: outcome and finding often have the same. */
  readonly seen: readonly EvidenceShape[];
  /** Findings: those of the assessment are mostly those of its outcomes. */
  readonly found: readonly FindingShape[];
  readonly outcomes: readonly OutcomeShape[];
  readonly findings: readonly number[];
  /** As in `FindingShape`; null where there is no mismatch. */
  readonly mismatch: number | null;
  readonly dns: readonly AnswerShape[];
}

/** A shape, and how many kept assessments have it. */
interface Kind {
  readonly shape: Shape;
  /** The shape as text. */
  readonly key: string;
  readonly bytes: number;
  /** Null if one assessment has it for itself. */
  readonly packer: AssessmentPacker | null;
  users: number;
}

/** Between the texts. Hardly any text has it in itself. */
const END = '\0';
/** Labels before a domain that say what is asked for there. */
const SERVICE = /^(?:_[^.]*\.)+/;
/** What V8 takes for a packed assessment, and for the header and slack of a string or an array's element. */
const OBJECT = 40;
const STRING = 20;
const POINTER = 8;
/** Bytes that a shape takes, for each character of its description: it is kept together with that. */
const BYTES_OF_SHAPE = 4;

export class AssessmentPacker implements Packing<Assessment> {
  readonly #kinds = new Map<string, Kind>();
  /** What the shapes take that more than one assessment may have. */
  bytes = 0;

  /** Once shapes take `room` bytes, an assessment of an unknown one has it for itself. */
  pack(assessment: Assessment, room: number): { packed: Kept<Assessment>; bytes: number } {
    const { shape, texts } = describe(assessment);
    const key = JSON.stringify(shape);
    let kind = this.#kinds.get(key);
    const taken = kind === undefined ? BYTES_OF_SHAPE * key.length : 0;
    const isAlone = this.bytes + taken > room;
    if (kind === undefined) {
      kind = { shape, key, bytes: taken, packer: isAlone ? null : this, users: 0 };
      if (!isAlone) {
        this.#kinds.set(key, kind);
        this.bytes += taken;
      }
    }
    kind.users++;
    const joined = texts.join(END);
    const width = WIDE.test(joined) ? 2 : 1;
    const isPlain = !texts.some((text) => text.includes(END));
    const strings = isPlain ? STRING : texts.length * (STRING + POINTER);
    return {
      packed: new PackedAssessment(kind, isPlain ? joined : texts),
      bytes: OBJECT + strings + width * joined.length + (isAlone ? taken : 0),
    };
  }

  /** Nothing that was packed before is released any more. */
  clear(): void {
    this.#kinds.clear();
    this.bytes = 0;
  }

  release(kind: Kind): void {
    if (--kind.users > 0 || this.#kinds.get(kind.key) !== kind) return;
    this.#kinds.delete(kind.key);
    this.bytes -= kind.bytes;
  }
}

export class PackedAssessment extends Kept<Assessment> {
  readonly #kind: Kind;
  readonly #texts: string | readonly string[];

  constructor(kind: Kind, texts: string | readonly string[]) {
    super();
    this.#kind = kind;
    this.#texts = texts;
  }

  /** The name is what the client said in HELO, in lower case. */
  override isNamed(name: string): boolean {
    const texts = this.#texts;
    if (typeof texts !== 'string') return texts[HELO]?.toLowerCase() === name;
    const end = name.length;
    // Most hosts say it in lower case.
    if (texts.startsWith(name) && !name.includes(END) && (texts.length === end || texts[end] === END))
      return true;
    const [said = ''] = texts.split(END, 1);
    return said.toLowerCase() === name;
  }

  override whole(ip: IpAddress): Assessment {
    const texts = typeof this.#texts === 'string' ? this.#texts.split(END) : this.#texts;
    const { shape } = this.#kind;
    const seen = shape.seen.map((each) => evidenceOf(each, texts));
    const found = shape.found.map((each) => findingOf(each, seen));
    return {
      client: { ip, helo: parseHelo(texts[HELO] ?? '') },
      outcomes: shape.outcomes.map((each) => outcomeOf(each, seen, found)),
      findings: shape.findings.flatMap((at) => found[at] ?? []),
      correspondence: shape.correspondence,
      proofs: shape.proofs,
      optOut: shape.optOut,
      undecided: shape.undecided,
      trouble: shape.trouble,
      mismatch: shape.mismatch === null ? null : (seen[shape.mismatch] ?? NOTHING),
      dns: shape.dns.map((each) => answerOf(each, texts)),
      settled: shape.settled,
    };
  }

  override release(): void {
    this.#kind.packer?.release(this.#kind);
  }
}

/** Characters that make V8 keep a string with two octets for each. */
const WIDE = /[^\0-\xff]/;
/** The place of what the client said in HELO. */
const HELO = 0;

function textAt({ at, before }: Place, texts: readonly string[]): string {
  const text = texts[at] ?? '';
  return before === '' ? text : before + text;
}

function evidenceOf(shape: EvidenceShape, texts: readonly string[]): Evidence {
  const evidence: Record<string, string> = {};
  for (const [key, place] of shape) evidence[key] = textAt(place, texts);
  return evidence;
}

function findingOf(shape: FindingShape, seen: readonly Evidence[]): Finding {
  const { id, evidence, provisional, atWorst, mightBe, mootBy } = shape;
  return {
    id,
    evidence: seen[evidence] ?? NOTHING,
    ...(mightBe === undefined ? {} : { mightBe }),
    ...(provisional === undefined ? {} : { provisional }),
    ...(mootBy === undefined ? {} : { mootBy }),
    ...(atWorst === undefined ? {} : { atWorst }),
  };
}

function outcomeOf(
  { outcome, evidence, finding }: OutcomeShape,
  seen: readonly Evidence[],
  found: readonly Finding[],
): CheckOutcome {
  if (evidence === -1 && finding === -1) return outcome;
  const { check, result, correspondence, optOut } = outcome;
  return {
    check,
    result,
    evidence: seen[evidence] ?? NOTHING,
    finding: found[finding] ?? null,
    correspondence,
    optOut,
  };
}

function answerOf(shape: AnswerShape, texts: readonly string[]): DnsAnswer {
  const { type, status, authenticated, errors, alias, omitted, moot } = shape;
  const name = textAt(shape.name, texts);
  const records = shape.records.length === 0 ? NO_RECORDS : shape.records.map((each) => textAt(each, texts));
  const ttl = shape.ttl === null ? null : Number(textAt(shape.ttl, texts));
  if (shape.isBare) return { name, type, status, records, ttl };
  return {
    ...{ name, type, status, records, ttl },
    ...(authenticated === undefined ? {} : { authenticated }),
    ...(errors === null
      ? {}
      : { errors: errors.map(({ code, text }) => ({ code, text: textAt(text, texts) })) }),
    ...(alias === null ? {} : { alias: textAt(alias, texts) }),
    ...(omitted === undefined ? {} : { omitted }),
    ...(moot === undefined ? {} : { moot }),
  };
}

const NO_RECORDS: readonly string[] = Object.freeze([]);

/** Takes an assessment apart: equal texts are kept once. */
function describe(assessment: Assessment): { readonly shape: Shape; readonly texts: readonly string[] } {
  const { client, outcomes, findings, mismatch, dns, ...rest } = assessment;
  const texts = new Numbered<string>();
  const seen = new Numbered<Evidence>();
  const found = new Numbered<Finding>();
  texts.numberOf(client.helo.text);
  const place = (text: string): Place => {
    const before = SERVICE.exec(text)?.[0] ?? '';
    return { at: texts.numberOf(text.slice(before.length)), before };
  };
  const evidenceNumber = (evidence: Evidence): number => (isEmpty(evidence) ? -1 : seen.numberOf(evidence));
  const outcomeShapes = outcomes.map((outcome): OutcomeShape => {
    const { check, result, evidence, finding, correspondence, optOut } = outcome;
    const isConstant = finding === null && isEmpty(evidence);
    return {
      outcome: isConstant ? outcome : { check, result, correspondence, optOut, ...NOTHING_SEEN },
      evidence: evidenceNumber(evidence),
      finding: finding === null ? -1 : found.numberOf(finding),
    };
  });
  const shape: Shape = {
    ...rest,
    outcomes: outcomeShapes,
    findings: findings.map((finding) => found.numberOf(finding)),
    mismatch: mismatch === null ? null : evidenceNumber(mismatch),
    found: found.all.map((finding) => ({ ...finding, evidence: evidenceNumber(finding.evidence) })),
    seen: seen.all.map((evidence) => Object.entries(evidence).map(([key, value]) => [key, place(value)])),
    dns: dns.map(({ name, records, ttl, errors, alias, ...answer }): AnswerShape => ({
      ...answer,
      name: place(name),
      records: records.map(place),
      ttl: ttl === null ? null : place(String(ttl)),
      errors: errors?.map(({ code, text }) => ({ code, text: place(text) })) ?? null,
      alias: alias === undefined ? null : place(alias),
      isBare: errors === undefined && alias === undefined && Object.keys(answer).length === PLAIN_MEMBERS,
    })),
  };
  return { shape, texts: texts.all };
}

const NOTHING_SEEN = { evidence: NOTHING, finding: null };
/** Type and status. */
const PLAIN_MEMBERS = 2;

function isEmpty(evidence: Evidence): boolean {
  return Object.keys(evidence).length === 0;
}

/** Things in the order in which they are met, each once. */
class Numbered<T> {
  readonly all: T[] = [];
  readonly #numbers = new Map<T, number>();

  numberOf(thing: T): number {
    let number = this.#numbers.get(thing);
    if (number === undefined) {
      number = this.all.push(thing) - 1;
      this.#numbers.set(thing, number);
    }
    return number;
  }
}
