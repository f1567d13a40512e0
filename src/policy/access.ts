/**
 * The access list: who is let through and who is refused, whatever the checks say. A name can be forged, so
 * an `allow` is tied to proof: an address, or what a check shows (SPF, a verified reverse name).
 *
 *     allow mail.example.org    ip=192.0.2.0/24  until=2027-01-31  # until they have fixed their DNS
 *     allow .example.net        ptr=.example.net
 *     allow *                   ip=198.51.100.0/22
 *     deny  *.dyn.example.com   text="no mail from access lines"
 *
 * The first line that matches, with its proof, decides.
 */
import type { Assessment } from '../core/assessment.ts';
import type { Check } from '../core/check.ts';
import { canonicalName, isQueryName } from '../core/domain.ts';
import { parseHelo } from '../core/helo.ts';
import {
  type IpAddress,
  type IpPrefix,
  networkText,
  parsePrefix,
  prefixContains,
  sameIp,
} from '../core/ip.ts';
import { Faults, FileError, UsageError } from '../errors.ts';
import { type Conditions, conditionsOf, OWN_CONDITIONS, type Shown } from './access-conditions.ts';
import { writtenName } from './written-name.ts';

export interface AccessEntry {
  readonly action: 'allow' | 'deny';
  /** Line of the file, from 1. */
  readonly line: number;
  /** The line as written. */
  readonly source: string;
  readonly subject: Subject;
  readonly networks: readonly IpPrefix[];
  /** What checks have to show. */
  readonly shown: readonly Shown[];
  /** First millisecond (Unix time) from which the line no longer counts; null for never. */
  readonly expiredFrom: number | null;
  /** What a refused client is told. */
  readonly text: string | null;
}

type Subject =
  | { readonly kind: 'any' }
  | { readonly kind: 'name' | 'suffix'; readonly name: string }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }
  | { readonly kind: 'literal'; readonly address: IpAddress };

export class AccessList {
  readonly #names = new Map<string, AccessEntry[]>();
  readonly #suffixes = new Map<string, AccessEntry[]>();
  /**
   * Entries for any name, by network: one look-up for each prefix length in use, however many networks there
   * are.
   */
  readonly #networks = new Map<string, AccessEntry[]>();
  readonly #lengths = new Set<number>();
  readonly #others: AccessEntry[] = [];
  readonly #hits = new Map<number, number>();
  readonly #onExpired: (entry: AccessEntry) => void;
  readonly #void: Set<number>;
  readonly #empty: boolean;
  /**
   * Some line wants a proof that is looked up for the client whatever its HELO text, such as its reverse
   * name.
   */
  readonly needsReverse: boolean;
  /** What DNS shows of a client can decide whether the list refuses it. */
  readonly refusesByProof: boolean;

  /**
   * `expired` are known to have expired; `onExpired` hears of each other one once, when it would have
   * matched.
   */
  constructor({ entries, expired }: ParsedAccess, onExpired: (entry: AccessEntry) => void) {
    this.#onExpired = onExpired;
    this.#void = new Set(expired.map(({ line }) => line));
    this.needsReverse = entries.some(({ shown }) => shown.some(({ ofClient }) => ofClient));
    this.refusesByProof =
      entries.some(({ action }) => action === 'deny') && entries.some(({ shown }) => shown.length > 0);
    for (const entry of entries) this.#index(entry);
    this.#empty = entries.length === 0;
  }

  /** How often each line has matched since the list was read. */
  get hits(): ReadonlyMap<number, number> {
    return this.#hits;
  }

  /** The first line that matches, counted. `now` is Unix time in milliseconds. */
  match(assessment: Assessment, now: number): AccessEntry | null {
    if (this.#empty) return null;
    let best: AccessEntry | null = null;
    for (const entry of this.#candidates(assessment)) {
      if ((best !== null && entry.line > best.line) || !matches(entry, assessment)) continue;
      if (entry.expiredFrom === null || now < entry.expiredFrom) best = entry;
      else this.#report(entry);
    }
    if (best !== null) this.#hits.set(best.line, (this.#hits.get(best.line) ?? 0) + 1);
    return best;
  }

  #report(entry: AccessEntry): void {
    if (this.#void.has(entry.line)) return;
    this.#void.add(entry.line);
    this.#onExpired(entry);
  }

  #index(entry: AccessEntry): void {
    const { subject, networks } = entry;
    if (subject.kind === 'name') append(this.#names, subject.name, entry);
    else if (subject.kind === 'suffix') append(this.#suffixes, subject.name, entry);
    else if (subject.kind === 'any' && networks.length > 0) {
      for (const { address, length } of networks) {
        this.#lengths.add(length);
        append(this.#networks, networkText(address, length), entry);
      }
    } else this.#others.push(entry);
  }

  *#candidates({ client: { ip, helo } }: Assessment): Iterable<AccessEntry> {
    yield* this.#others;
    if (helo.kind === 'domain') {
      yield* this.#names.get(helo.name) ?? [];
      for (let i = 0; i < helo.labels.length; i++) {
        yield* this.#suffixes.get(helo.labels.slice(i).join('.')) ?? [];
      }
    }
    if (ip === null) return;
    const width = ip.bytes.length * 8;
    for (const length of this.#lengths) {
      if (length <= width) yield* this.#networks.get(networkText(ip, length)) ?? [];
    }
  }
}

function append(index: Map<string, AccessEntry[]>, key: string, entry: AccessEntry): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [entry]);
  else list.push(entry);
}

