/** How a name server to ask is written. */
import { isIP } from 'node:net';
import type { Endpoint } from './udp.ts';

export const DNS_PORT = 53;

/** A text that names no server; whoever knows where the text was given can say so. */
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

/** Reads `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; the port is 53 unless given. Throws ServerAddressError. */
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
