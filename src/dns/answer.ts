/**
 * What a response says to the question: only what belongs to it, along the chain of aliases. Anything else in
 * the message (an address of another owner name, a record nobody asked for) is never accepted.
 */
import type { ExtendedError, RecordData, RecordType } from '../core/resolver.ts';
import { RCODE, type ResourceRecord, type Response, TYPE } from './message.ts';
import { foldCase, MessageError } from './name.ts';
import { negativeTtl, decodeRecord } from './records.ts';

interface Provenance {
  /** The aliases followed, as the server wrote them: the last is the name that the answer is about. */
  readonly aliases: readonly string[];
  /** The server says that it has validated all of it. */
  readonly authenticated: boolean;
  /** The server's reasons. */
  readonly errors: readonly ExtendedError[];
}

/** What one response says to one question. */
export type Reading<T extends RecordType> = Provenance &
  (
    | { readonly status: 'found'; readonly records: readonly RecordData[T][]; readonly ttl: number }
    /** `ttl` is null if the server sent no SOA to tell it (RFC 2308 §5). */
    | { readonly status: 'nodata' | 'nxdomain'; readonly ttl: number | null }
    /** The answer ends in an alias to a name about which it says nothing: that name is to be asked for. */
    | { readonly status: 'referred'; readonly target: string; readonly ttl: number }
    | { readonly status: 'temperror'; readonly detail: string }
  );

/**
 * The longest chain of aliases that is followed, about as in other resolvers (BIND, unbound and Knot Resolver
 * stop between 8 and 17).
 */
export const MAX_ALIASES = 16;

const RCODE_WORDS: Readonly<Record<number, string>> = {
  [RCODE.FORMERR]: 'formerr',
  [RCODE.NOTIMP]: 'notimp',
  [RCODE.REFUSED]: 'refused',
};

/** Codes of RFC 8914 that say that the signatures of the answer are wrong: §4.7 to §4.13. */
const BOGUS = { first: 6, last: 12 } as const;

/**
 * Reads the answer to the question out of its response. `name` is written as `normalName` writes it. Throws
 * MessageError for records that cannot be read, and for answers to something else.
 */
export function readAnswer<T extends RecordType>(response: Response, name: string, type: T): Reading<T> {
  const { answers, authorities, authenticated, bytes, errors, rcode } = response;
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
    const bogus = errors.some(({ code }) => code >= BOGUS.first && code <= BOGUS.last);
    // Told apart from other failures, but treated like them (RFC 8914 §1).
    const servfail = bogus ? 'bogus' : 'servfail';
    const detail = rcode === RCODE.SERVFAIL ? servfail : (RCODE_WORDS[rcode] ?? `rcode${rcode}`);
    return { status: 'temperror', detail, aliases: [], authenticated, errors };
  }
  const asked = foldCase(name);
  const { aliases, last, ttl: aliasTtl } = followAliases(response, asked, type);
  if (answers.length > 0) {
    const wanted = TYPE[type];
    const matching = answers.filter((each) => each.type === wanted && each.owner === last);
    if (matching.length > 0) {
      const records = matching.map((record) => decodeRecord(type, bytes, record));
      const ttl = matching.reduce((least, record) => Math.min(least, record.ttl), aliasTtl);
      return { status: 'found', records, ttl, aliases, authenticated, errors };
    }
    if (!answers.some(({ owner }) => owner === asked)) throw new MessageError('an answer about another name');
  }
  const soa = soaFor(last, authorities);
  // Neither recursion nor authority: a referral, or a server that was asked by mistake (RFC 1034 §4.3.1, RFC
  // 2308 §2.2). A real "no" differs from these by the SOA of the zone that says it (RFC 2308 §2.1, §3): a
  // server that does not recurse for us may know it from its cache, which has to keep that SOA (§5, §6). Then
  // it is as good as with recursion.
  if (response.lame && soa === undefined) throw new MessageError('a lame answer');
  // RFC 6604 §3: the response code is about the last name of the chain.
  if (rcode === RCODE.NXDOMAIN || soa !== undefined || aliases.length === 0) {
    const status = rcode === RCODE.NXDOMAIN ? 'nxdomain' : 'nodata';
    const ttl = soa === undefined ? null : Math.min(aliasTtl, negativeTtl(bytes, soa));
    return { status, ttl, aliases, authenticated, errors };
  }
  return {
    status: 'referred',
    target: aliases.at(-1) ?? name,
    ttl: aliasTtl,
    aliases,
    authenticated,
    errors,
  };
}

interface Chain {
  readonly aliases: readonly string[];
  /** The name at its end, in lower case. */
  readonly last: string;
  /** The least TTL of its links; infinite if there are none. */
  readonly ttl: number;
}

const NO_ALIASES: readonly string[] = [];

/** The links may come in any order: some servers send the address before its alias. */
function followAliases({ answers, bytes }: Response, asked: string, type: RecordType): Chain {
  // A question for the alias itself ends at it.
  if (type === 'CNAME' || !answers.some(isAlias)) return { aliases: NO_ALIASES, last: asked, ttl: Infinity };
  const aliases: string[] = [];
  let last = asked;
  let ttl = Infinity;
  const links = new Map<string, ResourceRecord>();
  for (const record of answers) {
    if (isAlias(record) && !links.has(record.owner)) links.set(record.owner, record);
  }
  for (let link = links.get(last); link !== undefined; link = links.get(last)) {
    if (aliases.length === MAX_ALIASES) throw new MessageError('an endless chain of aliases');
    const target = decodeRecord('CNAME', bytes, link);
    aliases.push(target);
    last = foldCase(target);
    ttl = Math.min(ttl, link.ttl);
  }
  return { aliases, last, ttl };
}

function isAlias({ type }: ResourceRecord): boolean {
  return type === TYPE.CNAME;
}

/** The SOA that can speak for a name: its owner is that name or above it. */
function soaFor(name: string, soas: readonly ResourceRecord[]): ResourceRecord | undefined {
  for (const soa of soas) {
    const { owner: zone } = soa;
    if (zone === '' || name === zone) return soa;
    if (name.endsWith(zone) && name[name.length - zone.length - 1] === '.') return soa;
  }
  return undefined;
}
