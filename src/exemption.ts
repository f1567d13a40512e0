/**
 * Whose mail is never refused, and why: the word that the log gives for it. Knows the MTA by its macros only.
 */
import { type IpAddress, type IpPrefix, isLoopback, prefixContains } from './core/ip.ts';
import { parseMailbox } from './mailbox.ts';

export interface ExemptionOptions {
  /** Clients that are never refused, besides loopback. */
  readonly trusted: readonly IpPrefix[];
  /** Names and ports of the MTA's services whose clients are never refused, in lower case. */
  readonly exemptDaemons: readonly string[];
}

/** What the MTA tells of a session. */
interface Macros {
  macro(name: string): string | undefined;
}

/** At CONNECT: by the way in which the client came. */
export function exemptClient(
  family: string,
  ip: IpAddress | null,
  macros: Macros,
  { trusted, exemptDaemons }: ExemptionOptions,
): string | null {
  if (family === 'unix') return 'local';
  if (isExemptService(macros, exemptDaemons)) return 'service';
  if (ip === null) return null;
  if (isLoopback(ip)) return 'loopback';
  return trusted.some((prefix) => prefixContains(prefix, ip)) ? 'trusted' : null;
}

/** The service may be told at CONNECT or later, by what macros the MTA was asked for. */
function isExemptService(macros: Macros, exemptDaemons: readonly string[]): boolean {
  // Asked at every session, and most have no such services.
  if (exemptDaemons.length === 0) return false;
  return [macros.macro('daemon_name'), macros.macro('daemon_port')].some(
    (each) => each !== undefined && exemptDaemons.includes(each.toLowerCase()),
  );
}

/**
 * At MAIL: by where it came in, and by who the client has shown to be. Both MTAs set `{auth_authen}` once it has logged in (Postfix also through
 * XCLIENT), and `{cert_subject}` for a TLS client certificate: Postfix for a trusted one only (`smtpd_milter.c`),
 * Sendmail for any, with `{verify}` to tell.
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
