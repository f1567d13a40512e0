/** Networks that may send more than a stream takes, as `state/network-limit.ts` counts them. */
import type { ClientNetworks } from '../src/core/client-networks.ts';
import { ROW_PLACES } from '../src/state/fair-table.ts';
import type { CountLimit } from '../src/state/network-limit.ts';
import { UNPROVED } from '../src/core/checks/stream.ts';

/** Networks of a site compete for one row of the table. */
interface Site {
  networks: number;
}

interface Network {
  readonly site: Site;
  /** Of its decisions, in Unix milliseconds, ascending. */
  readonly times: number[];
  isBusy: boolean;
}

export class BusyNetworks {
  readonly #limit: CountLimit;
  readonly #networks = new Map<string, Network>();
  readonly #sites = new Map<string, Site>();
  /** The network of each decision. */
  readonly #of: (Network | null)[] = [];

  constructor(limit: CountLimit) {
    this.#limit = limit;
  }

  /**
   * Takes the next decision; null if its client has no address. The times are never less than those before.
   */
  add(networks: Pick<ClientNetworks, 'network' | 'site'> | null, time: number): void {
    const network = networks === null ? null : this.#networkOf(networks);
    this.#of.push(network);
    if (network === null || network.isBusy) return;
    const { count, ageMs } = this.#limit;
    const { times } = network;
    times.push(time);
    const first = times[times.length - 1 - count];
    // Lengths of time are counted in whole seconds.
    network.isBusy = first !== undefined && time - first < ageMs + 1000;
  }

  /** Whether one of its messages might be too many. */
  isBusy(place: number): boolean {
    const network = this.#of[place] ?? null;
    return network !== null && (network.isBusy || network.site.networks * UNPROVED.length > ROW_PLACES);
  }

  #networkOf({ network, site }: Pick<ClientNetworks, 'network' | 'site'>): Network {
    let found = this.#networks.get(network);
    if (found === undefined) {
      const its = this.#siteOf(site);
      its.networks++;
      this.#networks.set(network, (found = { site: its, times: [], isBusy: false }));
    }
    return found;
  }

  #siteOf(site: string): Site {
    let found = this.#sites.get(site);
    if (found === undefined) this.#sites.set(site, (found = { networks: 0 }));
    return found;
  }
}
