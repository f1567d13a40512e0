/**
 * One server that is asked: the ways to it, and what its answers so far say about how long the next may take.
 */
import { TcpConnection } from './tcp.ts';
import { UdpPool } from './udp.ts';
import type { Endpoint } from './server-address.ts';

export interface UpstreamOptions extends Endpoint {
  /** Milliseconds that it gets for an answer as long as nothing is known about it. */
  readonly initialMs: number;
  /** We believe it when it says that an answer is validated. */
  readonly trusted: boolean;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** A shorter wait is no sign of trouble: timers and busy machines are late by that much. */
const MIN_WAIT_MS = 50;
/**
 * A silent server is tried again after this long, beside one that answers; the wait doubles with each try.
 */
const FIRST_PROBE_MS = 1_000;
const MAX_PROBE_MS = 30_000;
/** How long a server that does not understand EDNS is asked without it. */
const PLAIN_MS = 15 * 60_000;

export class Upstream {
  readonly trusted: boolean;
  readonly udp: UdpPool;
  readonly tcp: TcpConnection;
  readonly #now: () => number;
  readonly #initialMs: number;
  /** Smoothed round trip and its variation, milliseconds (RFC 6298 §2). */
  #srtt: number | null = null;
  #rttvar = 0;
  /** How often in a row it was asked and said nothing, to that question or to any other. */
  #silences = 0;
  #answeredAt = -Infinity;
  #probeAt = 0;
  #speaksEdns = false;
  #plainUntil = -Infinity;

  constructor({ initialMs, trusted, ...options }: UpstreamOptions) {
    this.trusted = trusted;
    this.#initialMs = initialMs;
    this.#now = options.now;
    this.udp = new UdpPool(options);
    this.tcp = new TcpConnection(options);
  }

  /** Milliseconds after which another server is asked as well. */
  get waitMs(): number {
    if (this.#srtt === null) return this.#initialMs;
    return Math.min(this.#initialMs, Math.max(MIN_WAIT_MS, this.#srtt + 4 * this.#rttvar));
  }

  /** It has not answered lately, so others are asked first. */
  get silent(): boolean {
    return this.#silences > 0;
  }

  get edns(): boolean {
    return this.#now() >= this.#plainUntil;
  }

  /** It has answered with EDNS. */
  understoodEdns(): void {
    this.#speaksEdns = true;
  }

  /**
   * It did not understand a question with EDNS (RFC 6891 §7), and did without. A forwarder that spoke EDNS
   * before may have passed on what the name's own server said: EDNS is given up only if that happens twice in
   * a row.
   */
  misunderstoodEdns(): void {
    if (!this.#speaksEdns) this.#plainUntil = this.#now() + PLAIN_MS;
    this.#speaksEdns = false;
  }

  answered(roundTripMs: number): void {
    this.#silences = 0;
    this.#answeredAt = this.#now();
    if (this.#srtt === null) {
      this.#srtt = roundTripMs;
      this.#rttvar = roundTripMs / 2;
      return;
    }
    this.#rttvar += (Math.abs(this.#srtt - roundTripMs) - this.#rttvar) / 4;
    this.#srtt += (roundTripMs - this.#srtt) / 8;
  }

  /**
   * A question sent at `sentAt` was not answered in time. A server that has answered other questions since is
   * not silent: it is the domain asked about that is slow, and a stranger may have chosen it.
   */
  missed(sentAt: number): void {
    if (this.#answeredAt >= sentAt) return;
    this.#silences++;
    this.#schedule();
  }

  /** Sends a silent server a query now and then, only to see whether it is back: any answer proves that. */
  probe(query: () => Buffer): void {
    if (!this.silent || this.#now() < this.#probeAt) return;
    this.#silences++;
    this.#schedule();
    const sentAt = this.#now();
    const cancel = this.udp.ask(query(), {
      answered: () => {
        clearTimeout(timer);
        this.answered(this.#now() - sentAt);
        return true;
      },
      failed: () => {
        clearTimeout(timer);
      },
    });
    const timer = setTimeout(cancel, this.#initialMs).unref();
  }

  close(): void {
    this.udp.close();
    this.tcp.close();
  }

  #schedule(): void {
    const waitMs = Math.min(MAX_PROBE_MS, FIRST_PROBE_MS * 2 ** Math.min(10, this.#silences - 1));
    this.#probeAt = this.#now() + waitMs;
  }
}
