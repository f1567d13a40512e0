/**
 * Reads one Received field (RFC 5321 §4.4) in the forms of Postfix, Sendmail and Exim; `received-peer.ts` has
 * them. Anything that can be read in two ways is not read at all.
 */
import { canonicalName } from '../core/domain.ts';
import { parseMailDate } from './mail-date.ts';
import { type ReceivedFrom, readPeer } from './received-peer.ts';
import { type Piece, piecesOf } from './received-pieces.ts';

export interface ReceivedField {
  /** The host that wrote the field, canonical. */
  readonly by: string;
  /** Null where no host is named: mail from this host itself, or a client that is hidden. */
  readonly from: ReceivedFrom | null;
  /** How it came. `lmtp`: from an MTA to a mailbox (RFC 2033 §5). `fetched`: from a mailbox elsewhere. */
  readonly way: 'smtp' | 'lmtp' | 'local' | 'fetched';
  /** The client had logged in (RFC 3848: the `A` in ESMTPA and ESMTPSA). */
  readonly authenticated: boolean;
  /** The client had a TLS certificate that the MTA trusts. */
  readonly certified: boolean;
  /** As in RCPT, with its angle brackets; null where the field tells none. */
  readonly recipient: string | null;
  /** As in MAIL, likewise. */
  readonly sender: string | null;
  /** Unix time in milliseconds; null where the field has no date. */
  readonly time: number | null;
}

/** No MTA that we know writes a longer field: all the parts together have less than half of it. */
const MAX_FIELD = 8192;

/** The clauses behind `by HOST`; `tls` is Exim's. */
const CLAUSES: ReadonlySet<string> = new Set(['via', 'with', 'id', 'for', 'tls']);

/** Null for a field in no form that is known. `value` is what follows the colon. */
export function readReceived(value: string): ReceivedField | null {
  const read = value.length > MAX_FIELD ? null : piecesOf(value);
  if (read === null) return null;
  const at = read.pieces.findIndex((piece) => piece.kind === 'word' && piece.raw.toLowerCase() === 'by');
  // The name behind `from` may be "by" as well: it is the client's.
  const byAt = at === 1 && isFrom(read.pieces[0]) ? nextBy(read.pieces, 2) : at;
  if (byAt === -1) return null;
  const behind = clausesOf(read.pieces.slice(byAt + 1));
  if (behind === null) return null;
  const { by, clauses, comments } = behind;
  const protocol = (clauses.get('with') ?? '').toUpperCase();
  const before = originOf(read.pieces.slice(0, byAt), protocol);
  if (before === null) return null;
  const sender = comments.map((each) => /^envelope-from (<.*>)$/s.exec(each)?.[1]).find(isText);
  return {
    by: canonicalName(by),
    from: before.from,
    way: wayOf(protocol, before.from),
    authenticated:
      /^(?:(?:UTF8)?E?SMTPS?A|ASMTP)$/.test(protocol) ||
      before.comments.some((each) => /^authenticated(?: |$)/i.test(each)),
    certified:
      before.comments.some((each) => /^Client CN .*\(verified OK\)$/s.test(each)) ||
      comments.some((each) => /^version=.* verify=OK$/s.test(each)),
    recipient: bracketed(clauses.get('for')),
    sender: sender ?? null,
    time: read.date === null ? null : parseMailDate(read.date),
  };
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}

function isFrom(piece: Piece | undefined): boolean {
  return piece?.kind === 'word' && piece.raw.toLowerCase() === 'from';
}

function nextBy(pieces: readonly Piece[], from: number): number {
  return pieces.findIndex(({ kind, raw }, at) => at >= from && kind === 'word' && raw.toLowerCase() === 'by');
}

/**
 * `from WORD (COMMENT)…`, or nothing, or the comment `(from user@localhost)` of mail that this host itself
 * sends.
 */
function originOf(
  pieces: readonly Piece[],
  protocol: string,
): { readonly from: ReceivedFrom | null; readonly comments: readonly string[] } | null {
  const [from, word, ...others] = pieces;
  if (pieces.every(({ kind }) => kind === 'comment')) return { from: null, comments: [] };
  if (!isFrom(from) || word?.kind !== 'word') return null;
  // Delivery agents and those who fetch mail name the host in ways of their own. Nobody needs its address.
  if (isInner(protocol)) return { from: { helo: word.raw, ip: null, name: null }, comments: [] };
  if (others.some(({ kind }) => kind === 'word') || !isSmtp(protocol)) return null;
  const [first = null, ...more] = others.map(({ raw }) => raw);
  const peer = readPeer(word.raw, first, /^(?:UTF8|E)/.test(protocol));
  return peer === null ? null : { from: peer, comments: more };
}

/**
 * RFC 3848 and RFC 6531, and as Exim has put them together. HTTP, say, is how a web page takes mail: no HELO
 * is in that.
 */
function isSmtp(protocol: string): boolean {
  return protocol === '' || /^(?:(?:UTF8)?E?SMTPS?A?|ASMTP)$/.test(protocol);
}

function isInner(protocol: string): boolean {
  return /^(?:(?:UTF8)?LMTP|LOCAL)/.test(protocol) || isFetched(protocol);
}

function isFetched(protocol: string): boolean {
  return /^(?:POP3|IMAP)/.test(protocol);
}

function wayOf(protocol: string, from: ReceivedFrom | null): ReceivedField['way'] {
  if (isFetched(protocol)) return 'fetched';
  if (/^(?:UTF8)?LMTP/.test(protocol)) return 'lmtp';
  return from === null || protocol.startsWith('LOCAL') ? 'local' : 'smtp';
}

/**
 * `HOST` and the clauses behind it; null where there are words that belong to none, or a clause comes twice.
 */
function clausesOf(pieces: readonly Piece[]): {
  readonly by: string;
  readonly clauses: ReadonlyMap<string, string>;
  readonly comments: readonly string[];
} | null {
  const words = pieces.filter(({ kind }) => kind === 'word').map(({ raw }) => raw);
  const [by, ...rest] = words;
  if (by === undefined || pieces[0]?.kind !== 'word' || rest.length % 2 !== 0) return null;
  const clauses = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) {
    const key = (rest[i] ?? '').toLowerCase();
    if (!CLAUSES.has(key) || clauses.has(key)) return null;
    clauses.set(key, rest[i + 1] ?? '');
  }
  return { by, clauses, comments: pieces.filter(({ kind }) => kind === 'comment').map(({ raw }) => raw) };
}

/** As in the envelope; Exim writes an address alone. */
function bracketed(path: string | undefined): string | null {
  if (path === undefined) return null;
  return path.startsWith('<') ? path : `<${path}>`;
}
