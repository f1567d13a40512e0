/**
 * Answers like a name server that has all of the given records, with a resolver in front of it: RFC 1034
 * §4.3.2 with wildcards (RFC 4592), DNAME (RFC 6672) and aliases followed. What is not given does not exist;
 * there are no zone cuts.
 */
import type { Answer, RecordData, RecordType } from '../core/resolver.ts';

/** A record of any type that answers depend on; the data of a DNAME is a name. */
export interface ZoneRecord {
  readonly type: RecordType | 'DNAME';
  readonly ttl: number;
  readonly data: RecordData[RecordType];
}

/** By canonical owner; a wildcard under its own name, `*.example.org`. */
export type ZoneRecords = ReadonlyMap<string, readonly ZoneRecord[]>;

/**
 * As many aliases in a row as Unbound and BIND follow (`max-query-restarts`); a longer chain is a SERVFAIL.
 */
const MAX_ALIASES = 11;
/** The longest name as text: 255 octets on the wire (RFC 1035 §2.3.4). */
export const LONGEST_NAME = 253;

/** Returns a function that gives the answer for a canonical name. */
export function zoneAnswers(zone: ZoneRecords): (name: string, type: RecordType) => Answer<RecordType> {
  // A name with anything below it exists too (RFC 4592 §2.2.2, RFC 8020).
  const existing = new Set([...zone.keys()].flatMap((name) => [name, ...ancestors(name)]));

  /**
   * The records of the name, or of its wildcard if the name itself does not exist; undefined if neither does.
   */
  function recordsOf(name: string): readonly ZoneRecord[] | undefined {
    const renamed = synthesized(zone, name);
    if (renamed !== null) return [renamed];
    if (existing.has(name)) return zone.get(name) ?? [];
    // Only the closest ancestor that exists may have the wildcard (RFC 4592 §3.3.1).
    const encloser = ancestors(name).find((parent) => existing.has(parent));
    const source = encloser === undefined ? '*' : `*.${encloser}`;
    return existing.has(source) ? (zone.get(source) ?? []) : undefined;
  }

  function find(name: string, type: RecordType, aliases: number, ttl: number): Answer<RecordType> {
    if (name.length > LONGEST_NAME) return SERVFAIL;
    const records = recordsOf(name);
    const told = aliases === 0 ? {} : { alias: name };
    if (records === undefined) return { status: 'nxdomain', ttl: null, ...told };
    const matching = records.filter((record) => record.type === type);
    if (matching.length > 0) {
      const least = Math.min(ttl, ...matching.map((record) => record.ttl));
      return { status: 'found', records: matching.map(({ data }) => data), ttl: least, ...told };
    }
    const alias = records.find((record) => record.type === 'CNAME');
    if (alias === undefined) return { status: 'nodata', ttl: null, ...told };
    if (aliases === MAX_ALIASES) return SERVFAIL;
    return find(alias.data as string, type, aliases + 1, Math.min(ttl, alias.ttl));
  }

  return (name, type) => find(name, type, 0, Infinity);
}

const SERVFAIL = { status: 'temperror', detail: 'servfail' } as const;

/**
 * The alias that a DNAME above the name turns it into (RFC 6672 §2.2); the highest one counts, since it hides
 * what the zone has below it (§2.4). Null if there is none.
 */
function synthesized(zone: ZoneRecords, name: string): ZoneRecord | null {
  for (const parent of ancestors(name).reverse()) {
    const dname = zone.get(parent)?.find(({ type }) => type === 'DNAME');
    if (dname === undefined) continue;
    const prefix = name.slice(0, -parent.length);
    return { type: 'CNAME', ttl: dname.ttl, data: `${prefix}${dname.data as string}` };
  }
  return null;
}

/** Every name above, nearest first, without the root. */
function ancestors(name: string): string[] {
  const labels = name.split('.');
  return labels.slice(1).map((_, i) => labels.slice(i + 1).join('.'));
}
