/** Domain names as people and SMTPUTF8 write them, in any script, and in the one form in which names are compared. */
import { canonicalName } from '../core/domain.ts';

/** A URL reads its authority: what would mean a port, a user or a path there is kept away from it. */
const INTERNATIONAL = /^[\p{L}\p{M}\p{N}._\u200c\u200d\u3002\uff0e\uff61-]+$/u;

/**
 * The canonical name, A-labels for U-labels (RFC 5890, by the mapping of UTS #46, as browsers and mail programs do it): so
 * `Bücher.test.` is `xn--bcher-kva.test`. What is no such name is only canonical, and no name that DNS knows. Total.
 */
export function writtenName(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return canonicalName(text);
  const ascii = INTERNATIONAL.test(text) ? hostOf(text.normalize('NFC')) : '';
  return canonicalName(ascii === '' ? text : ascii);
}

/** Text of the wire, a character an octet, as it is meant: UTF-8 (RFC 6531), or as it stands where it is none. Total. */
export function textOfWire(octets: string): string {
  if (/^[\0-\x7f]*$/.test(octets)) return octets;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(octets, 'latin1'));
  } catch {
    return octets;
  }
}

/** By the URL standard, which a browser and Node both have; empty for what is no host. */
function hostOf(name: string): string {
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return '';
  }
}
