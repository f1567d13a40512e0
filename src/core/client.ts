/** What the checks know about an SMTP client: its address and what it said in HELO. */
import { clientAddress } from './embedded.ts';
import { type Helo, parseHelo } from './helo.ts';
import { type IpAddress, parseIp } from './ip.ts';

/** Whom an assessment is about: an address, and what it said in HELO. */
export interface Client {
  /** Null where the MTA knows none (a local socket, an unknown family). */
  readonly ip: IpAddress | null;
  readonly helo: Helo;
}

/**
 * Makes a Client from texts; an address that cannot be read counts as unknown, and one under NAT64's
 * well-known prefix becomes the IPv4 address that was translated.
 */
export function makeClient(ip: string | null, helo: string): Client {
  const address = ip === null ? null : parseIp(ip);
  return { ip: address === null ? null : clientAddress(address), helo: parseHelo(helo) };
}
