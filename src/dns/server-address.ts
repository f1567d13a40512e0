/** Which name servers are asked, and how an operator writes their addresses. */
import { isIP } from 'node:net';

export const DNS_PORT = 53;

/** Where a name server is. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Which name servers are asked, and how long each question may take. */
export interface ServersOptions {
  /** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; empty for those of the system. */
  readonly servers: readonly string[];
  /** Milliseconds that one question may take. */
  readonly timeoutMs: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** The file that names the system's servers; /etc/resolv.conf if absent. */
  readonly resolvConf?: string;
}

/** A text that names no server; the caller knows where the text was given. */
export class ServerAddressError extends Error {
  override readonly name = 'ServerAddressError';
  readonly code = 'dns-server-address';
  /** The text at fault. */
  readonly server: string;

  constructor(server: string, problem: string) {
    super(`"${server}" ${problem}`);
    this.server = server;
  }
}

/**
 * Reads `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; the port is 53 by default. Throws ServerAddressError.
 */
export function readServerAddress(text: string): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([^:]+|[0-9a-fA-F:.]+?))(?::(\d{1,5}))?$/.exec(text);
  const address = isIP(text) === 6 ? text : (match?.[1] ?? match?.[2] ?? '');
  const port = isIP(text) === 6 ? undefined : match?.[3];
  if (isIP(address) === 0) throw new ServerAddressError(text, 'is not an IP address, with or without a port');
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw new ServerAddressError(text, 'has no valid port');
  }
  return { address, port: Number(port ?? DNS_PORT) };
}
