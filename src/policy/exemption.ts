/** Whose mail is never refused, and why. Knows the MTA only by its macros. */
import { clientAddress } from '../core/embedded.ts';
import { type IpAddress, type IpPrefix, isLoopback, prefixContains } from '../core/ip.ts';
import { parseMailbox } from './mailbox.ts';

/** Why a verdict is not acted on: the word that the log gives, and what it means. Words are public API. */
export const EXEMPTIONS = {
  authenticated: 'the client has logged in',
  certificate: 'it has a TLS certificate that the MTA trusts',
  service: 'it came to a service of `--exempt-daemon`',
  loopback: 'it is this host',
  local: 'it came over a unix socket or a pipe (`sendmail -bs`)',
  trusted: 'it is in a network of `--trust`',
  postmaster: 'the mail is for postmaster',
  abuse: 'the mail is for abuse',
  'opted-out': 'the recipient is `off` in the list of `--recipient-policy`',
  access: 'a line of the access list allows it',
  'tempfail-limit': 'its sender has been tempfailed often enough',
} as const;

export type Exemption = keyof typeof EXEMPTIONS;

export function isExemption(word: unknown): word is Exemption {
  return typeof word === 'string' && Object.hasOwn(EXEMPTIONS, word);
}

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
): Exemption | null {
  if (peer.family === 'unix' || isOnPipe(peer, macros)) return 'local';
  if (isExemptService(macros, exemptDaemons)) return 'service';
  return ip === null ? null : exemptBy(ip, trusted);
}

/** By nothing but its address: that which the MTA sees, or the one behind our NAT64. */
export function exemptAddress(
  client: IpAddress,
  { trusted, nat64 }: { readonly trusted: readonly IpPrefix[]; readonly nat64: readonly IpPrefix[] },
): Exemption | null {
  return exemptBy(clientAddress(client, nat64), trusted) ?? exemptBy(client, trusted);
}

function exemptBy(ip: IpAddress, trusted: readonly IpPrefix[]): Exemption | null {
  if (isLoopback(ip)) return 'loopback';
  return isTrusted(ip, trusted) ? 'trusted' : null;
}

/** Whether the operator lets this address in. */
export function isTrusted(ip: IpAddress, trusted: readonly IpPrefix[]): boolean {
  return trusted.some((prefix) => prefixContains(prefix, ip));
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
): Exemption | null {
  if (isExemptService(macros, exemptDaemons)) return 'service';
  if ((macros.macro('auth_authen') ?? '') !== '') return 'authenticated';
  const verified = macros.macro('verify') ?? 'OK';
  return (macros.macro('cert_subject') ?? '') !== '' && verified === 'OK' ? 'certificate' : null;
}

/** RFC 5321 §4.5.1 and RFC 2142: the two mailboxes at which a refused sender must be able to ask why. */
export function exemptRecipient(address: string): Exemption | null {
  const { local } = parseMailbox(address);
  return local === 'postmaster' || local === 'abuse' ? local : null;
}

/** Whether a tempfail would be given, but for the limit. */
export function mayBeDelayed(exempt: Exemption | null): boolean {
  return exempt === null || exempt === 'tempfail-limit';
}

/** Exemptions that only the MTA can tell: they rest on how the client came in, not on the configuration. */
const TOLD_BY_MTA: ReadonlySet<string> = new Set<Exemption>([
  'authenticated',
  'certificate',
  'service',
  'local',
]);

/** Whether an exemption of the past still stands when a session is judged again. */
export function isToldByMta(exempt: Exemption | null): boolean {
  return exempt !== null && TOLD_BY_MTA.has(exempt);
}
