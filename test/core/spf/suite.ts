/** The official RFC 7208 test suite as cases with a resolver each, by the rules of its README. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { Answer, RecordData, RecordType, Resolver } from '../../../src/core/resolver.ts';

export const SUITE_FILE = fileURLToPath(
  new URL('../../../../shared/rfc7208/rfc7208-tests.yml', import.meta.url),
);

export interface SuiteCase {
  readonly section: string;
  readonly name: string;
  readonly helo: string;
  readonly host: string;
  readonly mailfrom: string;
  readonly results: readonly string[];
  /** Null if the test expects none, undefined if it does not say. */
  readonly explanation: string | null | undefined;
  readonly resolver: Resolver;
}

type ZoneData = Record<string, (string | Record<string, unknown>)[]>;

interface Section {
  description: string;
  tests: Record<
    string,
    { helo: string; host: string; mailfrom: string; result: string | string[]; explanation?: string }
  >;
  zonedata: ZoneData;
}

export function readSuite(): SuiteCase[] {
  return parseAllDocuments(readFileSync(SUITE_FILE, 'utf8'), { version: '1.1' }).flatMap((document) => {
    const { description, tests, zonedata } = document.toJS() as Section;
    const resolver = suiteResolver(zonedata);
    return Object.entries(tests).map(([name, test]) => ({
      section: description,
      name,
      helo: test.helo,
      host: test.host,
      mailfrom: test.mailfrom,
      results: [test.result].flat(),
      explanation: test.explanation === 'DEFAULT' ? null : test.explanation,
      resolver,
    }));
  });
}

interface Owner {
  records: Map<string, unknown[]>;
  timeout: boolean;
}

function suiteResolver(zonedata: ZoneData): Resolver {
  const owners = new Map(
    Object.entries(zonedata).map(([name, entries]) => [name.toLowerCase(), readOwner(entries)]),
  );
  const find = (name: string, type: RecordType, depth: number): Answer<RecordType> => {
    const owner = owners.get(name.toLowerCase().replace(/\.$/, ''));
    if (owner === undefined) {
      return name.startsWith('error.')
        ? { status: 'temperror', detail: 'timeout' }
        : { status: 'nxdomain', ttl: null };
    }
    const records = owner.records.get(type);
    if (records !== undefined) {
      return { status: 'found', records: records as RecordData[RecordType][], ttl: 60 };
    }
    const alias = owner.records.get('CNAME')?.[0];
    if (typeof alias === 'string') {
      return depth > 8 ? { status: 'temperror', detail: 'servfail' } : find(alias, type, depth + 1);
    }
    return owner.timeout ? { status: 'temperror', detail: 'timeout' } : { status: 'nodata', ttl: null };
  };
  return {
    lookup: <T extends RecordType>(name: string, type: T): Promise<Answer<T>> =>
      Promise.resolve(find(name, type, 0) as Answer<T>),
  };
}

/**
 * An `SPF:` entry is duplicated as `TXT:` unless the name has `TXT:` entries of its own; `TXT: NONE` is no
 * record.
 */
function readOwner(entries: ZoneData[string]): Owner {
  const owner: Owner = { records: new Map(), timeout: false };
  const pairs = entries.flatMap((entry) => (typeof entry === 'string' ? [] : Object.entries(entry)));
  owner.timeout = entries.includes('TIMEOUT');
  const hasTxt = pairs.some(([type]) => type === 'TXT');
  for (const [type, value] of pairs) {
    if (value === 'NONE' || (type === 'SPF' && hasTxt)) continue;
    const stored = type === 'SPF' ? 'TXT' : type;
    const list = owner.records.get(stored) ?? [];
    list.push(readValue(stored, value));
    owner.records.set(stored, list);
  }
  return owner;
}

function readValue(type: string, value: unknown): unknown {
  if (type === 'MX') {
    const [preference, exchange] = value as [number, string];
    return { preference, exchange };
  }
  return type === 'TXT' && Array.isArray(value) ? value.join('') : value;
}
