/**
 * Who handed the message over, from the words and comments behind `from`. What Postfix, Sendmail and Exim
 * write there, by their sources (`smtpd.c`; `conf.c` and `$_` of the operations guide;
 * `host_build_sender_fullhost`):
 *
 *     HELO (NAME [IP])                       Postfix, Sendmail, OpenSMTPD; NAME may be `unknown`
 *     HELO (NAME [IP] (may be forged))       Sendmail, where the name does not lead back to the address
 *     HELO (USER@NAME [IP])                  Sendmail with an answer by ident; also `IDENT:USER@NAME`
 *     HELO ([IP])                            Sendmail without a name
 *     NAME ([IP])                            Exim, where HELO was the verified name
 *     NAME ([IP]:PORT helo=HELO ident=USER)  Exim; port and ident as configured
 *     [IP] (port=PORT helo=HELO ident=USER)  Exim without a name
 *     [IP]                                   Exim, where HELO was the client's own literal, or was not said
 *
 * An IPv6 address has the tag `IPv6:` but in Exim. The address always stands where the client's words cannot
 * reach: behind them at the end of the comment, or before them.
 */
import { type IpAddress, parseIp } from '../core/ip.ts';

export interface ReceivedFrom {
  /** As the MTA wrote it; null where it cannot be told what was said, or whether anything was. */
  readonly helo: string | null;
  /** Null where the MTA knew none. */
  readonly ip: IpAddress | null;
  /** A name that the MTA has found to lead back to the address; null if it has none, or does not say. */
  readonly name: string | null;
}

/**
 * `word` follows `from`, and `comment` follows it; null where there is none. `greeted` says that EHLO was
 * given, not HELO or nothing. Null for what has none of these forms.
 */
export function readPeer(word: string, comment: string | null, greeted: boolean): ReceivedFrom | null {
  const literal = addressIn(word);
  if (literal !== null && (comment === null || /^(?:port|helo|ident)=/.test(comment))) {
    const told = readItems(comment ?? '');
    // With an address of its own in the comment this is Sendmail's form, an ident server's words first, or
    // nothing certain.
    if (told === null || comment?.includes(' [') === true) return null;
    return { helo: told.helo ?? (greeted ? literalOf(literal) : null), ip: literal, name: null };
  }
  if (comment === null) return null;
  return comment.startsWith('[') ? addressFirst(word, comment, greeted) : addressLast(word, comment, greeted);
}

/** `[IP]`, and what Exim adds to it. */
function addressFirst(word: string, comment: string, greeted: boolean): ReceivedFrom | null {
  const close = comment.indexOf(']') + 1;
  const ip = addressIn(comment.slice(0, close));
  if (ip === null) return null;
  // Sendmail says so only behind a name, but means the same.
  const rest = comment.slice(close).replace(/^ ?\(may be forged\)$/, '');
  const told = readItems(rest);
  if (told === null) return null;
  if (told.helo !== null) return { helo: told.helo, ip, name: word };
  // Here `word` is what Exim verified, or what a client told Sendmail: as a name it proves nothing.
  return { helo: !greeted && addressIn(word) !== null ? null : word, ip, name: null };
}

/** `NAME [IP]`: the last bracket is the MTA's own, whatever an ident server has answered. */
function addressLast(word: string, comment: string, greeted: boolean): ReceivedFrom | null {
  const forged = comment.endsWith(' (may be forged)');
  const told = forged ? comment.slice(0, -' (may be forged)'.length) : comment;
  const open = told.lastIndexOf(' [');
  if (open === -1 || !told.endsWith(']')) return null;
  const before = told.slice(0, open);
  const name = before.slice(before.lastIndexOf('@') + 1);
  const address = told.slice(open + 1);
  const ip = addressIn(address);
  if ((ip === null && address !== '[unknown]') || !/^[\w.-]+$/.test(name)) return null;
  const verified = forged || name.toLowerCase() === 'unknown' ? null : name;
  // Without HELO an MTA puts the name that it knows in its place: a verified one is what a client may well
  // have said.
  const stoodIn = !greeted && word === name && verified === null;
  return { helo: stoodIn ? null : word, ip, name: verified };
}

/**
 * What Exim puts behind an address. A HELO with blanks in it (`helo_accept_junk_hosts`) has no certain end.
 */
function readItems(text: string): { readonly helo: string | null } | null {
  const items = /^(?::\d+|port=\d+)?(?: ?helo=(\S+))?(?: ?ident=.*)?$/s.exec(text);
  return items === null ? null : { helo: items[1] ?? null };
}

/** The address in `[192.0.2.1]`, `[IPv6:2001:db8::1]` or `[2001:db8::1]`. */
function addressIn(text: string): IpAddress | null {
  if (!text.startsWith('[') || !text.endsWith(']') || text.length > 60) return null;
  const inner = text.slice(1, -1);
  return parseIp(/^IPv6:/i.test(inner) ? inner.slice('IPv6:'.length) : inner);
}

/** RFC 5321 §4.1.3. Exim takes literals without the tag too, and does not say which one was given. */
function literalOf({ family, text }: IpAddress): string {
  return family === 4 ? `[${text}]` : `[IPv6:${text}]`;
}
