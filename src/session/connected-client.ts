/** The client of a connection as the MTA told of it at CONNECT, and whether it is never refused. */
import { clientAddress } from '../core/embedded.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import type { ConnectInfo, MilterContext } from '../milter/index.ts';
import { type Exemption, exemptClient, isOnPipe } from '../policy/exemption.ts';
import type { Rules } from '../policy/rules.ts';

export class ConnectedClient {
  /** Its IPv4 address where it came through the MTA's NAT64; null if it has none that we can read. */
  readonly ip: IpAddress | null;
  /** Unix time in milliseconds. */
  readonly connectedAt: number;
  #exempt: Exemption | null;
  /** A client without an address, until the MTA has said what it knows about it. */
  #peer: ConnectInfo | null;

  constructor(info: ConnectInfo, context: MilterContext, rules: Rules, connectedAt: number) {
    const seen = info.address === null ? null : parseIp(info.address);
    this.ip = seen === null ? null : clientAddress(seen, rules.nat64);
    this.connectedAt = connectedAt;
    this.#exempt = exemptClient(info, this.ip, context, rules);
    // Networks may be given as the MTA sees them, or as they are behind its NAT64.
    if (this.ip !== seen) this.#exempt ??= exemptClient(info, seen, context, rules);
    this.#peer = this.ip === null && this.#exempt === null ? info : null;
  }

  /** Why this client is never refused. */
  get exempt(): Exemption | null {
    return this.#exempt;
  }

  /** Looks again at MAIL: by then the MTA has said whether a client without an address is on a pipe. */
  lookAgain(context: MilterContext): void {
    if (this.#peer !== null && isOnPipe(this.#peer, context)) this.#exempt = 'local';
  }
}
