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

export type RecordType = keyof RecordData;

/**
 * How much of an answer a check gets to see: so many records, and so many characters of a text. A name has a
 * dozen addresses, and RFC 7208 §3.4 wants an SPF record to fit into 450 octets; anything longer was made to
 * cost us something.
 */
export const MAX_RECORDS = 1024;
/** A text of this many characters had at least as many, and may have been cut. */
export const MAX_TEXT = 8192;

/**
 * The answer to one question. `ttl` is in seconds; null means that the transport could not tell it
 * (Node's resolver gives TTLs for A and AAAA only).
 *
 * - `found`: at least one record. CNAMEs have been followed.
 * - `nodata`: the name exists, but has no record of this type.
 * - `nxdomain`: no such name (and, by RFC 8020, nothing below it).
 * - `temperror`: nobody could say; `detail` is one word for the log (`timeout`, `servfail`, …).
 */
export type Answer<T extends RecordType> =
  | { readonly status: 'found'; readonly records: readonly RecordData[T][]; readonly ttl: number | null }
  | { readonly status: 'nodata' | 'nxdomain'; readonly ttl: number | null }
  | { readonly status: 'temperror'; readonly detail: string };

/** Looks up one name. Never rejects and never throws. Names carry no trailing dot. */
export interface Resolver {
  lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>>;
}
