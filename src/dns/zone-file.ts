/**
 * A Resolver over a master file (RFC 1035 §5), so that a pair can be explained without a name server. What is
 * not in the file does not exist. Reads $ORIGIN, $TTL, parentheses, comments, quoted strings, repeated
 * owners, `@`, DNAME and the record types that checks ask for; others are passed over.
 */
import { canonicalName } from '../core/domain.ts';
import type { Answer, RecordData, RecordType, Resolver } from '../core/resolver.ts';
import { FileError } from '../errors.ts';
import { LONGEST_NAME, type ZoneRecord, type ZoneRecords, zoneAnswers } from './zone-answers.ts';

const DEFAULT_TTL = 3600;
/** Throws FileError, naming the line, for a file that cannot be read. */
export function zoneFileResolver(text: string, file: string): Resolver {
  const find = zoneAnswers(parseZone(text, file));
  return {
    lookup: <T extends RecordType>(name: string, type: T) =>
      Promise.resolve(find(canonicalName(name), type) as Answer<T>),
  };
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** One entry of the file: its tokens, and whether it begins with a blank and so repeats the owner. */
interface Entry {
  readonly line: number;
  readonly continued: boolean;
  readonly tokens: readonly Token[];
}

function parseZone(text: string, file: string): ZoneRecords {
  const zone = new Map<string, ZoneRecord[]>();
  let origin = '';
  let owner = '';
  let defaultTtl = DEFAULT_TTL;
  for (const { line, continued, tokens } of entries(text, file)) {
    const wrong = (what: string): FileError => new FileError(`${file}:${line}: ${what}`);
    const [first, ...others] = tokens;
    if (first === undefined) continue;
    if (first.text === '$ORIGIN' || first.text === '$TTL') {
      const value = others[0]?.text ?? '';
      if (first.text === '$ORIGIN') origin = canonicalName(value);
      else defaultTtl = seconds(value) ?? fail(wrong(`"${value}" is no TTL`));
      continue;
    }
    if (first.text.startsWith('$')) throw wrong(`${first.text} is not understood`);
    if (!continued) owner = absolute(first.text, origin);
    if (owner.length > LONGEST_NAME) throw wrong(`a name is longer than ${LONGEST_NAME} characters`);
    const rest = continued ? [...tokens] : others;
    let ttl = defaultTtl;
    // TTL and class come in either order.
    for (let next = rest[0]; next !== undefined && !next.quoted; next = rest[0]) {
      const given = seconds(next.text);
      if (given !== null) ttl = given;
      else if (!/^(?:IN|CH|HS)$/i.test(next.text)) break;
      rest.shift();
    }
    const type = rest.shift()?.text.toUpperCase();
    if (type === undefined) throw wrong('a record without a type');
    const reader = READERS[type as ZoneRecord['type']] as
      ((fields: Fields) => RecordData[RecordType]) | undefined;
    if (reader === undefined) continue;
    try {
      const data = reader(new Fields(rest, origin));
      const records = zone.get(owner) ?? [];
      records.push({ type: type as ZoneRecord['type'], ttl, data });
      zone.set(owner, records);
    } catch {
      throw wrong(`this is no ${type} record`);
    }
  }
  return zone;
}

function fail(error: Error): never {
  throw error;
}

/** The RDATA of a record, field by field. */
class Fields {
  readonly #tokens: Token[];
  readonly #origin: string;

  constructor(tokens: readonly Token[], origin: string) {
    this.#tokens = [...tokens];
    this.#origin = origin;
  }

  text(): string {
    const token = this.#tokens.shift();
    if (token === undefined) throw new RangeError('a field is missing');
    return token.text;
  }

  number(): number {
    const value = this.text();
    if (!/^\d{1,10}$/.test(value)) throw new RangeError(value);
    return Number(value);
  }

  name(): string {
    const name = absolute(this.text(), this.#origin);
    if (name.length > LONGEST_NAME) throw new RangeError(name);
    return name;
  }

  rest(): string {
    if (this.#tokens.length === 0) throw new RangeError('a field is missing');
    return this.#tokens
      .splice(0)
      .map(({ text }) => text)
      .join('');
  }
}

const READERS: { readonly [T in RecordType]: (fields: Fields) => RecordData[T] } & {
  readonly DNAME: (fields: Fields) => string;
} = {
  A: (fields) => fields.text(),
  AAAA: (fields) => fields.text(),
  CNAME: (fields) => fields.name(),
  DNAME: (fields) => fields.name(),
  MX: (fields) => ({ preference: fields.number(), exchange: fields.name() }),
  NS: (fields) => fields.name(),
  PTR: (fields) => fields.name(),
  SOA: (fields) => ({ mname: fields.name() }),
  SRV: (fields) => ({
    priority: fields.number(),
    weight: fields.number(),
    port: fields.number(),
    target: fields.name(),
  }),
  TXT: (fields) => fields.rest(),
};

function absolute(name: string, origin: string): string {
  if (name === '@') return origin;
  if (name.endsWith('.')) return canonicalName(name);
  return origin === '' ? name.toLowerCase() : `${name.toLowerCase()}.${origin}`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `300`, or `1h30m` as BIND writes it; null for anything else. */
function seconds(text: string): number | null {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  if (!/^(?:\d{1,9}[smhdw])+$/i.test(text)) return null;
  return [...text.matchAll(/(\d{1,9})([smhdw])/gi)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (UNITS[unit.toLowerCase()] ?? 1),
    0,
  );
}

/**
 * Splits the file: quotes hold blanks and semicolons, parentheses hold line ends, a backslash holds one
 * character.
 */
function* entries(text: string, file: string): Generator<Entry> {
  let depth = 0;
  let tokens: Token[] = [];
  let start = 1;
  let continued = false;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (depth === 0) {
      start = i + 1;
      continued = /^\s/.test(line);
    }
    for (const [token] of line.matchAll(/"(?:[^"\\]|\\.)*"|;.*|[()]|(?:[^\s"();\\]|\\.)+|"/g)) {
      if (token.startsWith(';')) break;
      if (token === '(') depth++;
      else if (token === ')') depth--;
      else if (token === '"') throw new FileError(`${file}:${i + 1}: a quote is not closed`);
      else if (token.startsWith('"')) tokens.push({ text: unescape(token.slice(1, -1)), quoted: true });
      else tokens.push({ text: token, quoted: false });
    }
    if (depth < 0) throw new FileError(`${file}:${i + 1}: a parenthesis too many`);
    if (depth === 0 && tokens.length > 0) {
      yield { line: start, continued, tokens };
      tokens = [];
    }
  }
  if (depth > 0) throw new FileError(`${file}:${start}: a parenthesis is not closed`);
}

/** `\DDD` is an octet, `\X` is X. */
function unescape(text: string): string {
  return text.replaceAll(/\\(\d{3}|.)/g, (_, escaped: string) =>
    escaped.length === 3 ? String.fromCharCode(Number(escaped) & 255) : escaped,
  );
}
