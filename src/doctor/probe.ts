/** Looks whether a milter, ours or another's, answers where the MTA is told to find it. */
import type { NetConnectOpts } from 'node:net';
import { formatSocketAddress, type SocketAddress } from '../milter/index.ts';
import { negotiateOnce } from '../milter/negotiate-once.ts';
import { dialHost } from './endpoint.ts';

export interface Probe {
  /** As Postfix spells it. */
  readonly socket: string;
  readonly outcome:
    | { readonly kind: 'answers'; readonly version: number; readonly ms: number }
    /** No connection, or no answer in time; `detail` is a word such as ECONNREFUSED. */
    | { readonly kind: 'unreachable'; readonly detail: string }
    /** Something answers that does not speak the protocol. */
    | { readonly kind: 'stranger' };
}

/** Null for a socket whose address does not say where to connect. `now` is in milliseconds. */
export async function probeMilter(
  address: SocketAddress,
  timeoutMs: number,
  now: () => number,
): Promise<Probe | null> {
  const target = targetOf(address);
  if (target === null) return null;
  const started = now();
  const found = await negotiateOnce(target, timeoutMs);
  const socket = formatSocketAddress(address);
  switch (found.kind) {
    case 'answered':
      return { socket, outcome: { kind: 'answers', version: found.version, ms: now() - started } };
    case 'silent':
      return { socket, outcome: { kind: 'unreachable', detail: 'timeout' } };
    case 'failed':
      return { socket, outcome: { kind: 'unreachable', detail: found.code } };
    case 'closed':
    case 'stranger':
      return { socket, outcome: { kind: 'stranger' } };
  }
}

function targetOf(address: SocketAddress): NetConnectOpts | null {
  if (address.kind === 'unix') return { path: address.path };
  if (address.kind === 'fd' || address.port === 0) return null;
  return { host: dialHost(address.host), port: address.port };
}
