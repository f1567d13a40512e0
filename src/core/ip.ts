/**
 * IP addresses and prefixes: parse, compare and print them, and tell which can never be reached from outside.
 *
 * An address is its bytes plus its canonical text (RFC 5952), so two spellings of one address compare equal.
 * IPv4-mapped IPv6 (`::ffff:192.0.2.1`) is read as the IPv4 address it stands for.
 *
 * The HELO grammar of RFC 5321 §4.1.3 is stricter in places and laxer in others: see `helo.ts`.
 */

export interface IpAddress {
  readonly family: 4 | 6;
  /**
   * 4 or 16 bytes, network order. A plain array: every session holds one, and a typed one takes three times
   * the memory.
   */
  readonly bytes: readonly number[];
  /** Canonical text, RFC 5952; the identity of the address. */
  readonly text: string;
}

/** A network: the addresses that begin with the same bits. */
export interface IpPrefix {
  readonly address: IpAddress;
  /** Number of leading bits that count: 0–32 or 0–128. */
  readonly length: number;
}

/**
 * Reads an IPv4 or IPv6 address (RFC 4291 §2.2); null for anything else: zones, ports, octal, short forms.
 */
export function parseIp(text: string): IpAddress | null {
  if (text.includes(':')) {
    const bytes = parseIpv6Bytes(text);
    return bytes === null ? null : ipFromBytes(bytes);
  }
  const bytes = parseIpv4Bytes(text);
  // IPv4 text as it is read here has only one spelling.
  return bytes === null ? null : { family: 4, bytes, text };
}

/** Makes an address of 4 or 16 bytes; IPv4-mapped becomes IPv4. */
export function ipFromBytes(bytes: readonly number[]): IpAddress {
  if (bytes.length === 16 && isMapped(bytes)) return ipFromBytes(bytes.slice(12));
  if (bytes.length === 4) return { family: 4, bytes, text: bytes.join('.') };
  return { family: 6, bytes, text: formatIpv6(bytes) };
}

/** Whether two addresses are the same, of one family and equal in all bytes. */
export function sameIp(a: IpAddress, b: IpAddress): boolean {
  return a.text === b.text;
}

/**
 * Reads `ADDRESS` or `ADDRESS/LENGTH`. Host bits may be set and are ignored. Null when either part is
 * malformed or the length does not fit the family.
 */
export function parsePrefix(text: string): IpPrefix | null {
  const slash = text.indexOf('/');
  const address = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = address.bytes.length * 8;
  if (slash === -1) return { address, length: bits };
  const digits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) return null;
  // The length of a mapped prefix counts from the 96 bits of ::ffff:0:0/96.
  const mapped = address.family === 4 && text.includes(':');
  const length = Number(digits) - (mapped ? 96 : 0);
  return length < 0 || length > bits ? null : { address, length };
}

/** Whether an address is in a network; never for one of the other family. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  return prefix.address.family === address.family && sharesPrefix(prefix.address, address, prefix.length);
}

/** Whether the first `length` bits of two addresses of one family are the same. */
export function sharesPrefix(a: IpAddress, b: IpAddress, length: number): boolean {
  if (a.family !== b.family) return false;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  const rest = length & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((a.bytes[whole] ?? 0) & mask) === ((b.bytes[whole] ?? 0) & mask);
}

/** The address with all but the first `length` bits cleared, as `ADDRESS/LENGTH`. */
export function networkText(address: IpAddress, length: number): string {
  if (length === address.bytes.length * 8) return `${address.text}/${length}`;
  const bytes = address.bytes.map((byte, i) => {
    const keep = Math.min(8, Math.max(0, length - i * 8));
    return byte & ((0xff << (8 - keep)) & 0xff);
  });
  return `${ipFromBytes(bytes).text}/${length}`;
}

/**
 * The name whose PTR records belong to the address (RFC 1035 §3.5, RFC 3596 §2.5), without a trailing dot.
 */
export function reverseName(address: IpAddress): string {
  if (address.family === 4) return `${address.bytes.toReversed().join('.')}.in-addr.arpa`;
  return `${ipv6Nibbles(address).reverse().join('.')}.ip6.arpa`;
}

