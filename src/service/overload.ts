/**
 * Tells that more is asked of DNS than we ask at a time, so that some verdicts rest on less than they should. Said once,
 * then every ten seconds while it goes on.
 */
import { type SharedResolver, watched } from '../dns/asker.ts';

export interface OverloadOptions {
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** How many questions of how many client networks were given up since it was said last. */
  readonly tell: (questions: number, networks: number) => void;
}

/** What comes first gathers for so long, in milliseconds, that the line says how much it is. */
const FIRST_MS = 1_000;
/** Milliseconds between two lines, and until it counts as over. */
const EVERY_MS = 10_000;
/** More networks than this are not told apart. */
const MAX_NETWORKS = 1_000;

export class Overload {
  readonly #options: OverloadOptions;
  readonly #networks = new Set<string>();
  #questions = 0;
  #lastAt = -Infinity;
  /** When somebody last lost a question who asked for no more than others. */
  #sharedAt = -Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: OverloadOptions) {
    this.#options = options;
  }

  /** It goes on, and for others than those who use up their own share. For at most ten seconds more. */
  get on(): boolean {
    return this.#options.now() - this.#sharedAt < EVERY_MS;
  }

  /** The resolver with an eye on questions that were not asked. */
  watch(inner: SharedResolver): SharedResolver {
    return watched(inner, async (resolver, name, type, network) => {
      const answer = await resolver.lookup(name, type);
      if (answer.status === 'temperror' && (answer.detail === 'overload' || answer.detail === 'share'))
        this.#note(network ?? 'ourselves', answer.detail);
      return answer;
    });
  }

  /** Tells what is gathered, now. */
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
