/** Counts the different HELO names that one client network gives within a window. Bounded in every direction. */
import { type IpAddress, networkText } from './core/ip.ts';

/** Read whenever they are needed, so that they may change. */
export interface ChurnOptions {
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** Names counted per network; more are not told apart. */
  readonly maxNames: number;
  /** Networks counted at a time; when full the older half is forgotten. */
  readonly maxClients: number;
  readonly now: () => number;
}

/** The names of a network; nearly all have one, and a set of one takes as much memory as all else about it. */
type Names = string | Set<string>;

/**
 * Names live for one to two windows: there is a current and a previous generation, and the generations move on when
 * the window is over or the current one is full. No timer and no sweep.
 */
export class ChurnCounter {
  readonly #options: ChurnOptions;
  #current = new Map<string, Names>();
  #previous = new Map<string, Names>();
  #startedAt: number;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#startedAt = options.now();
  }

  /** Notes a name (canonical) and returns how many different ones this client gave, this one included. */
  note(address: IpAddress, name: string): number {
    this.#turn();
    // An IPv6 client owns its /64 and could give each name from an address of its own.
    const network = address.family === 4 ? address.text : networkText(address, 64);
    const names = this.#add(network, name.slice(0, 255));
    const before = this.#previous.get(network);
    return before === undefined || before === names
      ? countOf(names)
      : new Set([...listOf(names), ...listOf(before)]).size;
  }

  /** The names of the network after this one. */
  #add(network: string, name: string): Names {
    const known = this.#current.get(network);
    if (known === name || (known !== undefined && countOf(known) >= this.#options.maxNames)) return known;
    if (known instanceof Set) return known.add(name);
    const names = known === undefined ? name : new Set([known, name]);
    this.#current.set(network, names);
    return names;
  }

  #turn(): void {
    const now = this.#options.now();
    const overdue = now - this.#startedAt - this.#options.windowMs;
    if (overdue < 0 && this.#current.size < this.#options.maxClients) return;
    // After a whole window of silence even the current names are old.
    this.#previous = overdue >= this.#options.windowMs ? new Map<string, Names>() : this.#current;
    this.#current = new Map<string, Names>();
    this.#startedAt = now;
  }
}

function countOf(names: Names): number {
  return names instanceof Set ? names.size : 1;
}

function listOf(names: Names): Iterable<string> {
  return names instanceof Set ? names : [names];
}
