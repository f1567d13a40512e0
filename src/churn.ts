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

/**
 * Names live for one to two windows: there is a current and a previous generation, and the generations move on when
 * the window is over or the current one is full. No timer and no sweep.
 */
export class ChurnCounter {
  readonly #options: ChurnOptions;
  #current = new Map<string, Set<string>>();
  #previous = new Map<string, Set<string>>();
  #startedAt: number;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#startedAt = options.now();
  }

  /** Notes a name (canonical) and returns how many different ones this client gave, this one included. */
  note(address: IpAddress, name: string): number {
    this.#turn();
    // An IPv6 client owns its /64 and could give each name from an address of its own.
    const network = networkText(address, address.family === 4 ? 32 : 64);
    const before = this.#previous.get(network);
    let names = this.#current.get(network);
    if (names === undefined) {
      names = new Set();
      this.#current.set(network, names);
    }
    if (names.size < this.#options.maxNames) names.add(name.slice(0, 255));
    if (before === undefined) return names.size;
    let count = names.size;
    for (const each of before) if (!names.has(each)) count++;
    return count;
  }

  #turn(): void {
    const now = this.#options.now();
    const overdue = now - this.#startedAt - this.#options.windowMs;
    if (overdue < 0 && this.#current.size < this.#options.maxClients) return;
    // After a whole window of silence even the current names are old.
    this.#previous = overdue >= this.#options.windowMs ? new Map<string, Set<string>>() : this.#current;
    this.#current = new Map<string, Set<string>>();
    this.#startedAt = now;
  }
}
