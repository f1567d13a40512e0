/**
 * Does the name look made from the client's address, as access providers name their customers' hosts?
 * Legitimate senders do it too (large mail services name their pools this way), so it is never decisive on
 * its own.
 */
import { defineCheck, found, PROOF_LEAVES_NOTHING } from '../check.ts';
import { queryName } from '../helo.ts';
import { type IpAddress, ipv6Nibbles } from '../ip.ts';

export const dynamicName = defineCheck({
  name: 'dynamic',
  findings: {
    'helo-dynamic': {
      basis: 'form',
      summary: "the HELO name has the client's address, or most of it, written into it",
      reference: 'local practice',
      weight: { rfc5321: 2, emailcore: 2, strict: 3 },
      reason: 'typical of access lines, but also of large mail services: a hint, never a verdict',
      why: 'Access providers give such names to the lines of their customers. Mail straight from such a line mostly comes from infected machines.',
      remedies: ['send-by-relay'],
      reply: 'HELO {helo} looks like the name of an access line ({encoding})',
      fix: 'use the mail relay of your provider',
      excusedByOptOut: true,
      excusedByProof: PROOF_LEAVES_NOTHING,
      cure: 'announce',
    },
  },
  run({ ip, helo }) {
    const name = queryName(helo);
    if (ip === null || name === null) return 'none';
    const encoding = encodingOf(name, ip);
    return encoding === null ? 'none' : found('helo-dynamic', { helo: helo.text, encoding });
  },
});

/** How the address is written into a (canonical) name, for a person; null if it is not. */
export function encodingOf(name: string, ip: IpAddress): string | null {
  return ip.family === 4 ? ipv4Encoding(name, ip.bytes) : ipv6Encoding(name, ip);
}

/** Words that make two octets in a name enough. */
const ACCESS_WORD =
  /(?:^|[^a-z])(?:a?dsl|broadband|cable|client|cust(?:omer)?|dhcp|dial(?:up|in)?|dyn(?:amic)?|ftth|modem|pool|ppp(?:oe)?|res(?:idential)?|user|wlan)(?:[^a-z]|$)/;

/** The least that all four octets take without separators; few names have so much. */
const LONG_RUN = /[0-9a-f]{8}/;

/** How an IPv4 address is written into a name, or null. */
function ipv4Encoding(name: string, octets: readonly number[]): string | null {
  const orders: readonly (readonly [string, readonly number[]])[] = [
    ['decimal', octets],
    ['reversed decimal', octets.toReversed()],
  ];
  const mayRun = LONG_RUN.test(name);
  for (const [order, sequence] of orders) {
    if (hasNumbers(name, sequence)) return order;
    if (!mayRun) continue;
    const padded = sequence.map((octet) => String(octet).padStart(3, '0')).join('');
    if (hasToken(name, padded, '0-9')) return order;
    const hex = sequence.map((octet) => octet.toString(16).padStart(2, '0')).join('');
    if (hasToken(name, hex, '0-9a-f')) return order.replace('decimal', 'hexadecimal');
  }
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (mayRun && value > 0xffffff && hasToken(name, String(value), '0-9')) return 'decimal number';
  return partOf(name.replaceAll(OTHER_ADDRESS, 'x'), orders);
}

/**
 * Four numbers or more between separators. The whole address of the client is not among them, so that they
 * are the address of another host, however much the two have in common.
 */
const OTHER_ADDRESS = /(?<!\d)\d{1,3}(?:[-._x]+\d{1,3}){3,}(?!\d)/g;

/** How a part of the address that is enough is written into a name, or null. */
function partOf(
  name: string,
  orders: readonly (readonly [order: string, sequence: readonly number[]])[],
): string | null {
  for (const [order, sequence] of orders) {
    if (hasNumbers(name, sequence.slice(0, 3)) || hasNumbers(name, sequence.slice(1))) {
      return `three octets, ${order}`;
    }
    const lastTwo = order === 'decimal' ? sequence.slice(2) : sequence.slice(0, 2);
    if (ACCESS_WORD.test(name) && hasNumbers(name, lastTwo)) return `two octets, ${order}`;
  }
  return null;
}

/**
 * Whether the numbers occur in the name one after another, between separators; leading zeros do not matter.
 * Few names contain all of them, and making a regular expression for one client costs more than looking for
 * each number.
 */
export function hasNumbers(name: string, numbers: readonly number[]): boolean {
  if (!numbers.every((number) => name.includes(String(number)))) return false;
  return new RegExp(`(?<!\\d)0*${numbers.join('[-._x]+0*')}(?!\\d)`).test(name);
}

/** Whether the token occurs in the name without characters of the class `alphabet` next to it. */
export function hasToken(name: string, token: string, alphabet: string): boolean {
  if (!name.includes(token)) return false;
  return new RegExp(`(?<![${alphabet}])${token}(?![${alphabet}])`).test(name);
}

/** How an IPv6 address is written into a name, or null. */
function ipv6Encoding(name: string, ip: IpAddress): string | null {
  const nibbles = ipv6Nibbles(ip);
  const compact = name.replaceAll(/[-._x]/g, '');
  if (compact.includes(nibbles.join(''))) return 'hexadecimal';
  if (compact.includes(nibbles.toReversed().join(''))) return 'reversed hexadecimal';
  if (name.includes(ip.text.replaceAll('::', '--').replaceAll(':', '-')) && ip.text.length > 6) {
    return 'hexadecimal groups';
  }
  const host = nibbles.slice(16);
  // An interface identifier like ::1 is in half the names of the world: ask for some substance.
  if (host.filter((nibble) => nibble !== '0').length < 6) return null;
  return compact.includes(host.join('')) ? 'interface identifier, hexadecimal' : null;
}
