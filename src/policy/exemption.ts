/**
 * Whose mail is never refused, and the word for the reason in the log. Knows the MTA only by its macros.
 */
import { type IpAddress, type IpPrefix, isLoopback, prefixContains } from '../core/ip.ts';
import { parseMailbox } from './mailbox.ts';

export interface ExemptionOptions {
  /** Clients that are never refused, besides loopback. */
  readonly trusted: readonly IpPrefix[];
  /** Names and ports of the MTA's services whose clients are never refused, in lower case. */
  readonly exemptDaemons: readonly string[];
}

/** What the MTA says about a session. */
interface Macros {
  macro(name: string): string | undefined;
}

/** What the MTA says about a client at CONNECT. */
interface Peer {
  readonly family: string;
  readonly hostname: string;
}

/** At CONNECT: by how the client came in. */
export function exemptClient(
  peer: Peer,
  ip: IpAddress | null,
  macros: Macros,
  { trusted, exemptDaemons }: ExemptionOptions,
): string | null {
  if (peer.family === 'unix' || isOnPipe(peer, macros)) return 'local';
  if (isExemptService(macros, exemptDaemons)) return 'service';
  if (ip === null) return null;
  if (isLoopback(ip)) return 'loopback';
  return trusted.some((prefix) => prefixContains(prefix, ip)) ? 'trusted' : null;
}

/**
 * Whether a program on this host talks to the MTA through a pipe, as with `sendmail -bs`. It has no address,
 * and the MTA calls it `localhost`, which proves nothing on its own:
 *
 * - Sendmail also says `localhost` for a client whose name it could not ask for (`srvrsmtp.c`), and where
 *   inetd starts it, a stranger who resets the connection at once leaves no address behind (`getauthinfo` in
 *   `daemon.c`: getpeername fails) while its commands wait to be read.
 * - Postfix lets a proxy say `XCLIENT NAME=localhost ADDR=[UNAVAILABLE]`. For a client that is gone it says
 *   `unknown`.
 *
 * The macro `_` tells them apart. Sendmail writes `USER@localhost`, the user who runs it, where the
 * descriptor is not a socket, and nothing where a socket has no peer; Postfix writes `localhost [127.0.0.1]`
 * where it is not an Internet socket (`smtpd_peer.c`), and `[unknown]` where it knows no address.
 */
export function isOnPipe({ family, hostname }: Peer, macros: Macros): boolean {
  if (family !== 'unknown' || hostname !== 'localhost') return false;
  return /^(?:[^@[\]]+@localhost|localhost \[(?:127\.0\.0\.1|::1)\])$/.test(macros.macro('_') ?? '');
}

/** The MTA names the service at CONNECT or later, depending on the macros it was asked for. */
function isExemptService(macros: Macros, exemptDaemons: readonly string[]): boolean {
  // This runs in every session, and most installations name no such service.
  if (exemptDaemons.length === 0) return false;
  return [macros.macro('daemon_name'), macros.macro('daemon_port')].some(
    (each) => each !== undefined && exemptDaemons.includes(each.toLowerCase()),
  );
}

/**
 * At MAIL: by where the mail came in, and by who the client has shown itself to be. Both MTAs set
 * `{auth_authen}` once it has logged in (Postfix also through XCLIENT), and `{cert_subject}` for a TLS client
 * certificate: Postfix for a trusted one only (`smtpd_milter.c`), Sendmail for any, with `{verify}` to tell.
 */
export function exemptSender(
  macros: Macros,
  { exemptDaemons }: Pick<ExemptionOptions, 'exemptDaemons'>,
): string | null {
  if (isExemptService(macros, exemptDaemons)) return 'service';
  if ((macros.macro('auth_authen') ?? '') !== '') return 'authenticated';
  const verified = macros.macro('verify') ?? 'OK';
  return (macros.macro('cert_subject') ?? '') !== '' && verified === 'OK' ? 'certificate' : null;
}

/** RFC 5321 §4.5.1 and RFC 2142: the two mailboxes at which a refused sender must be able to ask why. */
export function exemptRecipient(address: string): string | null {
  const { local } = parseMailbox(address);
  return local === 'postmaster' || local === 'abuse' ? local : null;
}
