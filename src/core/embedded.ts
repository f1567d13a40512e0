/**
 * IPv6 addresses that a translator or a tunnel makes from an IPv4 address, and that mean the same host.
 * (IPv4-mapped ones are read as IPv4 addresses from the start, see `ip.ts`.)
 */
import {
  type IpAddress,
  ipFromBytes,
  type IpPrefix,
  isPrivateAddress,
  prefixContains,
  sameIp,
} from './ip.ts';

/** The lengths that a NAT64 prefix may have (RFC 6052 §2.2). */
export const NAT64_LENGTHS: readonly number[] = [32, 40, 48, 56, 64, 96];

/** 64:ff9b::/96, RFC 6052 §2.1. */
const WELL_KNOWN: IpPrefix = {
  address: ipFromBytes([0, 0x64, 0xff, 0x9b, ...new Array<number>(12).fill(0)]),
  length: 96,
};

/**
 * The IPv4 address in a NAT64 (RFC 6052; `prefixes` besides the well-known one), 6to4 (2002::/16, RFC 3056
 * §2) or Teredo (2001::/32, RFC 4380 §4) address; null for other addresses.
 */
export function embeddedIpv4(address: IpAddress, prefixes: readonly IpPrefix[] = []): IpAddress | null {
  if (address.family === 4) return null;
  const { bytes } = address;
  const translated = translatedIpv4(address, prefixes);
  return translated ?? tunnelEnd(bytes);
}

/** In 6to4 the address of the site's router; in Teredo that of the client's NAT, with each bit inverted. */
function tunnelEnd(bytes: readonly number[]): IpAddress | null {
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return ipFromBytes(bytes.slice(2, 6));
  const isTeredo = bytes[0] === 0x20 && bytes[1] === 0x01 && bytes[2] === 0 && bytes[3] === 0;
  return isTeredo ? ipFromBytes(bytes.slice(12).map((byte) => byte ^ 0xff)) : null;
}

/** The IPv4 address that a NAT64 translated; null if none did. */
function translatedIpv4(address: IpAddress, prefixes: readonly IpPrefix[]): IpAddress | null {
  const prefix = [WELL_KNOWN, ...prefixes].find((each) => prefixContains(each, address));
  if (prefix === undefined) return null;
  // Bits 64 to 71 are left out; the address continues after them (RFC 6052 §2.2).
  const rest = prefix.length === 96 ? address.bytes.slice(12) : address.bytes.filter((_, i) => i !== 8);
  const start = prefix.length === 96 ? 0 : prefix.length / 8;
  return ipFromBytes(rest.slice(start, start + 4));
}

/**
 * The address of a client: behind the receiver's NAT64, the IPv4 address that was translated, so that SPF and
 * the reverse name are the sender's. A private address never comes through a translator (RFC 6052 §3.1), and
 * must not make a stranger one of our own clients.
 */
export function clientAddress(address: IpAddress, prefixes: readonly IpPrefix[] = []): IpAddress {
  const translated = address.family === 4 ? null : translatedIpv4(address, prefixes);
  return translated === null || isPrivateAddress(translated) ? address : translated;
}

/**
 * The IPv4 address at the end of the tunnel that a client comes through, if it is public; null if there is no
 * tunnel. The client may do what the address's owner may do: the whole of 2002:V4ADDR::/48 belongs to the
 * holder of V4ADDR (RFC 3056 §2), and a Teredo client is behind the NAT that has the mapped address (RFC 4380
 * §4), like other hosts; answers reach the client only through there. That is enough to show a
 * correspondence, and no more: exemptions, lists, caches and counts use the client's own address, since
 * whoever runs a relay near us can pretend to be any tunnel (RFC 3964 §4). A translated client is different:
 * it is an IPv4 client in every respect (RFC 6052, `clientAddress`).
 */
export function tunnelledIpv4(address: IpAddress): IpAddress | null {
  const end = address.family === 4 ? null : tunnelEnd(address.bytes);
  return end === null || isPrivateAddress(end) ? null : end;
}

/** Whether two addresses mean one host: they are equal, or one is an IPv4 address that the other embeds. */
export function sameHost(a: IpAddress, b: IpAddress): boolean {
  if (a.family === b.family) return sameIp(a, b);
  const [ipv4, ipv6] = a.family === 4 ? [a, b] : [b, a];
  const embedded = embeddedIpv4(ipv6);
  return embedded !== null && sameIp(embedded, ipv4);
}

/** Whether an address leads to no public host: it is private, or what it embeds is. */
export function isUnreachable(address: IpAddress): boolean {
  const embedded = embeddedIpv4(address);
  return isPrivateAddress(address) || (embedded !== null && isPrivateAddress(embedded));
}
