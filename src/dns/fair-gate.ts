/**
 * Shares the places for questions in flight among those who ask, so that nobody can take them all.
 *
 * No fixed number is promised: a client network, and a domain asked about, may each hold at most an eighth of
 * what is free (the dynamic threshold by which Choudhury and Hahne share the memory of a switch, 1998). One
 * alone gets a ninth of all places, ten get an eighteenth each and leave nearly half free, and as long as
 * there are fewer of them than places a newcomer still gets one. Turns go round by network, and within a
 * network by domain.
 *
 * Places are of two kinds. A question is `fresh` for a moment, and only few may be: their answers come close
 * together, and many would overflow the socket's buffer. After that it is late, and may wait together with
 * many others at no cost but memory.
 */

/** A question that wants a place. */
export interface Ticket {
  /** Whose share it takes; null for our own questions, which are few. */
  readonly network: string | null;
  readonly domain: string;
  /**
   * Called when it gets a place, perhaps before `enter` returns. Returns true to take the place, which
   * `leave` gives back; false if none is needed any more.
   */
  readonly start: () => boolean;
  /** For the gate's own use. */
  place?: Place | undefined;
}

export interface GateOptions {
  /** Questions in flight. */
  readonly places: number;
  /** Of these, questions younger than `freshMs` milliseconds. */
  readonly freshPlaces: number;
  readonly freshMs: number;
  /** Questions that may wait for a place; of this room, too, a network gets an eighth of what is free. */
  readonly waitingPlaces: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** Part of what is free that one network, or one domain, may hold. */
const SHARE = 1 / 8;
/**
 * A network with this many questions in hand (those of a few assessments) is greedy, however few others there
 * are.
 */
const MODEST = 40;
/**
 * Waiting queues looked at before the rest are left for the next time: bounds the work when many may not
 * start.
 */
const MAX_LOOKS = 64;

interface Place {
  readonly since: number;
  late: boolean;
}

interface Share {
  fresh: number;
  late: number;
}

/** How many places each holder has; those with none are not kept. */
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
  /**
   * The network has had too much in hand at some time since anything began to wait; remembered, since many
   * questions may end at the same moment.
   */
  greedy: boolean;
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
   * Whether a network has so much in hand, under way or waiting, that its own questions hold each other up.
   * When all want as much as they can get, each gets `places / (8 + networks)`, and one that wants more keeps
   * its own questions waiting.
   */
  greedy(network: string): boolean {
    const { fresh, late } = this.#networks.get(network);
    const queue = this.#queues.get(network);
    if (queue?.greedy === true) return true;
    const inHand = fresh + late + (queue?.size ?? 0);
    const present = Math.max(this.#networks.size, this.#queues.size);
    // A single question is never greedy.
    return inHand > 1 && inHand >= Math.min(MODEST, this.#options.places / (1 / SHARE + present));
  }

  /** Starts the ticket or lets it wait; false if neither is possible. */
  enter(ticket: Ticket): boolean {
    const queue = this.#queues.get(ticket.network ?? NOBODY);
    // Those that are already waiting go first.
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

  /** Gives back a place, or stops waiting for one. */
  leave(ticket: Ticket): void {
    if (ticket.place === undefined) {
      this.#dequeue(ticket);
      return;
    }
    this.#release(ticket, ticket.place);
    this.#pump();
  }

  /** Questions sent by `until` are no longer fresh, and make room for others. */
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
      // Whether this one starts anything or not, the next turn is somebody else's.
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

  /** The first ticket of a queue that may start; turns go round by domain. */
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

  /** Even if no question ends for a long time, waiting ones can start once the fresh ones have aged. */
  #wake(): void {
    const oldest = this.#fresh[0]?.place;
    if (this.#timer !== null || this.#waiting === 0 || oldest === undefined) return;
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
