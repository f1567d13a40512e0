/**
 * One question to a set of servers: the first usable answer counts. When a server is slow by its own measure, the next
 * is asked as well; when it fails, the next is asked at once; what is truncated is asked again over TCP.
 */
import type { RecordType } from '../core/resolver.ts';
import { readAnswer, type Reading } from './answer.ts';
import { decodeResponse, encodeQuery, RCODE, type Response, TYPE } from './message.ts';
import { foldCase } from './name.ts';
import type { Cancel, Listener } from './udp.ts';
import type { Upstream } from './upstream.ts';

export interface ExchangeOptions {
  /** In the order in which to ask them. */
  readonly upstreams: readonly Upstream[];
  /** Rounds through all of them. */
  readonly attempts: number;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** Codes with which another server may do better. */
const FAILED: ReadonlySet<number> = new Set([RCODE.SERVFAIL, RCODE.REFUSED, RCODE.NOTIMP, RCODE.FORMERR]);

/** Before an only server is asked again: it is at work, and only a lost packet needs the repetition. */
const REPEAT_MS = 1_000;

/**
 * Begins to ask for a name, written as `normalName` writes it. `done` hears the reading, once, and not before this
 * function has returned; never after the question has been taken back.
 */
export function exchange<T extends RecordType>(
  name: string,
  type: T,
  options: ExchangeOptions,
  done: (reading: Reading<T>) => void,
): Cancel {
  const running = new Exchange(name, type, options, done);
  running.begin();
  return () => {
    running.cancel();
  };
}

/** How one server is asked, and what that tells about it. */
interface Try {
  readonly edns: boolean;
  /** Asked again, since the same with EDNS was not understood. */
  readonly plain?: boolean;
  readonly heard: () => void;
  readonly unheard: () => void;
}

class Exchange<T extends RecordType> {
  readonly #name: string;
  readonly #type: T;
  readonly #options: ExchangeOptions;
  readonly #done: (reading: Reading<T>) => void;
  readonly #open = new Set<Cancel>();
  #asked = 0;
  /** Servers that failed, with what they said. Once all have failed, one of these is the answer. */
  readonly #failures = new Map<Upstream, Reading<T>>();
  #total: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;
  #over = false;

  constructor(name: string, type: T, options: ExchangeOptions, done: (reading: Reading<T>) => void) {
    this.#name = name;
    this.#type = type;
    this.#options = options;
    this.#done = done;
  }

  begin(): void {
    // Whoever waits for the answer keeps the process alive.
    this.#total = setTimeout(() => {
      this.#finish(this.#failure() ?? temperror('timeout'));
    }, this.#options.timeoutMs).unref();
    this.#askNext();
    for (const upstream of this.#options.upstreams.slice(1))
      upstream.probe(() => this.#query(upstream, true));
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#total);
    clearTimeout(this.#next);
    for (const cancel of this.#open) cancel();
    this.#open.clear();
  }

  #askNext(): void {
    clearTimeout(this.#next);
    const { upstreams, attempts } = this.#options;
    while (!this.#over && this.#asked < upstreams.length * attempts) {
      const upstream = upstreams[this.#asked % upstreams.length];
      const round = Math.floor(this.#asked++ / upstreams.length);
      // A server that has failed this question is not asked it again.
      if (upstream === undefined || this.#failures.has(upstream)) continue;
      this.#ask(upstream, round);
      return;
    }
  }

  #ask(upstream: Upstream, round: number): void {
    const { now, upstreams } = this.#options;
    const sentAt = now();
    let settled = false;
    const { waitMs } = upstream;
    this.#next = setTimeout(
      () => {
        if (!settled) upstream.missed(sentAt);
        this.#askNext();
      },
      upstreams.length === 1 ? Math.max(waitMs, REPEAT_MS) : waitMs * 2 ** round,
    ).unref();
    this.#overUdp(upstream, {
      // Some middleboxes drop questions with EDNS without a word.
      edns: upstream.edns && round === 0,
      heard: () => {
        settled = true;
        upstream.answered(now() - sentAt);
      },
      unheard: () => {
        settled = true;
        upstream.missed(sentAt);
      },
    });
  }

  #query(upstream: Upstream, edns: boolean): Buffer {
    return encodeQuery(
      { name: this.#name, type: TYPE[this.#type] },
      { edns: edns && upstream.edns, trustAd: upstream.trusted },
    );
  }

  #overUdp(upstream: Upstream, { edns, heard, unheard, plain = false }: Try): void {
    const query = this.#query(upstream, edns);
    this.#track((listener) => upstream.udp.ask(query, listener), upstream, {
      answered: (response) => {
        heard();
        if (response.truncated) this.#overTcp(upstream, query);
        else if (edns && isPlainOnly(response))
          this.#overUdp(upstream, { edns: false, heard, unheard, plain: true });
        else {
          if (plain && !isPlainOnly(response)) upstream.withoutEdns();
          this.#take(upstream, response);
        }
      },
      failed: (detail) => {
        unheard();
        this.#fail(upstream, temperror(detail));
      },
    });
  }