/** The 32 hexadecimal digits of an IPv6 address, most significant first. */
export function ipv6Nibbles(address: IpAddress): string[] {
  return address.bytes.flatMap((byte) => [(byte >> 4).toString(16), (byte & 15).toString(16)]);
}

/**
 * Whether the address is that of the host itself: 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1 (RFC 4291 §2.5.3).
 */
export function isLoopback({ family, bytes, text }: IpAddress): boolean {
  return family === 4 ? bytes[0] === 127 : text === '::1';
}

/**
 * Whether the address can never be reached from outside the site: the entries of the IANA special-purpose
 * registries (RFC 6890) that are not globally reachable, and multicast. The documentation prefixes are public
 * here: they stand for public addresses wherever they are used.
 */
export function isPrivateAddress(address: IpAddress): boolean {
  return PRIVATE_PREFIXES.some((prefix) => prefixContains(prefix, address));
}

const PRIVATE_PREFIXES: readonly IpPrefix[] = [
  '0.0.0.0/8', // "this network", RFC 791
  '10.0.0.0/8', // RFC 1918
  '100.64.0.0/10', // shared address space of carrier NAT, RFC 6598
  '127.0.0.0/8', // loopback, RFC 1122
  '169.254.0.0/16', // link local, RFC 3927
  '172.16.0.0/12', // RFC 1918
  '192.0.0.0/24', // IETF protocol assignments, RFC 6890
  '192.168.0.0/16', // RFC 1918
  '198.18.0.0/15', // benchmarking, RFC 2544
  '224.0.0.0/4', // multicast, RFC 5771
  '240.0.0.0/4', // reserved and limited broadcast, RFC 1112, RFC 919
  '::/128', // unspecified, RFC 4291
  '::1/128', // loopback, RFC 4291
  '64:ff9b:1::/48', // local-use translation, RFC 8215
  '100::/64', // discard only, RFC 6666
  '2001:2::/48', // benchmarking, RFC 5180
  '5f00::/16', // segment routing, RFC 9602
  'fc00::/7', // unique local, RFC 4193
  'fe80::/10', // link local, RFC 4291
  'fec0::/10', // site local, deprecated by RFC 3879
  'ff00::/8', // multicast, RFC 4291
].map((text) => {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`bad built-in prefix ${text}`);
  return prefix;
});

/** Every session begins with an address: read it digit by digit, without a regular expression. */
function parseIpv4Bytes(text: string): number[] | null {
  const bytes = [0, 0, 0, 0];
  let at = 0;
  for (let i = 0; i < 4; i++) {
    const start = at;
    let value = 0;
    for (let digit = text.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - 48) {
      value = value * 10 + digit;
    }
    const length = at - start;
    // A leading zero means octal to some readers (inet_aton) and decimal to others: refuse the ambiguity.
    if (length === 0 || length > 3 || value > 255 || (length > 1 && text.charCodeAt(start) === 48))
      return null;
    bytes[i] = value;
    if (i < 3 && text.charCodeAt(at++) !== 46) return null;
  }
  return at === text.length ? bytes : null;
}

function parseIpv6Bytes(text: string): number[] | null {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves[1] === undefined ? [] : parseGroups(halves[1]);
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // "::" stands for at least one group here (RFC 4291); RFC 5952 and RFC 5321 want two.
  if (halves[1] === undefined ? missing !== 0 : missing < 2) return null;
  // A dotted quad may only end the address.
  if (halves[1] !== undefined && (halves[0] ?? '').includes('.')) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Bytes of colon-separated groups, the last of which may be a dotted quad; null when malformed. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (group.includes('.')) {
      const quad = i === groups.length - 1 ? parseIpv4Bytes(group) : null;
      if (quad === null) return null;
      bytes.push(...quad);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of at least two zero groups is `::`. */
function formatIpv6(bytes: readonly number[]): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start === -1) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** The address literal of RFC 5321 §4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
export function literalText({ family, text }: IpAddress): string {
  return family === 4 ? `[${text}]` : `[IPv6:${text}]`;
}
