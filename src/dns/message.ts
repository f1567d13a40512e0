/**
 * DNS messages (RFC 1035 §4) as far as a stub resolver needs them: one question out, one answer in, with EDNS
 * (RFC 6891) and Extended DNS Errors (RFC 8914). The bytes are hostile: every count and length is checked.
 */
import { type ExtendedError, MAX_RECORDS } from '../core/resolver.ts';
import { decodeName, foldCase, MAX_NAME, MessageError, skipName, writeName } from './name.ts';

/** Numbers (IANA) of the record types that are asked for or that occur in answers. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
} as const;

/** Octets before the question. */
const HEADER = 12;
const CLASS_IN = 1;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020 } as const;
const OPCODE = 0x7800;

/** The largest answer over UDP that no network on the way fragments (DNS flag day 2020). */
const EDNS_SIZE = 1232;
const EDE_OPTION = 15;
/** How many extended errors of an answer are kept, and how many octets of each one's text. */
const MAX_ERRORS = 4;
const MAX_ERROR_TEXT = 256;

export interface Question {
  readonly name: string;
  readonly type: number;
}

export interface ResourceRecord {
  /** In lower case, since owner names are only compared. */
  readonly owner: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  /** Where its data are in the message; names in them may point elsewhere. */
  readonly start: number;
  readonly end: number;
}

export interface Response {
  readonly bytes: Buffer;
  readonly id: number;
  /** Cut short for UDP. */
  readonly truncated: boolean;
  /** The server neither recurses nor is authoritative for the name: what it does not say means nothing. */
  readonly lame: boolean;
  /** The server says that it has validated all of it (RFC 4035 §3.2.3). */
  readonly authenticated: boolean;
  /** Including the upper bits that EDNS carries. */
  readonly rcode: number;
  /** Null if the server did not repeat it. */
  readonly question: Question | null;
  readonly answers: readonly ResourceRecord[];
  /** Only those of type SOA. */
  readonly authorities: readonly ResourceRecord[];
  readonly errors: readonly ExtendedError[];
  /** The server understands EDNS: its response has an OPT record (RFC 6891 §6.1.1). */
  readonly edns: boolean;
}

export interface QueryOptions {
  /** Ask with EDNS: longer answers over UDP, and extended errors. */
  readonly edns: boolean;
  /** Ask to be told whether the answer is validated (RFC 6840 §5.7). */
  readonly trustAd: boolean;
}

/** The bytes of a query. Its id is written by `setId`. Throws NameError. */
export function encodeQuery({ name, type }: Question, { edns, trustAd }: QueryOptions): Buffer {
  const end = HEADER + Math.min(MAX_NAME, name.length + 2) + 4 + (edns ? OPT.length : 0);
  // Small ones share a piece of memory. It is written octet by octet: copying would cost more.
  const query = Buffer.allocUnsafe(end);
  for (let i = 0; i < HEADER; i++) query[i] = 0;
  query[2] = FLAG.RD >> 8;
  query[3] = trustAd ? FLAG.AD : 0;
  query[5] = 1;
  query[11] = edns ? 1 : 0;
  let at = writeName(name, query, HEADER);
  query[at++] = type >> 8;
  query[at++] = type & 0xff;
  query[at++] = 0;
  query[at++] = CLASS_IN;
  if (edns) for (const octet of OPT) query[at++] = octet;
  // Escapes take more room in text.
  return at === end ? query : query.subarray(0, at);
}

/** An empty name and the type; the class is the size that we accept, and the rest is zero. */
const OPT: readonly number[] = [0, 0, TYPE.OPT, EDNS_SIZE >> 8, EDNS_SIZE & 0xff, 0, 0, 0, 0, 0, 0];

export function setId(query: Buffer, id: number): void {
  query.writeUInt16BE(id, 0);
}

/** The id of a message, read before anything else; -1 if there is none. */
export function idOf(bytes: Buffer): number {
  return bytes.length < HEADER ? -1 : bytes.readUInt16BE(0);
}

/**
 * Reads a response. `asked` is the question that it should answer, and `query` the message that put it:
 * nearly every server repeats it octet by octet, and then `question` is `asked` itself. Throws MessageError
 * for bytes that are not a response.
 */
