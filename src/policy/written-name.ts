/**
 * Domain names as people and SMTPUTF8 write them, in any script, and in the one form in which names are
 * compared.
 */
import { canonicalName } from '../core/domain.ts';

/** The URL parser must not see what would mean a port, a user or a path to it. */
const INTERNATIONAL = /^[\p{L}\p{M}\p{N}._\u200c\u200d\u3002\uff0e\uff61-]+$/u;

/**
 * The canonical name, A-labels for U-labels (RFC 5890, by the mapping of UTS #46, as browsers and mail
 * programs do it): so `Bücher.test.` is `xn--bcher-kva.test`. Anything else is only made canonical, and DNS
 * will not know it. Total.
 */
export function writtenName(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return canonicalName(text);
  const ascii = INTERNATIONAL.test(text) ? hostOf(text.normalize('NFC')) : '';
  return canonicalName(ascii === '' ? text : ascii);
}

/**
 * Text from the wire, one character per octet, decoded as UTF-8 (RFC 6531), or left as it is if it is not
 * UTF-8. Total.
 */
export function textOfWire(octets: string): string {
  if (/^[\0-\x7f]*$/.test(octets)) return octets;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(octets, (octet) => octet.charCodeAt(0)),
    );
  } catch {
    return octets;
  }
}

/** By the URL standard, which browsers and Node both have; empty for what is not a host. */
function hostOf(name: string): string {
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return '';
  }
}
