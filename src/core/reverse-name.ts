/**
 * Is a reverse name made from the address, as providers name addresses they know nothing about? Such a name
 * belongs to the address; any other name that leads back tells who runs the host.
 */
import { registrableDomain } from './domain.ts';
import { embeddedIpv4 } from './embedded.ts';
import { type IpAddress, ipv6Nibbles } from './ip.ts';

/**
 * Whether at least two octets of the address occur in the name: in decimal, in hexadecimal or in reverse; for
 * an IPv6 address, two groups, or two octets of the IPv4 address in it. One number, as in `vm60`, means
 * nothing. The registrable domain does not count: somebody chose it.
 */
export function holdsAddress(name: string, address: IpAddress): boolean {
  const embedded = embeddedIpv4(address);
  return holds(name, address) || (embedded !== null && holds(name, embedded));
}

function holds(name: string, address: IpAddress): boolean {
  const domain = registrableDomain(name) ?? '';
  const host = name.slice(0, Math.max(0, name.length - domain.length)).toLowerCase();
  return address.family === 4 ? holdsIpv4(host, address.bytes) : holdsIpv6(host, address);
}

function holdsIpv4(host: string, octets: readonly number[]): boolean {
  const runs: readonly string[] = host.match(/\d+/g) ?? [];
  if (shared(runs.map(Number), octets) >= 2) return true;
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (value > 0xff_ffff && runs.includes(String(value))) return true;
  const padded = octets.map((octet) => String(octet).padStart(3, '0'));
  if (runs.some((run) => holdsNeighbours(run, padded))) return true;
  return holdsNeighbours(
    withoutSeparators(host),
    octets.map((octet) => octet.toString(16).padStart(2, '0')),
  );
}

function holdsIpv6(host: string, address: IpAddress): boolean {
  const digits = ipv6Nibbles(address).join('');
  const groups = (digits.match(/.{4}/g) ?? []).filter((group) => group !== '0000');
  const words = (host.match(/[0-9a-f]+/g) ?? []).map((word) => word.padStart(4, '0'));
  if (shared(words, groups) >= 2) return true;
  const compact = withoutSeparators(host);
  const backwards = groups.map((group) => Array.from(group).reverse().join(''));
  return holdsNeighbours(compact, groups) || holdsNeighbours(compact, backwards);
}

/**
 * Whether two that are next to each other in the address are also next to each other in the text, in either
 * order.
 */
function holdsNeighbours(text: string, parts: readonly string[]): boolean {
  return parts.slice(1).some((part, i) => {
    const before = parts[i] ?? '';
    return text.includes(before + part) || text.includes(part + before);
  });
}

function withoutSeparators(host: string): string {
  return host.replaceAll(/[-._]/g, '');
}

/** How many of `wanted` are among `given`, each of which counts once. */
function shared<T>(given: readonly T[], wanted: readonly T[]): number {
  const left = [...given];
  return wanted.filter((each) => {
    const at = left.indexOf(each);
    if (at !== -1) left.splice(at, 1);
    return at !== -1;
  }).length;
}
