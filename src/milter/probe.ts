/** Asks a milter of ours whether it answers. */
import { formatSocketAddress, type SocketAddress } from './address.ts';
import { type Negotiation, negotiateOnce } from './negotiate-once.ts';

/** We may not use it, or it accepted us and closed the connection again. */
const NOTHING_WRONG = ['EACCES', 'EPERM', 'EPIPE', 'ECONNRESET'];

/** How long a probe waits, and what it can see. */
export interface ProbeOptions {
  readonly timeoutMs: number;
  /** We may not see the path that the MTA sees. */
  readonly hidden?: boolean;
}

/**
 * Resolves to what is wrong, or to null if the milter answers, closes the connection itself (it is full), or
 * if we lack permission to reach it, which says nothing about the milter.
 */
export async function probe(
  address: SocketAddress,
  { timeoutMs, hidden = false }: ProbeOptions,
): Promise<string | null> {
  if (address.kind === 'fd') return null;
  const target =
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  const wrong = wrongWith(await negotiateOnce(target, timeoutMs), hidden);
  return wrong === null ? null : `${formatSocketAddress(address)}: ${wrong}`;
}

function wrongWith(outcome: Negotiation, hidden: boolean): string | null {
  switch (outcome.kind) {
    case 'answered':
    case 'closed':
      return null;
    case 'stranger':
      return 'does not speak milter';
    case 'silent':
      return 'does not answer';
    case 'failed':
      return [...NOTHING_WRONG, ...(hidden ? ['ENOENT'] : [])].includes(outcome.code) ? null : outcome.code;
  }
}
