/**
 * How much of the Internet a record passes. RFC 7208 knows no such limit; we do, because a pass that
 * everybody gets identifies nobody (§11.1 warns of records that are too inclusive).
 *
 * What is counted: the pass-qualified terms of every record that the evaluation read where a match would
 * pass, up to the first `all`: blocks of ip4 and ip6, the addresses that `a` and `mx` gave (widened by their
 * length), and as a block of unknown place the length of `a`, `mx` and `exists` terms that were not reached.
 * Overlapping blocks count once; a term before them that does not pass takes nothing away. Records that the
 * evaluation did not read (an `include` after the match) are not counted: counting costs no query.
 */
import { isPublicSuffix } from '../domain.ts';
import type { IpAddress, IpPrefix } from '../ip.ts';
import type { Macro } from './macro.ts';
import type { Directive, Mechanism, SpfRecord } from './record.ts';

/** More than this many addresses in total is too wide: a /8 of IPv4, a /16 of IPv6. */
const WIDEST = { 4: 8, 6: 16 } as const;
const BITS = { 4: 32, 6: 128 } as const;

type Family = 4 | 6;
type Lengths = Readonly<Record<Family, number>>;

export interface Width {
  /** Blocks whose place is known. */
  readonly blocks: IpPrefix[];
  /** Terms whose place is not known (yet), with the length of what each would pass. */
  readonly unplaced: Map<Directive, Partial<Record<Family, number>>>;
  /** A term that passes any client at all. */
  catchAll: string | null;
}

export function emptyWidth(): Width {
  return { blocks: [], unplaced: new Map(), catchAll: null };
}

/** Notes what a record would pass, before it is evaluated. */
export function noteRecord(width: Width, { directives }: SpfRecord): void {
  for (const directive of directives) {
    const { qualifier, mechanism, text } = directive;
    if (qualifier === '+') noteMechanism(width, directive, mechanism);
    if (mechanism.kind !== 'all') continue;
    if (qualifier === '+') width.catchAll ??= `${text} passes every client`;
    return;
  }
}

function noteMechanism(width: Width, directive: Directive, mechanism: Mechanism): void {
  switch (mechanism.kind) {
    case 'ip':
      width.blocks.push(mechanism.prefix);
      break;
    case 'a':
    case 'mx':
    case 'ptr':
      if (namedByClient(mechanism)) {
        width.catchAll ??= `${directive.text} passes every client with a matching reverse name`;
      }
      if (mechanism.kind !== 'ptr') {
        width.unplaced.set(directive, { 4: mechanism.length4, 6: mechanism.length6 });
      }
      break;
    case 'exists':
      if (namedByClient(mechanism))
        width.catchAll ??= `${directive.text} passes every client with a reverse name`;
      width.unplaced.set(directive, existsLengths(mechanism));
      break;
    case 'include':
    case 'all':
      break;
  }
}

/**
 * A domain-spec that ends in `%{p}`: the zone that answers is of the client's choosing. Likewise `ptr:co.uk`.
 */
function namedByClient({ kind, target }: Extract<Mechanism, { target: unknown }>): boolean {
  const last = target?.parts.at(-1);
  if (last === undefined || target === null) return false;
  if (typeof last !== 'string') return last.letter === 'p';
  return kind === 'ptr' && isPublicSuffix(target.text.replace(/\.$/, '').toLowerCase());
}

/**
 * An `exists` whose name does not depend on the client is there for all clients or for none; one that depends
 * on part of the address (`%{i1r}`) passes that part. `%{p}` counts as dependent on the whole.
 */
function existsLengths({
  target,
}: {
  readonly target: { readonly parts: readonly (string | Macro)[] };
}): Lengths {
  const macros = target.parts.filter((part) => typeof part !== 'string');
  if (macros.some(({ letter }) => letter === 'p')) return BITS;
  const kept = (family: Family): number =>
    Math.max(0, ...macros.filter(({ letter }) => letter === 'i').map((macro) => keptBits(macro, family)));
  return { 4: kept(4), 6: kept(6) };
}

function keptBits({ keep, delimiters }: Macro, family: Family): number {
  if (keep === null || !delimiters.includes('.')) return BITS[family];
  return Math.min(BITS[family], keep * (family === 4 ? 8 : 4));
}

/** Gives an `a` or `mx` term its place: the addresses of the client's family that DNS gave. */
export function noteAddresses(
  width: Width,
  directive: Directive,
  addresses: readonly IpAddress[],
  length: number,
  family: Family,
): void {
  const unplaced = width.unplaced.get(directive);
  if (unplaced === undefined) return;
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- one of the two keys of a small record
  delete unplaced[family];
  for (const address of addresses) if (address.family === family) width.blocks.push({ address, length });
}

/** An `exists` that was tried and found nothing passes nobody, as far as anybody can tell. */
export function isNarrow(width: Width, directive: Directive): void {
  width.unplaced.delete(directive);
}

/** Why what was noted is too wide to identify a host; null when it is not. */
export function tooWide(width: Width): string | null {
  if (width.catchAll !== null) return width.catchAll;
  for (const [directive, lengths] of width.unplaced) {
    if (directive.mechanism.kind === 'exists' && lengths[4] === 0)
      return `${directive.text} does not depend on the client`;
  }
  for (const family of [4, 6] as const) {
    const unplaced = [...width.unplaced.values()].flatMap((lengths) => lengths[family] ?? []);
    const sum = addressesIn(width.blocks, family) + sumOf(unplaced, family);
    if (sum > size(WIDEST[family], family)) {
      return `the record passes more than a /${WIDEST[family]} of IPv${family}`;
    }
  }
  return null;
}

/** How many addresses of a family the blocks hold in total, each counted once. */
export function addressesIn(blocks: readonly IpPrefix[], family: Family): bigint {
  return mergedRanges(blocks, family).reduce((sum, { first, end }) => sum + (end - first), 0n);
}

/**
 * The blocks of a family as ranges in order, merged where they overlap or touch; `end` is the one after the
 * last.
 */
export function mergedRanges(blocks: readonly IpPrefix[], family: Family): { first: bigint; end: bigint }[] {
  const ranges = blocks
    .filter(({ address }) => address.family === family)
    .map(({ address, length }) => {
      const span = size(length, family);
      const first = (toNumber(address) / span) * span;
      return { first, end: first + span };
    })
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: { first: bigint; end: bigint }[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last === undefined || range.first > last.end) merged.push(range);
    else if (range.end > last.end) last.end = range.end;
  }
  return merged;
}

/** Why blocks alone are too wide; null when they are not. */
export function blocksTooWide(blocks: readonly IpPrefix[]): string | null {
  return tooWide({ blocks: [...blocks], unplaced: new Map(), catchAll: null });
}

function sumOf(lengths: readonly number[], family: Family): bigint {
  // One address is what every a, mx or exists term passes at least; only what was widened on purpose counts.
  return lengths.reduce((sum, length) => sum + (length === BITS[family] ? 0n : size(length, family)), 0n);
}

function size(length: number, family: Family): bigint {
  return 1n << BigInt(BITS[family] - length);
}

function toNumber({ bytes }: IpAddress): bigint {
  // In pieces that a number holds exactly: a BigInt a byte would be most of what an SPF check costs.
  let number = 0n;
  for (let at = 0; at < bytes.length; at += 4) number = (number << 32n) | BigInt(uint32(bytes, at));
  return number;
}

function uint32(bytes: readonly number[], at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}
