/**
 * On whose behalf a question is asked. This bounds what one client network may take of what all share, and
 * cancels questions for whose answer nobody waits any more. The core's Resolver knows nothing about it.
 */
import { registrableDomain } from '../core/domain.ts';
import type { ClientNetworks } from '../core/client-networks.ts';
import type { Unasked } from '../core/unasked.ts';
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';

/** Something that an asker waits for. */
export interface Pending {
  askerEnded(why: Unasked): void;
}

/** Whoever asks: an assessment, or ourselves. */
export class Asker {
  /** The networks to whose shares the questions count. */
  readonly networks: ClientNetworks;
  /**
   * Uses places reserved for such askers, and never waits. For the few questions that tell whether DNS works.
   */
  readonly reserved: boolean;
  /**
   * Its questions had to wait behind others of its own networks, which want too much: an answer that is late
   * for that reason says nothing about the name's owner.
   */
  crowded = false;
  #ended: Unasked | null = null;
  readonly #waiting = new Set<Pending>();

  /** An asker that is not a client gives one word in place of its networks. */
  constructor(networks: ClientNetworks | string, { reserved = false }: { readonly reserved?: boolean } = {}) {
    this.networks =
      typeof networks === 'string' ? { network: networks, site: networks, block: networks } : networks;
    this.reserved = reserved;
  }

  /** Why nothing more is asked; null while questions are welcome. */
  get ended(): Unasked | null {
    return this.#ended;
  }

  /**
   * Answers questions that wait for their turn with this reason at once, and later ones too. Questions in
   * flight for which nobody else waits are cancelled.
   */
  end(why: Unasked): void {
    this.#ended ??= why;
    for (const held of this.#waiting) held.askerEnded(this.#ended);
    this.#waiting.clear();
  }

  /** Tells `held` when the asker ends, unless it is told to forget it before. */
  hold(held: Pending): void {
    this.#waiting.add(held);
  }

  forget(held: Pending): void {
    this.#waiting.delete(held);
  }
}

/** A Resolver that can tell its askers apart. Without `for`, a question has no particular asker. */
export interface SharedResolver extends Resolver {
  readonly for?: (asker: Asker) => Resolver;
}

export function askedBy(resolver: SharedResolver, asker: Asker): Resolver {
  return resolver.for?.(asker) ?? resolver;
}

/**
 * Wraps a SharedResolver to look at each question on its way; `site` is the asker's, see `NetworkKind`, and
 * null if there is no particular asker.
 */
export function watched(
  inner: SharedResolver,
  ask: <T extends RecordType>(
    resolver: Resolver,
    name: string,
    type: T,
    site: string | null,
  ) => Promise<Answer<T>>,
): SharedResolver {
  return {
    lookup: (name, type) => ask(inner, name, type, null),
    for: (asker) => {
      const own = askedBy(inner, asker);
      return { lookup: (name, type) => ask(own, name, type, asker.networks.site) };
    },
  };
}

/** The domain whose owner answers for a name. Reverse names belong to the network: its /16 or /32. */
export function askedDomain(name: string): string {
  if (!/\.arpa$/i.test(name)) return registrableDomain(name) ?? name;
  const reverse = /((?:\.\d{1,3}){2}\.in-addr\.arpa|(?:\.[0-9a-f]){8}\.ip6\.arpa)$/i.exec(name)?.[1];
  return reverse ?? registrableDomain(name) ?? name;
}
