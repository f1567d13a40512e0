/**
 * The core's Resolver over DNS messages of our own: a stub (RFC 1034 §5.3.1) that asks the host's resolvers,
 * and reports everything that they say. It caches no answers: assessments are cached, and the resolvers have
 * a cache too.
 */
import type { Answer, RecordType } from '../core/resolver.ts';
import { MAX_ALIASES, type Reading } from './answer.ts';
import { Exchange, type ExchangeOptions, type Hearer } from './exchange.ts';
import { NameError, normalName } from './name.ts';
import type { ServersOptions } from './server-address.ts';
import { serversOf } from './servers.ts';
import {
  type Sent,
  shareQuestions,
  type SharedQuestions,
  type SharedQuestionsOptions,
} from './shared-questions.ts';

/** Defaults: the system's servers, 3,000 ms a question, and the clock of the process. */
export type StubResolverOptions = Partial<ServersOptions>;

const TIMEOUT_MS = 3_000;

/**
 * Places for questions; see `fair-gate.ts`. If many more than 200 are answered at once, the buffer of a UDP
 * socket overflows.
 */
export const PLACES = { places: 1_000, freshPlaces: 200, freshMs: 250, waitingPlaces: 5_000 };

/** Throws ServerAddressError for a server that is not an address. */
export function createStubResolver(options: StubResolverOptions = {}): SharedQuestions {
  const { timeoutMs = TIMEOUT_MS, now = steadyNow } = options;
  return shareQuestions({ ...PLACES, timeoutMs, now, send: transportOf(options) });
}

/** What is below the sharing: sends each question at once, whoever asks. Throws as `createStubResolver`. */
export function transportOf(options: StubResolverOptions): SharedQuestionsOptions['send'] {
  const { servers: given = [], timeoutMs = TIMEOUT_MS, now = steadyNow } = options;
  const servers = serversOf({ ...options, servers: given, timeoutMs, now });
  return (name, type, deadline) => {
    const { upstreams, attempts } = servers();
    return new Lookup(name, type, { upstreams, attempts, deadline, now });
  };
}

const steadyNow = (): number => performance.now();

/** One question on its way, from alias to alias if need be. */
class Lookup<T extends RecordType> implements Sent, Hearer<T> {
  readonly answer: Promise<Answer<T>>;
  readonly #type: T;
  readonly #terms: ExchangeOptions;
  #aliases = 0;
  /** The last of them. */
  #alias: string | undefined;
  /** Of the aliases so far. */
  #ttl = Infinity;
  #authenticated = true;
  #resolve: (answer: Answer<T>) => void = unheard;
  #exchange: Exchange<T> | null = null;

  constructor(name: string, type: T, terms: ExchangeOptions) {
    this.#type = type;
    this.#terms = terms;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    try {
      this.#ask(normalName(name));
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      // A name that cannot be written in a message is in no zone.
      this.#resolve({ status: 'nxdomain', ttl: null });
    }
  }

  cancel(): void {
    this.#exchange?.cancel();
    this.#resolve({ status: 'temperror', detail: 'cancelled' });
  }

  hear(reading: Reading<T>): void {
    this.#aliases += reading.aliases.length;
    this.#alias = reading.aliases.at(-1) ?? this.#alias;
    this.#authenticated &&= reading.authenticated;
    if (reading.status !== 'referred') this.#resolve(this.#answerOf(reading));
    else if (this.#aliases >= MAX_ALIASES) this.#resolve({ status: 'temperror', detail: 'badresp' });
    else {
      this.#ttl = Math.min(this.#ttl, reading.ttl);
      this.#ask(reading.target);
    }
  }

  #ask(name: string): void {
    this.#exchange = new Exchange(name, this.#type, this.#terms, this);
    this.#exchange.begin();
  }

  #answerOf(reading: Exclude<Reading<T>, { status: 'referred' }>): Answer<T> {
    const answer = this.#bareAnswerOf(reading);
    const alias = reading.status === 'temperror' ? undefined : this.#alias;
    if (!this.#authenticated && reading.errors.length === 0 && alias === undefined) return answer;
    return {
      ...answer,
      ...(alias === undefined ? {} : { alias }),
      ...(this.#authenticated ? { authenticated: true } : {}),
      ...(reading.errors.length > 0 ? { errors: reading.errors } : {}),
    };
  }

  /** Without remarks, as most are. */
  #bareAnswerOf(reading: Exclude<Reading<T>, { status: 'referred' }>): Answer<T> {
    const { status } = reading;
    if (status === 'temperror') return { status, detail: reading.detail };
    if (status === 'found') {
      return { status, records: reading.records, ttl: Math.min(this.#ttl, reading.ttl) };
    }
    return { status, ttl: reading.ttl === null ? null : Math.min(this.#ttl, reading.ttl) };
  }
}

const unheard = (): void => undefined;
