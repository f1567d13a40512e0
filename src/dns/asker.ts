/**
 * On whose behalf a question is asked. What one client network may take of what all share is bounded by it, and what
 * nobody waits for any more is not asked. The core's Resolver knows nothing of this.
 */
import { registrableDomain } from '../core/domain.ts';
import { networkOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';
import type { Unasked } from '../core/unasked.ts';
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';

/** One who asks: an assessment, or ourselves. */
export class Asker {
  /** Whose share the questions are counted to. */
  readonly network: string;
  /** Asks with places kept for such askers alone, and never waits. For few questions that tell how it is with DNS. */
  readonly reserved: boolean;
  /**
   * Questions of it had to wait behind others of its own network, which wants too much: what comes too late for that reason
   * says nothing about the name's owner.
   */
  crowded = false;
  #ended: Unasked | null = null;
  readonly #waiting = new Set<(why: Unasked) => void>();

  constructor(network: string, { reserved = false }: { readonly reserved?: boolean } = {}) {
    this.network = network;
    this.reserved = reserved;
  }

  /** Why nothing more is asked; null while questions are welcome. */
  get ended(): Unasked | null {
    return this.#ended;
  }

  /** What waits for its turn is answered so at once, and what comes later too. What only it waits for is taken back. */
  end(why: Unasked): void {
    this.#ended ??= why;
    for (const leave of this.#waiting) leave(this.#ended);
    this.#waiting.clear();
  }

  /** Has `leave` called when the asker ends, until it is told to forget it. */
  hold(leave: (why: Unasked) => void): () => void {
    this.#waiting.add(leave);
    return () => {
      this.#waiting.delete(leave);
    };
  }
}

/** A Resolver that can tell its askers apart. Without `for` all questions are nobody's in particular. */
export interface SharedResolver extends Resolver {
  readonly for?: (asker: Asker) => Resolver;
}

export function askedBy(resolver: SharedResolver, asker: Asker): Resolver {
  return resolver.for?.(asker) ?? resolver;
}

/** A SharedResolver that looks at each question of another on its way; `network` is null for nobody in particular. */
export function watched(
  inner: SharedResolver,
  ask: <T extends RecordType>(
    resolver: Resolver,
    name: string,
    type: T,
    network: string | null,
  ) => Promise<Answer<T>>,
): SharedResolver {
  return {
    lookup: (name, type) => ask(inner, name, type, null),
    for: (asker) => {
      const own = askedBy(inner, asker);
      return { lookup: (name, type) => ask(own, name, type, asker.network) };
    },
  };
}

/**
 * The network that a client counts to: its /24, or its /48, which is what one site gets (RFC 6177 §2). A /64 would make
 * 65,536 networks of it. Clients without an address are one.
 */
export function clientNetwork(ip: IpAddress | null): string {
  return ip === null ? 'unknown' : networkOf(ip, 'site');
}

/** The domain whose owner answers for a name. Reverse names belong to the network: its /16 or /32. */
export function askedDomain(name: string): string {
  if (!/\.arpa$/i.test(name)) return registrableDomain(name) ?? name;
  const reverse = /((?:\.\d{1,3}){2}\.in-addr\.arpa|(?:\.[0-9a-f]){8}\.ip6\.arpa)$/i.exec(name)?.[1];
  return reverse ?? registrableDomain(name) ?? name;
}
