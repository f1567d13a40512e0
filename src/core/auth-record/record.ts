/**
 * The owner record of D. MacQuigg's "Registry of Internet Transmitters" (2005–2009, never a draft): one TXT
 * at `_auth.<domain>` of `keyword=value,value` words. `docs/auth-record.md` is the full description.
 *
 * The parser is total: words it does not know are ignored, and values of `helo=` that it cannot read are kept
 * apart, since a list with a hole in it cannot say no.
 */
import { type IpPrefix, ipFromBytes, parseIp, parsePrefix } from '../ip.ts';

/** What `helo=` may contain besides blocks: records of the owner's domain. */
export const REFERENCES = ['A', 'MX', 'SPF'] as const;
/** An entry of `helo=` that stands for what another record of the name says. */
export type Reference = (typeof REFERENCES)[number];

/** An entry of `helo=` that names networks. */
export interface AuthBlock {
  /** As written. */
  readonly text: string;
  readonly prefixes: readonly IpPrefix[];
}

/** The value of `helo=`, taken apart. */
export interface HeloList {
  readonly blocks: readonly AuthBlock[];
  readonly references: readonly Reference[];
  /** Values that are neither. */
  readonly unread: readonly string[];
}

/** An `_auth` record, read (docs/auth-record.md). */
export interface AuthRecord {
  readonly text: string;
  /** Null where the record has no `helo=`, or an empty one. */
  readonly helo: HeloList | null;
  /** The words of `method=` in upper case, in the owner's order. */
  readonly methods: readonly string[];
}

/** Reads one TXT; null when it is not an owner record: it has neither `helo=` nor `method=`. */
export function parseAuthRecord(text: string): AuthRecord | null {
  const helo = valuesOf(text, 'helo');
  const methods = valuesOf(text, 'method');
  if (helo === null && methods === null) return null;
  return {
    text,
    helo: helo === null || helo.length === 0 ? null : parseHeloList(helo),
    methods: [...new Set((methods ?? []).map((method) => method.toUpperCase()))],
  };
}

/** All values of a keyword, which may occur more than once; null when it does not occur. */
function valuesOf(text: string, keyword: string): string[] | null {
  const prefix = `${keyword}=`;
  const words = text.split(/\s+/).filter((word) => word.toLowerCase().startsWith(prefix));
  if (words.length === 0) return null;
  return words.flatMap((word) => word.slice(prefix.length).split(',')).filter((value) => value !== '');
}

function parseHeloList(values: readonly string[]): HeloList {
  const blocks: AuthBlock[] = [];
  const references: Reference[] = [];
  const unread: string[] = [];
  for (const value of values) {
    const reference = REFERENCES.find((known) => known === value.toUpperCase());
    const block = reference === undefined ? parseAuthBlock(value) : null;
    if (reference !== undefined) references.push(reference);
    else if (block !== null) blocks.push(block);
    else unread.push(value);
  }
  return { blocks, references: [...new Set(references)], unread };
}

/**
 * Reads `ADDRESS`, `ADDRESS/LENGTH` (host bits may be set) or an IPv4 range, whose end replaces as many
 * digits of the last octet as it has: `192.0.2.216-8` ends in 218, `192.0.2.230-42` in 242. Null for anything
 * else.
 */
export function parseAuthBlock(text: string): AuthBlock | null {
  const range = /^(\d+\.\d+\.\d+\.)(\d{1,3})-(\d{1,3})$/.exec(text);
  if (range === null) {
    const prefix = parsePrefix(text);
    return prefix === null ? null : { text, prefixes: [prefix] };
  }
  const [, network = '', from = '', digits = ''] = range;
  const first = parseIp(network + from);
  const last = parseIp(network + from.slice(0, Math.max(0, from.length - digits.length)) + digits);
  const low = first?.bytes[3];
  const high = last?.bytes[3];
  if (first === null || low === undefined || high === undefined || high < low) return null;
  return { text, prefixes: rangePrefixes(first.bytes, low, high) };
}

/** The range of last octets as the fewest prefixes. */
function rangePrefixes(bytes: readonly number[], low: number, high: number): IpPrefix[] {
  const prefixes: IpPrefix[] = [];
  let next = low;
  while (next <= high) {
    let size = 1;
    while (size < 256 && next % (size * 2) === 0 && next + size * 2 - 1 <= high) size *= 2;
    const address = ipFromBytes([...bytes.slice(0, 3), next]);
    prefixes.push({ address, length: 32 - Math.log2(size) });
    next += size;
  }
  return prefixes;
}
