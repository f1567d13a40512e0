/**
 * The networks that a client belongs to, for everything that strangers share: each is what one of them may
 * hold as a whole. Only this file knows their widths.
 */
import { type IpAddress, networkText } from './ip.ts';

/** Prefix lengths in bits, by IP version; in IPv4 a site is just a network. */
const WIDTHS = {
  /** The least that one customer has: an IPv4 /24 or so, and one link (RFC 4291 §2.5.4). */
  network: { 4: 24, 6: 64 },
  /** What a customer gets for the asking (RFC 6177 §2). */
  site: { 4: 24, 6: 48 },
  /**
   * What a provider gets: in IPv6 from the registry; in IPv4 the largest block that is ever for hire as a
   * whole.
   */
  block: { 4: 16, 6: 32 },
} as const;

/** The kinds of networks that a client is in, by their width. */
export type NetworkKind = keyof typeof WIDTHS;

/** All that a client belongs to. */
export type ClientNetworks = Readonly<Record<NetworkKind, string>>;

/** Clients without an address are counted together. */
const UNKNOWN: ClientNetworks = { network: 'unknown', site: 'unknown', block: 'unknown' };

/** As `ADDRESS/LENGTH`. */
export function networkOf(ip: IpAddress, kind: NetworkKind): string {
  return networkText(ip, WIDTHS[kind][ip.family]);
}

/** The networks of a client; all clients without an address are in the same ones. */
export function networksOf(ip: IpAddress | null): ClientNetworks {
  if (ip === null) return UNKNOWN;
  const site = networkOf(ip, 'site');
  return {
    network: ip.family === 4 ? site : networkOf(ip, 'network'),
    site,
    block: networkOf(ip, 'block'),
  };
}
