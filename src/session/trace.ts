/**
 * What the log says about sessions besides their decisions: the whole dialogue of chosen clients and, at
 * level `debug`, when each session began and ended.
 */
import { type IpPrefix, parseIp, prefixContains } from '../core/ip.ts';
import type { Log } from '../log/log.ts';

export interface TraceOptions {
  readonly log: Log;
  /** Clients whose dialogue is logged, as of now. */
  readonly clients: () => readonly IpPrefix[];
  /** Addresses in the cache. */
  readonly cached: () => number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** Called with what is said in one session. */
type Listener = (side: 'mta' | 'milter', event: string, text: string) => void;

/**
 * Makes the listener of a session from the address of its client and the session's id; null if nobody wants
 * one.
 */
export function createTrace(
  options: TraceOptions,
): (address: string | null, session: string) => Listener | null {
  return (address, session) => {
    const debug = options.log.wants('debug');
    const traced = isTraced(address, options.clients());
    if (!traced && !debug) return null;
    const client = address ?? 'unknown';
    const dialogue = traced ? dialogueOf(options, client, session) : null;
    const span = debug ? spanOf(options, client, session) : null;
    return (side, event, text) => {
      dialogue?.(side, event, text);
      span?.(side, event, text);
    };
  };
}

function isTraced(address: string | null, networks: readonly IpPrefix[]): boolean {
  if (networks.length === 0 || address === null) return false;
  const ip = parseIp(address);
  return ip !== null && networks.some((network) => prefixContains(network, ip));
}

function dialogueOf({ log, now }: TraceOptions, client: string, session: string): Listener {
  const startedAt = now();
  return (side, event, text) => {
    log.tell('trace', {
      session,
      client,
      ms: Math.round((now() - startedAt) * 10) / 10,
      side,
      what: event,
      text: text === '' ? null : text,
    });
  };
}

function spanOf({ log, cached, now }: TraceOptions, client: string, session: string): Listener {
  const startedAt = now();
  let commands = 0;
  log.tell('session-opened', { session, client });
  return (side, event) => {
    if (side === 'mta' && event !== 'close') commands++;
    if (event !== 'close') return;
    log.tell('session-closed', {
      session,
      client,
      ms: Math.round(now() - startedAt),
      commands,
      cached: cached(),
    });
  };
}
