/**
 * For tests, a zone written as a literal that answers like a resolver: it follows CNAMEs, distinguishes
 * NXDOMAIN from NODATA (an empty non-terminal is NODATA, RFC 8020), gives temporary errors where told to, and
 * records every question.
 */
import type { Answer, RecordData, RecordType, Resolver } from '../../src/core/resolver.ts';

/** One owner name: records by type, or `'temperror'` for one type or for the whole name. */
export type ZoneEntry =
  | 'temperror'
  | ({ readonly [T in RecordType]?: readonly RecordData[T][] | 'temperror' } & { readonly ttl?: number });

export type Zone = Readonly<Record<string, ZoneEntry>>;

export interface ZoneResolver extends Resolver {
  /** Every question so far, as `name TYPE`. */
  readonly queries: string[];
}

export function zoneResolver(zone: Zone): ZoneResolver {
  const entries = new Map(Object.entries(zone).map(([name, entry]) => [name.toLowerCase(), entry]));
  const queries: string[] = [];

  function find(name: string, type: RecordType, depth: number): Answer<RecordType> {
    const entry = entries.get(name);
    if (entry === undefined) {
      const below = [...entries.keys()].some((other) => other.endsWith(`.${name}`));
      return { status: below ? 'nodata' : 'nxdomain', ttl: null, ...(depth === 0 ? {} : { alias: name }) };
    }
    if (entry === 'temperror') return { status: 'temperror', detail: 'servfail' };
    const records = entry[type];
    if (records === 'temperror') return { status: 'temperror', detail: 'servfail' };
    if (records !== undefined && records.length > 0) {
      return {
        status: 'found',
        records,
        ttl: entry.ttl ?? 300,
        ...(depth === 0 ? {} : { alias: name }),
      };
    }
    const alias = entry.CNAME;
    if (alias !== undefined && alias !== 'temperror' && alias[0] !== undefined && type !== 'CNAME') {
      if (depth > 8) return { status: 'temperror', detail: 'servfail' };
      return find(alias[0].toLowerCase(), type, depth + 1);
    }
    return { status: 'nodata', ttl: null, ...(depth === 0 ? {} : { alias: name }) };
  }

  return {
    queries,
    lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
      queries.push(`${name} ${type}`);
      return Promise.resolve(find(name.toLowerCase(), type, 0) as Answer<T>);
    },
  };
}
