/**
 * Who has how many questions in hand, under way or waiting: client networks, the sites and blocks around
 * them, and the domains that are asked about.
 */
import type { ClientNetworks, NetworkKind } from '../core/client-networks.ts';
import { NamedWork } from '../core/named-work.ts';

export interface Party {
  readonly kind: PartyKind;
  readonly key: string;
  /** Questions that have a place, asked a moment ago, and earlier. */
  fresh: number;
  late: number;
  /** Questions that wait for one. */
  waiting: number;
  /**
   * It has had too much in hand at some time since anything of its own began to wait; remembered, since many
   * questions may end at the same moment.
   */
  greedy: boolean;
}

/** `ours` holds the questions that nobody in particular asks. */
export type PartyKind = NetworkKind | 'domain' | 'ours';

/** All that one question counts to: the networks from the widest to the narrowest, then the domain. */
export type Path = readonly Party[];

/**
 * Part of what is free that one may hold. An IPv4 /24 is a site. The others in a site or a block still have
 * room when one network in it has all that it can get.
 */
export const FREE_SHARES: Readonly<Record<PartyKind, number>> = {
  network: 1 / 16,
  site: 1 / 8,
  block: 1 / 4,
  domain: 1 / 8,
  ours: Infinity,
};
/**
 * With this many questions in hand (a network: those of a few assessments) one is greedy, however few others
 * there are.
 */
const MODEST: Readonly<Record<NetworkKind, number>> = { network: 40, site: 40, block: 80 };
const KINDS: readonly NetworkKind[] = ['block', 'site', 'network'];

export class Parties {
  /** Those with nothing in hand are not kept. */
  readonly #all: Readonly<Record<PartyKind, NamedWork<Party>>> = {
    network: new NamedWork(),
    site: new NamedWork(),
    block: new NamedWork(),
    domain: new NamedWork(),
    ours: new NamedWork(),
  };
  readonly #places: number;

  /** `places` is the number of questions that may be under way in all. */
  constructor(places: number) {
    this.#places = places;
  }

  pathOf(networks: ClientNetworks | null, domain: string): Path {
    if (networks === null) return [this.#of('ours', '')];
    const { block, site, network } = networks;
    const path = [this.#of('block', block), this.#of('site', site)];
    if (network !== site) path.push(this.#of('network', network));
    path.push(this.#of('domain', domain));
    return path;
  }

  count(path: Path, fresh: number, late: number, waiting: number): void {
    for (const party of path) {
      party.fresh += fresh;
      party.late += late;
      party.waiting += waiting;
      if (party.waiting === 0) party.greedy = false;
      if (waiting > 0) party.greedy = this.#isGreedy(party);
    }
    this.forget(path);
  }

  /** Forgets those that have nothing in hand. */
  forget(path: Path): void {
    for (const { kind, key, fresh, late, waiting } of path)
      if (fresh + late + waiting === 0) this.#all[kind].delete(key);
  }

  /**
   * Whether a client's network, site or block has so much in hand that its own questions hold each other up.
   * When all want as much as they can get, each gets `places / (8 + parties)`, if an eighth of what is free
   * is its share, and one that wants more keeps its own questions waiting.
   */
  greedy(networks: ClientNetworks): boolean {
    return KINDS.some((kind) => {
      const party = this.#all[kind].get(networks[kind]);
      return party !== undefined && this.#isGreedy(party);
    });
  }

  #isGreedy({ kind, fresh, late, waiting, greedy }: Party): boolean {
    if (kind === 'domain' || kind === 'ours') return false;
    const inHand = fresh + late + waiting;
    const fair = this.#places / (1 / FREE_SHARES[kind] + this.#all[kind].size);
    // A single question is never greedy.
    return greedy || (inHand > 1 && inHand >= Math.min(MODEST[kind], fair));
  }

  #of(kind: PartyKind, key: string): Party {
    const all = this.#all[kind];
    let party = all.get(key);
    if (party === undefined) {
      party = { kind, key, fresh: 0, late: 0, waiting: 0, greedy: false };
      all.set(key, party);
    }
    return party;
  }
}
