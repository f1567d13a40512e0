/** An envelope mailbox in the one spelling used for comparison. */
import { isQueryName } from '../core/domain.ts';
import { parseHelo } from '../core/helo.ts';
import { writtenName } from './written-name.ts';

export interface Mailbox {
  /**
   * In lower case; RFC 5321 §2.4 leaves its case to the host that owns it, and hardly any host distinguishes
   * case.
   */
  readonly local: string;
  /** Canonical; empty for a bare `postmaster` (RFC 5321 §4.1.1.3). */
  readonly domain: string;
}

/**
 * Reads a path without its angle brackets. A source route (RFC 5321 appendix C) and needless quotes are
 * dropped. Total.
 */
export function parseMailbox(path: string): Mailbox {
  const address = path.startsWith('@') ? path.slice(path.indexOf(':') + 1) : path;
  const at = address.lastIndexOf('@');
  const local = at === -1 ? address : address.slice(0, at);
  const quoted = /^"(.*)"$/s.exec(local)?.[1]?.replaceAll(/\\(.)/gs, '$1');
  return {
    local: (quoted ?? local).toLowerCase().normalize('NFC'),
    domain: at === -1 ? '' : writtenName(address.slice(at + 1)),
  };
}

/** Whether it has a local part, and a domain that is a name or an address literal. */
export function isPlainMailbox({ local, domain }: Mailbox): boolean {
  return local !== '' && (isQueryName(domain) || parseHelo(domain).kind === 'literal');
}

/** The address in a path as MAIL and RCPT give it, with angle brackets or without. */
export function withoutBrackets(path: string): string {
  return path.startsWith('<') && path.endsWith('>') ? path.slice(1, -1) : path;
}
