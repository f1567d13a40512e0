/** What the checks know of an SMTP client: its address and what it said in HELO. */
import { type Helo, parseHelo } from './helo.ts';
import { type IpAddress, parseIp } from './ip.ts';

export interface Client {
  /** Null where the MTA knows none (a local socket, an unknown family). */
  readonly ip: IpAddress | null;
  readonly helo: Helo;
}

/** Makes a Client from texts; an address that cannot be read counts as unknown. */
export function makeClient(ip: string | null, helo: string): Client {
  return { ip: ip === null ? null : parseIp(ip), helo: parseHelo(helo) };
}