export function decodeResponse(
  bytes: Buffer,
  asked: Question | null = null,
  query: Buffer | null = null,
): Response {
  if (bytes.length < HEADER) throw new MessageError('shorter than a header');
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG.QR) === 0 || (flags & OPCODE) !== 0) throw new MessageError('not a response to a query');
  const questions = bytes.readUInt16BE(4);
  if (questions > 1) throw new MessageError('more than one question');
  let at = HEADER;
  let question: Question | null = null;
  if (questions === 1) {
    const repeated = query === null ? -1 : endOfRepeated(bytes, query);
    if (repeated !== -1 && asked !== null) {
      question = asked;
      at = repeated;
    } else {
      const { name, end } = decodeName(bytes, at);
      if (end + 4 > bytes.length) throw new MessageError('a question runs past the end');
      if (bytes.readUInt16BE(end + 2) !== CLASS_IN) throw new MessageError('a question of another class');
      question = { name, type: bytes.readUInt16BE(end) };
      at = end + 4;
    }
  }
  const truncated = (flags & FLAG.TC) !== 0;
  const reader = new Reader(bytes, at, question);
  // Some servers count records that they then leave out. What is truncated is asked again over TCP anyway.
  const answers = truncated ? NO_RECORDS : reader.section(bytes.readUInt16BE(6), MOST_ANSWERS);
  const authorities = truncated ? NO_RECORDS : reader.section(bytes.readUInt16BE(8), MOST_SOAS, TYPE.SOA);
  if (!truncated) reader.section(bytes.readUInt16BE(10), 0);
  const { opt } = reader;
  // Written as one literal: spreading parts into it would cost more than all the reading.
  return {
    bytes,
    id: bytes.readUInt16BE(0),
    truncated,
    lame: (flags & (FLAG.AA | FLAG.RA)) === 0,
    authenticated: (flags & FLAG.AD) !== 0,
    rcode: (flags & 0xf) | (opt === null ? 0 : (opt.extra >>> 24) << 4),
    question,
    answers,
    authorities,
    errors: opt === null || opt.start === opt.end ? NO_ERRORS : extendedErrors(bytes, opt.start, opt.end),
    edns: opt !== null,
  };
}

/** The offset after the question in a response that repeats that of the query; -1 if it does not. */
function endOfRepeated(bytes: Buffer, query: Buffer): number {
  const end = query.length - (query[11] === 1 ? OPT.length : 0);
  if (bytes.length < end) return -1;
  for (let at = HEADER; at < end; at++) if (bytes[at] !== query[at]) return -1;
  return end;
}

/** One more than a check gets to see, which shows that there are more. */
const MOST_ANSWERS = MAX_RECORDS + 1;
/** Of the authority section only an SOA is looked at: that of the zone which says "no". */
const MOST_SOAS = 64;

class Reader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #question: Question | null;
  /** Its name in lower case, once somebody wants it. */
  #asked: string | null = null;
  /** The pseudo record of EDNS; `extra` is where other records have their TTL. */
  opt: { readonly extra: number; readonly start: number; readonly end: number } | null = null;

  /** `question` is the one in the message, if there is one. */
  constructor(bytes: Buffer, at: number, question: Question | null) {
    this.#bytes = bytes;
    this.#at = at;
    this.#question = question;
  }

  /**
   * Up to `most` records, of any type or of the only one that is wanted; those of other classes, and what
   * comes after, are skipped.
   */
  section(count: number, most: number, only: number | null = null): readonly ResourceRecord[] {
    const bytes = this.#bytes;
    let records = NO_RECORDS as ResourceRecord[];
    for (let i = 0; i < count; i++) {
      const ownerAt = this.#at;
      const end = skipName(bytes, ownerAt);
      if (end + 10 > bytes.length) throw new MessageError('a record runs past the end');
      const type = bytes.readUInt16BE(end);
      const ttl = bytes.readUInt32BE(end + 4);
      const start = end + 10;
      const stop = start + bytes.readUInt16BE(end + 8);
      if (stop > bytes.length) throw new MessageError('a record runs past the end');
      this.#at = stop;
      if (type === TYPE.OPT) this.opt ??= { extra: ttl, start, end: stop };
      else if (
        records.length < most &&
        (only === null || type === only) &&
        bytes.readUInt16BE(end + 2) === CLASS_IN
      ) {
        const owner = this.#ownerAt(ownerAt);
        // RFC 2181 §8: a TTL with its highest bit set counts as zero.
        const record = { owner, type, ttl: ttl > 0x7fff_ffff ? 0 : ttl, start, end: stop };
        if (records.length === 0) records = [record];
        else records.push(record);
      }
    }
    return records;
  }

  /** Nearly all owners are pointers to the name in the question, which comes first. */
  #ownerAt(at: number): string {
    const pointsThere = this.#bytes.readUInt16BE(at) === (0xc000 | HEADER);
    if (pointsThere && this.#question !== null) return (this.#asked ??= foldCase(this.#question.name));
    return foldCase(decodeName(this.#bytes, at).name);
  }
}

const NO_RECORDS: readonly ResourceRecord[] = [];
const NO_ERRORS: readonly ExtendedError[] = [];

/** Options that run past the end are left out: they are remarks, and no reason to drop the answer. */
function extendedErrors(bytes: Buffer, start: number, end: number): ExtendedError[] {
  const errors: ExtendedError[] = [];
  for (let at = start; at + 4 <= end;) {
    const option = bytes.readUInt16BE(at);
    const stop = at + 4 + bytes.readUInt16BE(at + 2);
    if (stop > end) break;
    if (option === EDE_OPTION && stop >= at + 6 && errors.length < MAX_ERRORS) {
      const text = bytes.toString('utf8', at + 6, Math.min(stop, at + 6 + MAX_ERROR_TEXT));
      errors.push({ code: bytes.readUInt16BE(at + 4), text: text.replace(/\0$/, '') });
    }
    at = stop;
  }
  return errors;
}
