/**
 * Tells a broken resolver from broken zones. While the resolver is out of order, nothing that rests on DNS
 * counts against anybody. Names that a client made us ask about are no evidence, however many there are:
 * anybody can have ten domains whose servers are silent. They only raise suspicion, counted by client
 * network. The control questions, which no stranger can influence, settle it: the brake is put on when they
 * fail, and released when one is answered. While it is on they are asked at intervals, so that it is released
 * even if no client comes.
 */
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';
import type { ControlQuestions } from './control-questions.ts';
import { isUnasked } from '../core/unasked.ts';
import { type SharedResolver, watched } from './asker.ts';
import { SuspectNetworks } from './suspect-networks.ts';

export interface OutageBrakeOptions {
  readonly controls: ControlQuestions;
  /**
   * The resolver over which the control questions go at present; null if nothing can be out of order, as with
   * a zone file.
   */
  readonly resolver: () => SharedResolver | null;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /**
   * Called once for every change, with the number of client networks heard of lately, and of those that meet
   * with trouble.
   */
  readonly onChange: (on: boolean, failing: number, networks: number) => void;
}

/** A question that is unanswered for this long is suspicious; its own time limit may be much longer. */
const OVERDUE_MS = 1_000;
/** How often suspicion is weighed. */
const WEIGH_EVERY_MS = 100;
/** Under suspicion the control questions are asked no more often than this. */
const ASK_EVERY_MS = 2_000;
/** While the brake is on, they are asked again this long after the last result. */
const ASK_AGAIN_MS = 5_000;
/** How often the control questions are tried again as long as they have never been answered. */
const PROVE_EVERY_MS = 10_000;

interface Open {
  readonly network: string;
  readonly at: number;
}

export class OutageBrake {
  readonly #options: OutageBrakeOptions;
  readonly #suspects: SuspectNetworks;
  /** Questions under way, oldest first, until they are overdue. */
  readonly #open = new Set<Open>();
  #resolver: SharedResolver | null = null;
  /** The resolver has answered something. */
  #heard = false;
  /** When the brake was put on; null while it is off. */
  #onSince: number | null = null;
  #asking = false;
  #closed = false;
  #weighAgainAt = -Infinity;
  #askAgainAt = -Infinity;
  #proveAgainAt = -Infinity;
  #overdue: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: OutageBrakeOptions) {
    this.#options = options;
    this.#suspects = new SuspectNetworks(options.now);
  }

  get on(): boolean {
    return this.#onSince !== null;
  }

  /** Whether it was already on at `begun`, and still is: nobody profits from an outage that began later. */
  onSince(begun: number): boolean {
    return this.#onSince !== null && this.#onSince <= begun;
  }

  /** The resolver, with its answers watched. */
  watch(inner: SharedResolver): SharedResolver {
    return watched(inner, (resolver, name, type, network) => this.#look(resolver, name, type, network));
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  /** Stops asking. */
  close(): void {
    this.#closed = true;
    for (const timer of [this.#timer, this.#overdue]) if (timer !== null) clearTimeout(timer);
  }

  async #look<T extends RecordType>(
    resolver: Resolver,
    name: string,
    type: T,
    network: string | null,
  ): Promise<Answer<T>> {
    // Our own questions are few and say nothing about clients.
    if (network === null) return resolver.lookup(name, type);
    const open = { network, at: this.#options.now() };
    this.#open.add(open);
    this.#watchOpen();
    const answer = await resolver.lookup(name, type);
    const known = this.#open.delete(open);
    if (answer.status !== 'temperror') {
      this.#current();
      this.#heard = true;
      this.#suspects.note(network, true);
      if (!this.#options.controls.proven) this.#prove();
    } else if (known && !isUnasked(answer.detail) && answer.detail !== 'badresp') {
      this.#suspects.note(network, false);
      this.#suspect();
    }
    return answer;
  }

  #watchOpen(): void {
    const [oldest] = this.#open;
    if (this.#overdue !== null || oldest === undefined) return;
    this.#overdue = setTimeout(
      () => {
        this.#overdue = null;
        this.#countOverdue();
        this.#watchOpen();
      },
      Math.max(1, oldest.at + OVERDUE_MS - this.#options.now()),
    ).unref();
  }

  #countOverdue(): void {
    const until = this.#options.now() - OVERDUE_MS;
    for (const open of this.#open) {
      if (open.at > until) break;
      this.#open.delete(open);
      this.#suspects.note(open.network, false);
    }
    this.#suspect();
  }

  #suspect(): void {
    const now = this.#options.now();
    if (this.on || this.#asking || now < this.#askAgainAt || now < this.#weighAgainAt) return;
    this.#weighAgainAt = now + WEIGH_EVERY_MS;
    if (this.#suspects.suspicious) void this.#ask();
  }

  /** While all is well, learns which control questions are answered here. */
  #prove(): void {
    const now = this.#options.now();
    if (this.on || this.#asking || now < this.#proveAgainAt) return;
    this.#proveAgainAt = now + PROVE_EVERY_MS;
    void this.#ask();
  }

  /** The resolver as it is now; of another one nothing is known yet. */
  #current(): SharedResolver | null {
    const resolver = this.#options.resolver();
    if (resolver !== this.#resolver) {
      this.#resolver = resolver;
      this.#heard = false;
      this.#options.controls.forget();
    }
    return resolver;
  }

  async #ask(): Promise<void> {
    if (this.#closed) return;
    const { controls, now } = this.#options;
    const resolver = this.#current();
    if (resolver === null) {
      this.#set(false);
      return;
    }
    this.#asking = true;
    this.#askAgainAt = now() + ASK_EVERY_MS;
    const sign = await controls.ask(resolver, () => this.#heard);
    this.#asking = false;
    if (this.#isClosed()) return;
    if (sign === 'alive' || sign === 'unusable') this.#set(false);
    // A round that failed while nobody met with trouble was only asked to learn, and proves nothing yet.
    else if (sign === 'dead' && this.#suspects.suspicious) this.#set(true);
    if (this.on) {
      this.#timer = setTimeout(() => void this.#ask(), ASK_AGAIN_MS).unref();
    }
  }

  #set(on: boolean): void {
    if (on === this.on) return;
    this.#onSince = on ? this.#options.now() : null;
    const { failing, networks } = this.#suspects.count();
    this.#options.onChange(on, failing, networks);
  }
}
