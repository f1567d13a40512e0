/**
 * What the core asks of DNS: one function from a name and a type to an answer. Nothing here knows how the
 * question travels. Trouble is data, never an exception: an unknown must stay an unknown.
 *
 * The words are those of RFC 2308 (nodata, nxdomain) and RFC 8601 (temperror).
 */

/** The shape of one record of each type that a check may ask for. */
export interface RecordData {
  /** IPv4 address in dotted form. */
  A: string;
  /** IPv6 address in any RFC 4291 form. */
  AAAA: string;
  /** Target of the alias, as the server wrote it. */
  CNAME: string;
  MX: { readonly preference: number; readonly exchange: string };
  NS: string;
  /** Name in presentation form; attacker-controlled, may be empty or hold any byte. */
  PTR: string;
  SOA: { readonly mname: string };
  SRV: { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string };
  /** The character-strings of one record, joined without a separator (RFC 7208 §3.3). */
  TXT: string;
}

/** A type of records that can be asked for. */
export type RecordType = keyof RecordData;

/** All of them. */
export const RECORD_TYPES: readonly RecordType[] = [
  'A',
  'AAAA',
  'CNAME',
  'MX',
  'NS',
  'PTR',
  'SOA',
  'SRV',
  'TXT',
];

/**
 * How much of an answer a check gets to see: the number of records, and the characters of a text. A name has
 * a dozen addresses, and RFC 7208 §3.4 wants an SPF record to fit into 450 octets; anything longer was made
 * to cost us something.
 */
export const MAX_RECORDS = 1024;
/** A text of this many characters had at least as many, and may have been cut. */
export const MAX_TEXT = 8192;

/** Why an answer is what it is, in the words of the resolver that gave it (RFC 8914). */
export interface ExtendedError {
  /** A number from the registry of Extended DNS Error codes (IANA). */
  readonly code: number;
  /** May be empty; may hold any character. */
  readonly text: string;
}

/** What a resolver may say about its own answer. */
export interface AnswerRemarks {
  /**
   * It has validated all of it (RFC 4035 §3.2.3), and is trusted to say so. Absent where that is not known.
   */
  readonly authenticated?: boolean;
  /** Absent or empty where it gave no reasons. */
  readonly errors?: readonly ExtendedError[];
  /**
   * The name asked for is an alias, and this is the name at the end of the chain, which the answer is
   * about. Absent where the name is none, or the resolver does not say.
   */
  readonly alias?: string;
}

/**
 * The answer to one question. `ttl` is in seconds: of the aliases and the records, or of the "no" (RFC 2308
 * §5); null means that it is not known.
 *
 * - `found`: at least one record. CNAMEs have been followed.
 * - `nodata`: the name exists, but has no record of this type.
 * - `nxdomain`: no such name (and, by RFC 8020, nothing below it).
 * - `temperror`: nobody could say; `detail` is one word for the log (`timeout`, `servfail`, …). `bogus` is a
 *   SERVFAIL whose extended errors say that the signatures (DNSSEC) are wrong.
 */
export type Answer<T extends RecordType> = AnswerRemarks &
  (
    | { readonly status: 'found'; readonly records: readonly RecordData[T][]; readonly ttl: number | null }
    | { readonly status: 'nodata' | 'nxdomain'; readonly ttl: number | null }
    | { readonly status: 'temperror'; readonly detail: string }
  );

/**
 * Looks up one name. Never rejects and never throws. Names are in presentation form (RFC 1035 §5.1: a dot
 * inside a label is `\.`, other odd octets are `\DDD`), without a trailing dot.
 */
export interface Resolver {
  lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>>;
}
