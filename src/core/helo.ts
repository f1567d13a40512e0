/**
 * Reads the argument of HELO or EHLO. Total: any string gives a Helo, nothing throws.
 *
 * The grammar is RFC 5321 §4.1.1.1–§4.1.3 to the letter, so `Jupiter` and `192.0.2.1` are grammatical domains
 * and `this is Jupiter` is not. What a name should be beyond grammar (an FQDN that resolves) is for the
 * checks to say.
 *
 * Input is one character per byte (latin1): an MTA hands the bytes over as the client sent them.
 */
import { ipFromBytes, type IpAddress, parseIp } from './ip.ts';

/** `text` is always what the client said, untouched. */
export type Helo =
  /** No HELO at all, or an empty argument. */
  | { readonly kind: 'missing'; readonly text: string }
  /** Not in the grammar; `problem` says why, in words fit for a log. */
  | { readonly kind: 'invalid'; readonly text: string; readonly problem: string }
  | HeloDomain
  /** An address without the brackets that would make it a literal. */
  | { readonly kind: 'bare-ip'; readonly text: string; readonly address: IpAddress }
  | HeloLiteral
  /** Begins like an address literal but is not one; `problem` says why. */
  | { readonly kind: 'literal-malformed'; readonly text: string; readonly problem: string };

/** A HELO argument that is a domain, or near enough to one that DNS can be asked. */
export interface HeloDomain {
  readonly kind: 'domain';
  readonly text: string;
  /** Canonical: lower case, without a final dot. */
  readonly name: string;
  readonly labels: readonly string[];
  /** Ends in a dot: outside the grammar, meant as "absolute". */
  readonly trailingDot: boolean;
  /** Holds an underscore: outside the grammar, common, and usable as a DNS name. */
  readonly underscore: boolean;
}

/** A HELO argument that is an address literal, such as `[192.0.2.1]` (RFC 5321 §4.1.3). */
export interface HeloLiteral {
  readonly kind: 'literal';
  readonly text: string;
  readonly address: IpAddress;
  /** Text after the bracket: servers should "be prepared for this string" (RFC 5321 §4.1.1.1). */
  readonly trailing: string;
}

/**
 * Text longer than this is not looked at: RFC 5321 §4.5.3.1.2 allows 255 octets, §4.5.3.1.4 a line of 512.
 */
const MAX_LENGTH = 255;

/**
 * Takes the argument of HELO or EHLO apart. Never throws: what is neither a domain nor a literal has a kind
 * of its own.
 */
export function parseHelo(text: string): Helo {
  if (text === '') return { kind: 'missing', text };
  if (text.startsWith('[')) return parseLiteral(text);
  if (text.length > MAX_LENGTH) return invalid(text, `${text.length} octets, the limit is ${MAX_LENGTH}`);
  const bare = parseDottedQuad(text) ?? (text.includes(':') ? parseIp(text) : null);
  if (bare !== null) return { kind: 'bare-ip', text, address: bare };
  return parseDomain(text);
}

/**
 * The name to ask DNS about, or null where there is none to ask: literals, junk, a single label (which no
 * search list will complete), a numeric top-level domain, a special-use name.
 */
export function queryName(helo: Helo): string | null {
  if (helo.kind !== 'domain' || helo.name.length > 253) return null;
  if (helo.labels.length < 2 || hasNumericTld(helo) || specialUseDomain(helo) !== null) return null;
  return helo.name;
}

/** RFC 1123 §2.1: the highest-level label is alphabetic, so a name ending in digits is not a host name. */
export function hasNumericTld(helo: HeloDomain): boolean {
  return /^\d+$/.test(helo.labels.at(-1) ?? '');
}

/**
 * The special-use domain that a name lies in, or null. example.com, example.net and example.org are not among
 * them: they are registered and resolve.
 */
export function specialUseDomain(helo: HeloDomain): string | null {
  const tld = helo.labels.at(-1) ?? '';
  if (SPECIAL_USE_TLDS.has(tld)) return tld;
  return helo.name === 'home.arpa' || helo.name.endsWith('.home.arpa') ? 'home.arpa' : null;
}

const SPECIAL_USE_TLDS: ReadonlySet<string> = new Set([
  'example', // RFC 6761
  'invalid', // RFC 6761
  'localhost', // RFC 6761
  'test', // RFC 6761
  'local', // RFC 6762
  'onion', // RFC 7686
  'alt', // RFC 9476
  'internal', // reserved by ICANN for private use, 2024
  'localdomain', // by habit; never delegated
  'lan', // by habit; never delegated
  'home', // delegation refused by ICANN for name collisions, 2018
  'corp', // likewise
]);

