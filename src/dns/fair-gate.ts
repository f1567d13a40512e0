/**
 * Shares the places for questions in flight among those who ask, so that nobody can take them all.
 *
 * Nobody is promised a number: a client network, and a domain asked about, may hold at most an eighth of what is free
 * (the dynamic threshold by which Choudhury and Hahne share the memory of a switch, 1998). One alone gets a ninth of all,
 * ten get a twentieth each and leave nearly half free, and while there are fewer of them than places a newcomer still gets
 * one. Whose turn comes next goes round by network, and within a network by domain.
 *
 * Places are of two kinds. A question is `fresh` for a moment, and few may be: their answers come close together, and would
 * overflow the buffer of the socket. After that it is late, and waits with many others at no cost but memory.
 */

/** A question that wants a place. */
export interface Ticket {
  /** Whose share it takes; null for our own questions, which are few. */
  readonly network: string | null;
  readonly domain: string;
  /**
   * Called when it gets a place, perhaps before `enter` returns. True takes the place, to be given back by `leave`; false
   * needs none any more.
   */
  readonly start: () => boolean;
  /** Kept by the gate. */
  place?: Place | undefined;
}

export interface GateOptions {
  /** Questions in flight. */
  readonly places: number;
  /** Of these, questions younger than `freshMs` milliseconds. */
  readonly freshPlaces: number;
  readonly freshMs: number;
  /** Questions that wait for a place; of this too a network gets an eighth of what is free. */
  readonly waitingPlaces: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** Part of what is free that one network, or one domain, may hold. */
const SHARE = 1 / 8;
/** A network with so many questions in hand, those of a few assessments, is greedy however few others there are. */
const MODEST = 40;
/** Waiting queues looked at before the rest are left for the next time: bounds the work where many may not start. */
const MAX_LOOKS = 64;

interface Place {
  readonly since: number;
  late: boolean;
}

interface Share {
  fresh: number;
  late: number;
}

/** How many places each of many holds; those with none are not kept. */
class Shares {
  readonly #held = new Map<string, Share>();

  get size(): number {
    return this.#held.size;
  }

  get(key: string): Readonly<Share> {
    return this.#held.get(key) ?? NOTHING_HELD;
  }

  add(key: string, fresh: number, late: number): void {
    const held = this.#held.get(key) ?? { fresh: 0, late: 0 };
    held.fresh += fresh;
    held.late += late;
    if (held.fresh + held.late === 0) this.#held.delete(key);
    else this.#held.set(key, held);
  }
}

const NOTHING_HELD = { fresh: 0, late: 0 } as const;

/** Our own questions wait here. */
const NOBODY = '';

/** The waiting questions of one network, by domain; both in the order of their turns. */
interface Queue {
  readonly domains: Map<string, Set<Ticket>>;
  size: number;
  /** The network had too much in hand at some time since anything began to wait. Many may give up at one moment. */
  greedy: boolean;
}

export class FairGate {
  readonly #options: GateOptions;
  #held = 0;
  /**
   * Those whose place is still fresh, oldest first. They come and go at a rate at which a Map or a Set would keep the
   * collector busy: each table that V8 gives up leads to the next, so that what was in it outlives several collections.
   */
  readonly #fresh: Ticket[] = [];
  readonly #networks = new Shares();
  readonly #domains = new Shares();
  readonly #queues = new Map<string, Queue>();
  #waiting = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Questions that wait for a place. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Questions that have one. */
  get inFlight(): number {
    return this.#held;
  }