  #overTcp(upstream: Upstream, query: Buffer): void {
    this.#track((listener) => upstream.tcp.ask(query, listener), upstream, {
      answered: (response) => {
        if (response.truncated) this.#fail(upstream, temperror('badresp'));
        else this.#take(upstream, response);
      },
      failed: () => {
        this.#fail(upstream, temperror('truncated'));
      },
    });
  }

  /** Listens for the response to the question, and leaves other messages alone. */
  #track(
    send: (listener: Listener) => Cancel,
    upstream: Upstream,
    on: { readonly answered: (response: Response) => void; readonly failed: (detail: string) => void },
  ): void {
    const leave = (): void => void this.#open.delete(cancel);
    const cancel = send({
      answered: (bytes) => {
        let response: Response;
        try {
          response = decodeResponse(bytes);
        } catch {
          // With our id, port and server it is more likely broken than forged. It is never taken for an answer.
          leave();
          this.#fail(upstream, temperror('badresp'));
          return true;
        }
        if (!this.#belongs(response)) return false;
        leave();
        on.answered(response);
        return true;
      },
      failed: (detail) => {
        leave();
        on.failed(detail);
      },
    });
    this.#open.add(cancel);
  }

  /** A server that cannot read a question may answer without repeating it. */
  #belongs({ question, rcode }: Response): boolean {
    if (question === null) return FAILED.has(rcode);
    return question.type === TYPE[this.#type] && foldCase(question.name) === foldCase(this.#name);
  }

  #take(upstream: Upstream, response: Response): void {
    let reading: Reading<T>;
    try {
      reading = readAnswer(response, this.#name, this.#type);
    } catch {
      reading = temperror('badresp');
    }
    if (!upstream.trusted) reading = { ...reading, authenticated: false };
    if (reading.status === 'temperror') this.#fail(upstream, reading);
    else this.#finish(reading);
  }

  #fail(upstream: Upstream, reading: Reading<T>): void {
    if (this.#over) return;
    this.#failures.set(upstream, reading);
    if (this.#failures.size === this.#options.upstreams.length) this.#finish(this.#failure() ?? reading);
    else this.#askNext();
  }

  /** Of several failures, one with reasons says most. */
  #failure(): Reading<T> | undefined {
    const all = [...this.#failures.values()];
    return all.find(({ errors }) => errors.length > 0) ?? all.at(-1);
  }

  #finish(reading: Reading<T>): void {
    if (this.#over) return;
    this.cancel();
    this.#done(reading);
  }
}

/** Not where the server understands EDNS: then it passes on what the name's own server said, or means the question. */
function isPlainOnly({ rcode, edns }: Response): boolean {
  return !edns && (rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP || rcode === RCODE.BADVERS);
}

function temperror(detail: string): Reading<never> {
  return { status: 'temperror', detail, aliases: [], authenticated: false, errors: [] };
}
