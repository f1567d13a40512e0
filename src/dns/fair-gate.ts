/**
 * Shares the places for questions in flight among those who ask, so that nobody can take them all.
 *
 * No fixed number is promised: a client network, and a domain asked about, may each hold at most a part of
 * what is free (the dynamic threshold by which Choudhury and Hahne share the memory of a switch, 1998). With
 * an eighth, one alone gets a ninth of all places, ten get an eighteenth each and leave nearly half free, and
 * as long as there are fewer of them than places a newcomer still gets one. So it goes for the site and the
 * block around the network too, with larger parts: owning many networks does not give as many shares. Turns
 * go round by block, within it by site, then by network, and within a network by domain.
 *
 * Places are of two kinds. A question is `fresh` for a moment, and only few may be: their answers come close
 * together, and many would overflow the socket's buffer. After that it is late, and may wait together with
 * many others at no cost but memory.
 */
import type { ClientNetworks } from '../core/client-networks.ts';
import { type Party, Parties, type Path, FREE_SHARES } from './parties.ts';
import { WaitingTickets } from './waiting-tickets.ts';

/** A question that wants a place. */
export interface Ticket {
  /** Whose shares it takes; null for our own questions, which are few. */
  readonly networks: ClientNetworks | null;
  readonly domain: string;
  /**
   * Called when it gets a place, perhaps before `enter` returns. Returns true to take the place, which
   * `leave` gives back; false if none is needed any more.
   */
  readonly start: () => boolean;
  /** For the gate's own use. */
  path?: Path;
  place?: Place | undefined;
}

export interface GateOptions {
  /** Questions in flight. */
  readonly places: number;
  /** Of these, questions younger than `freshMs` milliseconds. */
  readonly freshPlaces: number;
  readonly freshMs: number;
  /** Questions that may wait for a place; of this room, too, networks get a part of what is free. */
  readonly waitingPlaces: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** Groups of waiting tickets looked at in one go: bounds the work when many may not start. */
const MAX_LOOKS = 192;

interface Place {
  readonly since: number;
  late: boolean;
}

export class FairGate {
  readonly #options: GateOptions;
  #held = 0;
  /**
   * The tickets whose place is still fresh, oldest first. An array, since they come and go so fast that a Map
   * or a Set would keep the garbage collector busy: each table that V8 discards refers to the next, so that
   * its contents outlive several collections.
   */
  readonly #fresh: Ticket[] = [];
  readonly #parties: Parties;
  readonly #queue = new WaitingTickets<Ticket>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#parties = new Parties(options.places);
  }

  /** Questions that wait for a place. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Questions that have one. */
  get inFlight(): number {
    return this.#held;
  }

  /** Whether the networks of a client have so much in hand that its own questions hold each other up. */
  greedy(networks: ClientNetworks): boolean {
    return this.#parties.greedy(networks);
  }

  /** Starts the ticket or lets it wait; false if neither is possible. */
  enter(ticket: Ticket): boolean {
    const path = this.#parties.pathOf(ticket.networks, ticket.domain);
    ticket.path = path;
    const own = path.findLast(({ kind }) => kind !== 'domain');
    // Those that are already waiting go first.
    if (own?.waiting === 0 && path.every(this.#mayHold)) {
      this.#start(ticket, path, 0);
      return true;
    }
    const left = this.#options.waitingPlaces - this.#queue.size;
    if (
      left <= 0 ||
      path.some(({ kind, waiting }) => kind !== 'domain' && waiting >= left * FREE_SHARES[kind])
    ) {
      this.#parties.forget(path);
      return false;
    }
    this.#queue.add(path, ticket);
    this.#parties.count(path, 0, 0, 1);
    this.#pump();
    return true;
  }

  /** Gives back a place, or stops waiting for one. */
  leave(ticket: Ticket): void {
    const { path, place } = ticket;
    if (path === undefined) return;
    if (place === undefined) {
      if (this.#queue.delete(path, ticket)) this.#parties.count(path, 0, 0, -1);
      return;
    }
    this.#release(ticket, path, place);
    this.#pump();
  }

  /** Questions sent by `until` are no longer fresh, and make room for others. */
  #age(until: number): void {
    const young = this.#fresh.findIndex(({ place }) => (place?.since ?? 0) > until);
    for (const { path, place } of this.#fresh.splice(0, young === -1 ? this.#fresh.length : young)) {
      if (path === undefined || place === undefined) continue;
      place.late = true;
      this.#parties.count(path, -1, 1, 0);
    }
  }

  /** Whether there is a place that it may have. */
  readonly #mayHold = ({ kind, fresh, late }: Party): boolean => {
    const { places, freshPlaces } = this.#options;
    const free = places - this.#held;
    const freeFresh = freshPlaces - this.#fresh.length;
    if (free <= 0 || freeFresh <= 0) return false;
    return fresh < freeFresh * FREE_SHARES[kind] && fresh + late < free * FREE_SHARES[kind];
  };

  /** `waited` is 1 if it waited until now. */
  #start(ticket: Ticket, path: Path, waited: 0 | 1): void {
    const place = { since: this.#options.now(), late: false };
    ticket.place = place;
    this.#held++;
    this.#fresh.push(ticket);
    this.#parties.count(path, 1, 0, -waited);
    if (!ticket.start()) this.#release(ticket, path, place);
  }

  #release(ticket: Ticket, path: Path, { late }: Place): void {
    ticket.place = undefined;
    this.#held--;
    if (!late) this.#fresh.splice(this.#fresh.indexOf(ticket), 1);
    this.#parties.count(path, late ? 0 : -1, late ? -1 : 0, 0);
  }

  /** Starts what may start. */
  #pump(): void {
    while (this.#held < this.#options.places && this.#fresh.length < this.#options.freshPlaces) {
      const ticket = this.#queue.next(this.#mayHold, MAX_LOOKS);
      if (ticket?.path === undefined) break;
      this.#queue.delete(ticket.path, ticket);
      this.#start(ticket, ticket.path, 1);
    }
    this.#wake();
  }

  /** Even if no question ends for a long time, waiting ones can start once the fresh ones have aged. */
  #wake(): void {
    const oldest = this.#fresh[0]?.place;
    if (this.#timer !== null || this.#queue.size === 0 || oldest === undefined) return;
    const { now, freshMs } = this.#options;
    this.#timer = setTimeout(
      () => {
        const until = now() - freshMs;
        // Answers may have come while we were busy, and be waiting in the socket's buffer: read those first.
        setImmediate(() => {
          this.#timer = null;
          this.#age(until);
          this.#pump();
        });
      },
      Math.max(1, oldest.since + freshMs - now()),
    );
  }
}
