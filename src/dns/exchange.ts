/**
 * One question to a set of servers: the first usable answer counts. When a server is slower than it usually
 * is, the next is asked as well; when it fails, the next is asked at once; after a truncated answer the
 * question is asked again over TCP.
 */
import type { RecordType } from '../core/resolver.ts';
import { readAnswer, type Reading } from './answer.ts';
import { type Asking, Attempt } from './attempt.ts';
import { encodeQuery, type Question, RCODE, type Response, TYPE } from './message.ts';
import { foldCase } from './name.ts';
import type { Upstream } from './upstream.ts';

export interface ExchangeOptions {
  /** In the order in which to ask them. */
  readonly upstreams: readonly Upstream[];
  /** Rounds through all of them. */
  readonly attempts: number;
  /** When the exchange ends, on the scale of `now`. */
  readonly deadline: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** Codes with which another server may do better. */
const FAILED: ReadonlySet<number> = new Set([RCODE.SERVFAIL, RCODE.REFUSED, RCODE.NOTIMP, RCODE.FORMERR]);

/**
 * The wait before the only server is asked again: it is probably working on the question, and only a lost
 * packet needs repeating.
 */
const REPEAT_MS = 1_000;

const NONE: readonly never[] = [];

/** Whoever wants the answer. */
export interface Hearer<T extends RecordType> {
  /**
   * The answer comes once, not before `begin` has returned, and never after the question was cancelled.
   */
  hear(reading: Reading<T>): void;
}

export class Exchange<T extends RecordType> implements Asking {
  readonly now: () => number;
  readonly question: Question;
  readonly #type: T;
  readonly #options: ExchangeOptions;
  readonly #hearer: Hearer<T>;
  /** All attempts that may still be answered, and some that are over. */
  #attempts: readonly Attempt[] = NONE;
  #asked = 0;
  /** The answer of each server that failed. When all have failed, one of these is the answer. */
  #failures: readonly { readonly upstream: Upstream; readonly reading: Reading<T> }[] = NONE;
  /** Fires when another server is to be asked, or when the exchange ends. */
  #timer: NodeJS.Timeout | undefined;
  /** What is done then: null means the end. */
  #waitsFor: Attempt | null = null;
  #over = false;

  /** `name` is written as `normalName` writes it. */
  constructor(name: string, type: T, options: ExchangeOptions, hearer: Hearer<T>) {
    this.now = options.now;
    this.question = { name, type: TYPE[type] };
    this.#type = type;
    this.#options = options;
    this.#hearer = hearer;
  }

  /** Throws NameError for a name that cannot be written in a message. */
  begin(): void {
    const { upstreams } = this.#options;
    this.#askNext();
    for (let i = 1; i < upstreams.length; i++) {
      const upstream = upstreams[i];
      upstream?.probe(() => this.query(upstream, upstream.edns));
    }
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const attempt of this.#attempts) attempt.cancel();
  }

  query(upstream: Upstream, edns: boolean): Buffer {
    return encodeQuery(this.question, { edns, trustAd: upstream.trusted });
  }

  /** A server that cannot read a question may answer without repeating it. */
  belongs({ question, rcode }: Response): boolean {
    if (question === this.question) return true;
    if (question === null) return FAILED.has(rcode);
    if (question.type !== this.question.type) return false;
    return foldCase(question.name) === foldCase(this.question.name);
  }

  take(upstream: Upstream, response: Response): void {
    let reading: Reading<T>;
    try {
      reading = readAnswer(response, this.question.name, this.#type);
    } catch {
      reading = temperror('badresp');
    }
    if (reading.authenticated && !upstream.trusted) reading = { ...reading, authenticated: false };
    if (reading.status === 'temperror') this.#note(upstream, reading);
    else this.#finish(reading);
  }

  fail(upstream: Upstream, detail: string): void {
    this.#note(upstream, temperror(detail));
  }

  #askNext(): void {
    const { upstreams, attempts } = this.#options;
    while (this.#asked < upstreams.length * attempts) {
      const upstream = upstreams[this.#asked % upstreams.length];
      const round = Math.floor(this.#asked++ / upstreams.length);
      // A server that has failed this question is not asked it again.
      if (upstream === undefined || this.#hasFailed(upstream)) continue;
      const { waitMs } = upstream;
      // Some middleboxes silently drop questions with EDNS.
      const attempt = new Attempt(this, upstream, upstream.edns && round === 0);
      this.#attempts = this.#attempts.length === 0 ? [attempt] : [...this.#attempts, attempt];
      this.#wait(upstreams.length === 1 ? Math.max(waitMs, REPEAT_MS) : waitMs * 2 ** round, attempt);
      attempt.send();
      return;
    }
    this.#wait(Infinity, null);
  }

  /**
   * Gives the last attempt this many milliseconds before another is made, but no time beyond the end of the
   * exchange.
   */
  #wait(ms: number, attempt: Attempt | null): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    const left = Math.max(1, this.#options.deadline - this.now());
    this.#waitsFor = ms < left ? attempt : null;
    // Whoever waits for the answer keeps the process alive.
    this.#timer = setTimeout(wake, Math.min(ms, left), this).unref();
  }

  /** The time given is over. */
  timedOut(): void {
    if (this.#waitsFor === null) this.#finish(this.#failure() ?? temperror('timeout'));
    else {
      this.#waitsFor.missed();
      this.#askNext();
    }
  }

  #note(upstream: Upstream, reading: Reading<T>): void {
    if (this.#over) return;
    if (!this.#hasFailed(upstream)) this.#failures = [...this.#failures, { upstream, reading }];
    if (this.#failures.length === this.#options.upstreams.length) this.#finish(this.#failure() ?? reading);
    else this.#askNext();
  }

  #hasFailed(upstream: Upstream): boolean {
    return this.#failures.some((failure) => failure.upstream === upstream);
  }

  /** Of several failures, one with reasons says most. */
  #failure(): Reading<T> | undefined {
    const reasoned = this.#failures.find(({ reading }) => reading.errors.length > 0);
    return (reasoned ?? this.#failures.at(-1))?.reading;
  }

  #finish(reading: Reading<T>): void {
    if (this.#over) return;
    this.cancel();
    this.#hearer.hear(reading);
  }
}

function wake(exchange: Exchange<RecordType>): void {
  exchange.timedOut();
}

function temperror(detail: string): Reading<never> {
  return { status: 'temperror', detail, aliases: [], authenticated: false, errors: [] };
}
