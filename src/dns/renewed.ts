/**
 * A resolver of `node:dns` that asks its server every time, and whose memory has an end.
 *
 * The c-ares of some versions of Node (20.19.0 to 20.19.4, so Debian 13's; 22.13.0; 24.0.0) keeps answers behind our
 * back: for up to an hour, empty ones whatever their SOA says, and without a bound on how many. No option of Node turns
 * it off, but what it keeps belongs to one channel, that is to one `dns.Resolver`. So no channel is asked the same
 * question twice, and each is given up after so many questions.
 */
import { promises as dns } from 'node:dns';

/**
 * Questions put to one channel. A new one costs about 80 µs and a question 40 µs, so this adds 2 %; and an answer has
 * 64 KiB at most, so what one channel keeps stays below some ten megabytes whoever wrote the answers.
 */
const MAX_QUESTIONS = 100;
/** Nobody is asked there: c-ares forgets its answers when its servers become others. */
const NOWHERE = '0.0.0.0:1';

/** The part of `dns.Resolver` that matters here. */
interface Settable {
  setServers(servers: readonly string[]): void;
}

interface Channel<R> {
  readonly resolver: R;
  readonly asked: Set<string>;
  /** Questions without an answer yet. */
  open: number;
}

export class RenewedResolver<R extends Settable = dns.Resolver> {
  readonly #make: () => R;
  #channel: Channel<R>;

  /** `make` gives a resolver that has asked nothing. */
  constructor(make: () => R) {
    this.#make = make;
    this.#channel = channelOf(make());
  }

  /** Puts a question by a channel that has not been asked it. Questions are the same where their `key` is. */
  async ask<A>(key: string, put: (resolver: R) => Promise<A>): Promise<A> {
    const channel = this.#channelFor(key);
    channel.asked.add(key);
    channel.open++;
    try {
      return await put(channel.resolver);
    } finally {
      channel.open--;
      this.#release(channel);
    }
  }

  #channelFor(key: string): Channel<R> {
    const current = this.#channel;
    if (current.asked.size < MAX_QUESTIONS && !current.asked.has(key)) return current;
    this.#channel = channelOf(this.#make());
    this.#release(current);
    return this.#channel;
  }

  /** The answers lie outside of the heap: the garbage collector sees no need to hurry. */
  #release(channel: Channel<R>): void {
    if (channel === this.#channel || channel.open > 0) return;
    channel.resolver.setServers([NOWHERE]);
  }
}

function channelOf<R>(resolver: R): Channel<R> {
  return { resolver, asked: new Set(), open: 0 };
}

/** A resolver of Node's that asks this server, `ADDRESS:PORT`, once a question and waits so many milliseconds. */
export function renewedResolver(server: string, timeoutMs: number): RenewedResolver {
  return new RenewedResolver(() => {
    const resolver = new dns.Resolver({ timeout: timeoutMs, tries: 1 });
    resolver.setServers([server]);
    return resolver;
  });
}
