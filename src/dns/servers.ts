/** Which servers are asked, and in what order: those of `--dns-server`, or the system's as they are now. */
import { isLoopback, parseIp } from '../core/ip.ts';
import { DNS_PORT, type Endpoint, readServerAddress, type ServersOptions } from './server-address.ts';
import { type ResolvConf, watchResolvConf } from './resolv-conf.ts';
import { Upstream } from './upstream.ts';

/** Which servers to ask next. */
export interface Servers {
  readonly upstreams: readonly Upstream[];
  /** Rounds through all of them. */
  readonly attempts: number;
}

const ATTEMPTS = 2;

/** The servers for the next question. Throws ServerAddressError for a server that is not an address. */
export function serversOf({ servers, timeoutMs, now, resolvConf }: ServersOptions): () => Servers {
  const make = (endpoint: Endpoint, initialMs: number, trustAd: boolean): Upstream =>
    new Upstream({ ...endpoint, initialMs, trusted: trustAd || isLocal(endpoint.address), now });
  const given = servers.map(readServerAddress);
  // Each gets a share of the time, so that a dead one leaves some to the next.
  const share = (count: number): number => timeoutMs / (count + 1);
  if (given.length > 0) {
    const upstreams = given.map((endpoint) => make(endpoint, share(given.length), false));
    return () => ({ upstreams: inOrder(upstreams), attempts: ATTEMPTS });
  }
  const read = watchResolvConf(now, resolvConf);
  let conf: ResolvConf | null = null;
  let upstreams: Upstream[] = [];
  let turn = 0;
  return () => {
    const latest = read();
    if (latest !== conf) {
      conf = latest;
      for (const upstream of upstreams) upstream.close();
      const initialMs = Math.min(latest.timeoutMs, share(latest.servers.length));
      upstreams = latest.servers.map((address) =>
        make({ address, port: DNS_PORT }, initialMs, latest.trustAd),
      );
    }
    turn = latest.rotate ? (turn + 1) % upstreams.length : 0;
    const rotated = turn === 0 ? upstreams : [...upstreams.slice(turn), ...upstreams.slice(0, turn)];
    return { upstreams: inOrder(rotated), attempts: latest.attempts };
  };
}

/** The servers that are asked if none is named. */
export function systemServers(): readonly string[] {
  return watchResolvConf(() => 0)().servers;
}

/** In the order given, except that silent servers come last. */
function inOrder(upstreams: readonly Upstream[]): readonly Upstream[] {
  if (!upstreams.some(({ silent }) => silent)) return upstreams;
  return [...upstreams.filter(({ silent }) => !silent), ...upstreams.filter(({ silent }) => silent)];
}

/** What such a server says did not cross a network on which somebody could have changed it. */
function isLocal(address: string): boolean {
  const ip = parseIp(address);
  return ip !== null && isLoopback(ip);
}
