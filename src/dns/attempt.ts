/**
 * One question put to one server: over UDP with EDNS, without it where that is not understood, over TCP where
 * the answer was cut short. It tells the server's Upstream what it learns about the server.
 */
import { decodeResponse, type Question, RCODE, type Response } from './message.ts';
import type { Cancel, Listener } from './udp.ts';
import type { Upstream } from './upstream.ts';

/** The question for which an attempt is made. */
export interface Asking {
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  readonly question: Question;
  /** The question as a message, without an id. */
  query(upstream: Upstream, edns: boolean): Buffer;
  /** Whether a response is one to this question. */
  belongs(response: Response): boolean;
  /** The whole response of the server. */
  take(upstream: Upstream, response: Response): void;
  /** There is no usable response. `detail` is one word for the log. */
  fail(upstream: Upstream, detail: string): void;
}

export class Attempt implements Listener {
  readonly #asking: Asking;
  readonly #upstream: Upstream;
  #query: Buffer;
  #sentAt = 0;
  #edns: boolean;
  /** The question was not understood with EDNS, and is asked again without. */
  #again = false;
  #overTcp = false;
  /** The Upstream has been told that the server answers, or that it is silent. */
  #settled = false;
  /** Null while nothing is under way. */
  #cancel: Cancel | null = null;

  constructor(asking: Asking, upstream: Upstream, edns: boolean) {
    this.#asking = asking;
    this.#upstream = upstream;
    this.#edns = edns;
    this.#query = asking.query(upstream, edns);
  }

  send(): void {
    this.#sentAt = this.#asking.now();
    this.#cancel = this.#upstream.udp.ask(this.#query, this);
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Its time is over. */
  missed(): void {
    if (!this.#settled) this.#upstream.missed(this.#sentAt);
    this.#settled = true;
  }

  answered(bytes: Buffer): boolean {
    let response: Response;
    try {
      response = decodeResponse(bytes, this.#asking.question, this.#query);
    } catch {
      // With our id and port, from the right server, it is more likely broken than forged. It is never
      // accepted as an answer.
      this.#cancel = null;
      this.#asking.fail(this.#upstream, 'badresp');
      return true;
    }
    if (!this.#asking.belongs(response)) return false;
    this.#cancel = null;
    if (this.#overTcp) this.#hearTcp(response);
    else this.#hearUdp(response);
    return true;
  }

  failed(detail: string): void {
    this.#cancel = null;
    if (!this.#overTcp) this.missed();
    this.#asking.fail(this.#upstream, this.#overTcp ? 'truncated' : detail);
  }

  #hearUdp(response: Response): void {
    this.#settled = true;
    this.#upstream.answered(this.#asking.now() - this.#sentAt);
    if (response.truncated) {
      this.#overTcp = true;
      this.#cancel = this.#upstream.tcp.ask(this.#query, this);
    } else if (this.#edns && isPlainOnly(response)) {
      this.#edns = false;
      this.#again = true;
      this.#query = this.#asking.query(this.#upstream, false);
      this.send();
    } else {
      if (response.edns) this.#upstream.understoodEdns();
      else if (this.#again && !isPlainOnly(response)) this.#upstream.misunderstoodEdns();
      this.#asking.take(this.#upstream, response);
    }
  }

  #hearTcp(response: Response): void {
    if (response.truncated) this.#asking.fail(this.#upstream, 'badresp');
    else this.#asking.take(this.#upstream, response);
  }
}

/**
 * Whether the server does not understand EDNS. If it answers with EDNS, the code is one that it passes on
 * from the name's own server, or is about the question.
 */
function isPlainOnly({ rcode, edns }: Response): boolean {
  return !edns && (rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP || rcode === RCODE.BADVERS);
}