function invalid(text: string, problem: string): Helo {
  return { kind: 'invalid', text, problem };
}

/**
 * RFC 5321 §4.1.2 `Domain`, with the underscore let through for a finding of its own; RFC 1035 §2.3.4. Read
 * for each session that the cache knows, so it is one expression.
 */
const DOMAIN = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

function parseDomain(text: string): Helo {
  const trailingDot = text.endsWith('.');
  const name = (trailingDot ? text.slice(0, -1) : text).toLowerCase();
  const labels = name.split('.');
  if (!DOMAIN.test(name)) return invalid(text, domainProblem(labels));
  // 253 characters of text make the 255 octets that RFC 1035 §2.3.4 allows on the wire.
  if (name.length > 253) return invalid(text, `a name of ${name.length} octets cannot be in DNS`);
  return { kind: 'domain', text, name, labels, trailingDot, underscore: name.includes('_') };
}

/** Says of the first label that is outside the grammar what is wrong with it. */
function domainProblem(labels: readonly string[]): string {
  for (const label of labels) {
    if (label === '') return 'empty label';
    const bad = /[^a-z0-9_-]/.exec(label);
    if (bad !== null) return `${characterName(bad[0])} is not allowed in a domain`;
    if (label.startsWith('-') || label.endsWith('-')) return 'label begins or ends with a hyphen';
    if (label.length > 63) return `label of ${label.length} octets, the limit is 63`;
  }
  return 'not a domain';
}

function characterName(character: string): string {
  const code = character.charCodeAt(0);
  if (code === 0x20) return 'a space';
  if (code < 0x20 || code === 0x7f) return 'a control character';
  if (code > 0x7f) return 'an octet beyond ASCII';
  return SPELLED[character] ?? `"${character}"`;
}

/** Characters that a reply cannot hold, in words. */
const SPELLED: Readonly<Record<string, string>> = {
  '"': 'a quotation mark',
  "'": 'an apostrophe',
  '(': 'a parenthesis',
  ')': 'a parenthesis',
  ';': 'a semicolon',
  '<': 'an angle bracket',
  '>': 'an angle bracket',
  '@': 'an at sign',
  '?': 'a question mark',
  '\\': 'a backslash',
};

/** RFC 5321 §4.1.3 `Snum 3("." Snum)`: one to three digits each, leading zeros are decimal. */
function parseDottedQuad(text: string): IpAddress | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const octets = match.slice(1).map(Number);
  return octets.some((octet) => octet > 255) ? null : ipFromBytes(octets);
}

function parseLiteral(text: string): Helo {
  const malformed = (problem: string): Helo => ({ kind: 'literal-malformed', text, problem });
  const close = text.indexOf(']');
  if (close === -1) return malformed('no closing bracket');
  const trailing = text.slice(close + 1);
  if (trailing !== '' && !trailing.startsWith(' ')) return malformed('text right after the closing bracket');
  if (text.length > 512) return malformed(`${text.length} octets`);
  const inner = text.slice(1, close);
  if (/^IPv6:/i.test(inner)) {
    const address = parseLiteralIpv6(inner.slice(5));
    return address === null
      ? malformed('not an IPv6 address by RFC 5321')
      : { kind: 'literal', text, address, trailing: trailing.trim() };
  }
  const address = parseDottedQuad(inner);
  if (address !== null) return { kind: 'literal', text, address, trailing: trailing.trim() };
  if (parseIp(inner) !== null) return malformed('the tag "IPv6:" is missing');
  const tag = /^([A-Za-z0-9-]*[A-Za-z0-9]):/.exec(inner)?.[1];
  // RFC 5321 §4.1.3: a tag must be registered with IANA, and IPv6 is the only one that is.
  return malformed(tag === undefined ? 'no address inside the brackets' : `"${tag}" is not a registered tag`);
}

/**
 * RFC 5321 §4.1.3 `IPv6-addr`: like RFC 4291, but `::` stands for at least two groups, so at most six other
 * groups (or four and a dotted quad) may be there. Zones are never allowed; the quad is of Snum.
 */
function parseLiteralIpv6(text: string): IpAddress | null {
  const quad = /(?:^|:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)?.[1];
  let plain = text;
  if (quad !== undefined) {
    const address = parseDottedQuad(quad);
    if (address === null) return null;
    plain = text.slice(0, -quad.length) + address.text;
  }
  const groups = plain.split(':').filter((group) => group !== '').length + (quad === undefined ? 0 : 1);
  if (plain.includes('::') && groups > 6) return null;
  return plain.includes(':') ? parseIp(plain) : null;
}