function matches(entry: AccessEntry, { client: { ip, helo }, outcomes }: Assessment): boolean {
  const { subject, networks, shown } = entry;
  if (subject.kind === 'literal' && !(helo.kind === 'literal' && sameIp(helo.address, subject.address)))
    return false;
  if (subject.kind === 'pattern') {
    // Two stars over 255 octets are the most work that the matcher is given.
    if (helo.text.length > 255 || !subject.pattern.test(canonicalName(helo.text))) return false;
  }
  if (networks.length > 0 && (ip === null || !networks.some((network) => prefixContains(network, ip))))
    return false;
  return shown.every(({ check, holds }) =>
    outcomes.some((outcome) => outcome.check === check && outcome.result === 'pass' && holds(outcome)),
  );
}

/** Hears of an entry that no longer counts, and the file that it is in. */
export type OnExpired = (file: string, entry: AccessEntry) => void;

export interface ParsedAccess {
  readonly entries: readonly AccessEntry[];
  /** Those that have expired already. */
  readonly expired: readonly AccessEntry[];
}

/**
 * Reads a list. What a condition may ask for besides address and date is what `checks` declare
 * (`AccessCondition`). Throws FileError, naming file and line, for the first bad line, the others with it.
 * `now` is Unix time in milliseconds.
 */
export function parseAccess(text: string, file: string, now: number, checks: readonly Check[]): ParsedAccess {
  const conditions = conditionsOf(checks);
  const entries: AccessEntry[] = [];
  const faults = new Faults();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const [action, subject, ...given] = wordsOf(line);
    if (action === undefined) continue;
    try {
      entries.push(parseEntry({ line: i + 1, source: line }, action, subject, given, conditions));
    } catch (error) {
      faults.add(error instanceof UsageError ? new FileError(`${file}:${i + 1}: ${error.message}`) : error);
    }
  }
  faults.throwAny();
  return {
    entries,
    expired: entries.filter(({ expiredFrom }) => expiredFrom !== null && now >= expiredFrom),
  };
}

/**
 * The list without what people wrote to people, its comments and texts; each entry stays in its line, and
 * matches as before.
 */
export function withoutWords(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) =>
      wordsOf(line)
        .filter((word) => !word.startsWith('text='))
        .join(' '),
    )
    .join('\n');
}

/** Those before a comment. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/#.*|(?:[^\s"#]|"[^"]*")+|"/g)].map(([word]) => word);
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment === -1 ? words : words.slice(0, comment);
}

function parseEntry(
  place: Pick<AccessEntry, 'line' | 'source'>,
  action: string,
  subject: string | undefined,
  words: readonly string[],
  conditions: Conditions,
): AccessEntry {
  if (action !== 'allow' && action !== 'deny') throw new UsageError(`"${action}" is neither allow nor deny`);
  if (subject === undefined) throw new UsageError(`${action} whom?`);
  const given = new Map<string, string>();
  for (const word of words) {
    const [, key = '', value = ''] = /^([a-z]+)=(.*)$/.exec(word) ?? [];
    if (!OWN_CONDITIONS.includes(key) && !conditions.has(key)) {
      const known = ['ip', ...conditions.keys(), 'until', 'text'].map((each) => `${each}=`);
      throw new UsageError(`"${word}" is none of ${known.join(', ')}`);
    }
    if (given.has(key)) throw new UsageError(`${key}= twice`);
    given.set(key, value.replace(/^"(.*)"$/, '$1'));
  }
  const entry: AccessEntry = {
    ...place,
    action,
    subject: parseSubject(subject),
    networks: parseNetworks(given.get('ip')),
    shown: [...conditions].flatMap(([key, { read }]) => {
      const value = given.get(key);
      return value === undefined ? [] : [read(value)];
    }),
    expiredFrom: parseUntil(given.get('until')),
    text: given.get('text') ?? null,
  };
  if (action === 'allow' && entry.networks.length === 0 && entry.shown.length === 0) {
    const proofs = ['ip=', ...[...conditions.values()].map(({ example }) => example)];
    throw new UsageError(
      `an allow needs proof, ${proofs.slice(0, -1).join(', ')} or ${proofs.at(-1)}: anybody can give a name`,
    );
  }
  return entry;
}

function parseSubject(text: string): Subject {
  if (text === '*') return { kind: 'any' };
  if (text.startsWith('[')) {
    const helo = parseHelo(text);
    if (helo.kind !== 'literal') throw new UsageError(`"${text}" is not an address literal`);
    return { kind: 'literal', address: helo.address };
  }
  const name = writtenName(text);
  if (name.includes('*')) {
    if (!/^[a-z0-9._*-]+$/.test(name) || name.split('*').length > 3)
      throw new UsageError(
        `"${text}" is not a pattern: letters, digits, dots, hyphens and at most two stars`,
      );
    const source = name
      .split('*')
      .map((part) => part.replaceAll('.', '\\.'))
      .join('[^\\s]*');
    return { kind: 'pattern', pattern: new RegExp(`^${source}$`) };
  }
  const below = name.startsWith('.');
  if (!isQueryName(below ? name.slice(1) : name)) throw new UsageError(`"${text}" is not a name`);
  return below ? { kind: 'suffix', name: name.slice(1) } : { kind: 'name', name };
}

/** None where none are asked for; an empty list would be for every client. */
function parseNetworks(text: string | undefined): IpPrefix[] {
  if (text === undefined) return [];
  const texts = text.split(',').filter((each) => each !== '');
  if (texts.length === 0) throw new UsageError('ip= names no network');
  return texts.map(parseNetwork);
}

function parseNetwork(text: string): IpPrefix {
  const network = parsePrefix(text);
  if (network === null) throw new UsageError(`"${text}" is not an address or network`);
  return network;
}

/** The day named is the last one, in UTC. */
function parseUntil(text: string | undefined): number | null {
  if (text === undefined) return null;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  if (Number.isNaN(day)) throw new UsageError(`until=${text} is not a date such as 2027-01-31`);
  return day + 86_400_000;
}
