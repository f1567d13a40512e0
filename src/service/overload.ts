/**
 * Reports that there are more DNS questions than we ask at a time, so that some verdicts rest on less than
 * they should: once, then every ten seconds while it goes on.
 */
import { type SharedResolver, watched } from '../dns/asker.ts';

export interface OverloadOptions {
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** How many questions, of how many client networks, were given up since the last report. */
  readonly tell: (questions: number, networks: number) => void;
}

/** The first report waits this long, in milliseconds, so that it can say how much it is. */
const FIRST_MS = 1_000;
/** Milliseconds between two reports, and until it counts as over. */
const EVERY_MS = 10_000;
/** The most networks that are told apart. */
const MAX_NETWORKS = 1_000;

export class Overload {
  readonly #options: OverloadOptions;
  readonly #networks = new Set<string>();
  #questions = 0;
  #lastAt = -Infinity;
  /** When a client that asked for no more than others last lost a question. */
  #sharedAt = -Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: OverloadOptions) {
    this.#options = options;
  }

  /**
   * Whether it is going on, and affects clients that have not used up their own share. True for up to ten
   * seconds longer.
   */
  get on(): boolean {
    return this.#options.now() - this.#sharedAt < EVERY_MS;
  }

  /** The resolver, watched for questions that were not asked. */
  watch(inner: SharedResolver): SharedResolver {
    return watched(inner, async (resolver, name, type, network) => {
      const answer = await resolver.lookup(name, type);
      if (answer.status === 'temperror' && (answer.detail === 'overload' || answer.detail === 'share'))
        this.#note(network ?? 'ourselves', answer.detail);
      return answer;
    });
  }

  /** Reports what has been counted, now. */
  close(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#tell();
  }

  #note(network: string, why: 'overload' | 'share'): void {
    const { now } = this.#options;
    this.#questions++;
    if (this.#networks.size < MAX_NETWORKS) this.#networks.add(network);
    if (why === 'overload') this.#sharedAt = now();
    if (this.#timer !== null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#tell();
      },
      now() - this.#lastAt < EVERY_MS ? EVERY_MS : FIRST_MS,
    ).unref();
  }

  #tell(): void {
    this.#options.tell(this.#questions, this.#networks.size);
    this.#questions = 0;
    this.#networks.clear();
    this.#lastAt = this.#options.now();
  }
}