  /**
   * Whether a network has so much in hand, under way or waiting, that its own questions keep each other back. When all
   * want as much as they can get, each gets `places / (8 + networks)`, and one that wants more keeps its own questions waiting.
   */
  greedy(network: string): boolean {
    const { fresh, late } = this.#networks.get(network);
    const queue = this.#queues.get(network);
    if (queue?.greedy === true) return true;
    const inHand = fresh + late + (queue?.size ?? 0);
    const present = Math.max(this.#networks.size, this.#queues.size);
    // One question is nobody's greed.
    return inHand > 1 && inHand >= Math.min(MODEST, this.#options.places / (1 / SHARE + present));
  }

  /** Starts the ticket or lets it wait; false where neither can be. */
  enter(ticket: Ticket): boolean {
    const queue = this.#queues.get(ticket.network ?? NOBODY);
    // Who waits already goes first.
    if (queue === undefined && this.#mayStart(ticket)) {
      this.#start(ticket);
      return true;
    }
    const left = this.#options.waitingPlaces - this.#waiting;
    if (left <= 0 || (ticket.network !== null && (queue?.size ?? 0) >= left * SHARE)) return false;
    this.#enqueue(ticket);
    this.#pump();
    return true;
  }

  /** Gives back a place, or the wish for one. */
  leave(ticket: Ticket): void {
    if (ticket.place === undefined) {
      this.#dequeue(ticket);
      return;
    }
    this.#release(ticket, ticket.place);
    this.#pump();
  }

  /** What was sent by `until` is fresh no more, and makes room for what is. */
  #age(until: number): void {
    const young = this.#fresh.findIndex(({ place }) => (place?.since ?? 0) > until);
    for (const ticket of this.#fresh.splice(0, young === -1 ? this.#fresh.length : young)) {
      if (ticket.place !== undefined) ticket.place.late = true;
      this.#count(ticket, -1, 1);
    }
  }

  #mayStart({ network, domain }: Ticket): boolean {
    const { places, freshPlaces } = this.#options;
    const free = places - this.#held;
    const freeFresh = freshPlaces - this.#fresh.length;
    if (free <= 0 || freeFresh <= 0) return false;
    const small = ({ fresh, late }: Share): boolean =>
      fresh < freeFresh * SHARE && fresh + late < free * SHARE;
    return network === null || (small(this.#networks.get(network)) && small(this.#domains.get(domain)));
  }

  #start(ticket: Ticket): void {
    const place = { since: this.#options.now(), late: false };
    ticket.place = place;
    this.#held++;
    this.#fresh.push(ticket);
    this.#count(ticket, 1, 0);
    if (!ticket.start()) this.#release(ticket, place);
  }

  #release(ticket: Ticket, { late }: Place): void {
    ticket.place = undefined;
    this.#held--;
    if (!late) this.#fresh.splice(this.#fresh.indexOf(ticket), 1);
    this.#count(ticket, late ? 0 : -1, late ? -1 : 0);
  }

  #count({ network, domain }: Ticket, fresh: number, late: number): void {
    if (network === null) return;
    this.#networks.add(network, fresh, late);
    this.#domains.add(domain, fresh, late);
  }

  /** Starts what may start, network by network. */
  #pump(): void {
    let looks = 0;
    let blocked = 0;
    while (looks < MAX_LOOKS && blocked < this.#queues.size) {
      if (this.#held >= this.#options.places || this.#fresh.length >= this.#options.freshPlaces) break;
      const [first] = this.#queues;
      if (first === undefined) break;
      const [network, queue] = first;
      // Whether it starts something or not, the next turn is another's.
      this.#queues.delete(network);
      this.#queues.set(network, queue);
      const { ticket, looked } = this.#nextOf(queue, MAX_LOOKS - looks);
      if (ticket === null) {
        looks += looked;
        blocked++;
        continue;
      }
      looks = 0;
      blocked = 0;
      this.#dequeue(ticket);
      this.#start(ticket);
    }
    this.#wake();
  }

  /** The first ticket of a queue that may start, of domains whose turn goes round. */
  #nextOf({ domains }: Queue, maxLooks: number): { ticket: Ticket | null; looked: number } {
    const most = Math.min(domains.size, maxLooks);
    for (let looked = 1; looked <= most; looked++) {
      const [first] = domains;
      if (first === undefined) break;
      const [domain, tickets] = first;
      domains.delete(domain);
      domains.set(domain, tickets);
      const [ticket] = tickets;
      if (ticket !== undefined && this.#mayStart(ticket)) return { ticket, looked };
    }
    return { ticket: null, looked: Math.max(1, most) };
  }

  /** Even if nothing leaves for a long time, waiting questions can start once the fresh ones have aged. */
  #wake(): void {
    const oldest = this.#fresh[0]?.place;
    if (this.#timer !== null || this.#waiting === 0 || oldest === undefined) return;
    const { now, freshMs } = this.#options;
    this.#timer = setTimeout(
      () => {
        const until = now() - freshMs;
        // Answers may have come while we were busy with other things, and lie in the buffer: these are read first.
        setImmediate(() => {
          this.#timer = null;
          this.#age(until);
          this.#pump();
        });
      },
      Math.max(1, oldest.since + freshMs - now()),
    );
  }

  #enqueue(ticket: Ticket): void {
    const network = ticket.network ?? NOBODY;
    let queue = this.#queues.get(network);
    if (queue === undefined)
      this.#queues.set(network, (queue = { domains: new Map(), size: 0, greedy: false }));
    const tickets = queue.domains.get(ticket.domain);
    if (tickets === undefined) queue.domains.set(ticket.domain, new Set([ticket]));
    else tickets.add(ticket);
    queue.size++;
    this.#waiting++;
    queue.greedy = this.greedy(network);
  }

  #dequeue(ticket: Ticket): void {
    const network = ticket.network ?? NOBODY;
    const queue = this.#queues.get(network);
    const tickets = queue?.domains.get(ticket.domain);
    if (queue === undefined || tickets?.delete(ticket) !== true) return;
    if (tickets.size === 0) queue.domains.delete(ticket.domain);
    queue.size--;
    this.#waiting--;
    if (queue.size === 0) this.#queues.delete(network);
  }
}
