/**
 * The flow of one connection in both directions: packets are taken in portions, so that others have their
 * turn; replies are gathered into few writes; and nothing is taken from a peer that does not read, or that
 * sends on while a callback works.
 */
import { MAX_DATA } from './constants.ts';
import { type Packet, PacketDecoder } from './packet.ts';

/** Where the bytes go. */
export interface Peer {
  /** False if the peer reads too slowly: no more is taken from it until `Flow.drained` is called. */
  write(bytes: Buffer): boolean;
  /** Hold back further bytes, or let them come again. */
  pause(): void;
  resume(): void;
  /** There is more to do than one portion: call `Flow.proceed` once others have had their turn. */
  yield(): void;
  /** The conversation is over; nothing more will be written. */
  destroy(): void;
}

/**
 * Packets in a row before others have their turn. An MTA sends fewer at once, except for a long header whose
 * fields need no answer.
 */
export const PORTION = 64;
/** Octets of replies that are worth a write of their own. */
const MAX_GATHERED = 65_536;

export abstract class Flow {
  readonly #peer: Peer;
  readonly #decoder = new PacketDecoder();
  /** Replies that have not been written; null while there are none, as most of the time. */
  #out: Buffer[] | null = null;
  #gathered = 0;
  /** Packets left of the portion. */
  #left = PORTION;
  /** Waits for its turn. */
  #yielding = false;
  /** Replies wait for the peer to read them. */
  #clogged = false;
  #paused = false;
  #over = false;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  receive(chunk: Buffer): void {
    if (this.#over) return;
    this.#decoder.push(chunk);
    if (!this.#yielding) this.#left = PORTION;
    this.work();
  }

  /** Goes on after others have had their turn. */
  proceed(): void {
    this.#yielding = false;
    this.#left = PORTION;
    this.work();
  }

  /** Goes on once the peer has read its replies. */
  drained(): void {
    this.#clogged = false;
    this.work();
  }

  protected get over(): boolean {
    return this.#over;
  }

  /** Bytes of memory that an incomplete packet takes, and what follows it. */
  protected get undecoded(): number {
    return this.#decoder.held;
  }

  /** Whether the next packet has to wait for the last. */
  protected abstract get waiting(): boolean;

  protected abstract take(packet: Packet): void;

  /** `take` has failed, or the peer's bytes are not packets. */
  protected abstract fail(error: unknown): void;

  /** Takes packet after packet until it has to wait for something; their replies are written together. */
  protected work(): void {
    try {
      while (!this.over && !this.waiting && !this.#yielding && !this.#clogged) {
        const packet = this.#decoder.next();
        if (packet === null) break;
        this.take(packet);
        if (this.#gathered > MAX_GATHERED) this.flush();
        if (--this.#left <= 0) this.#yield();
      }
    } catch (error) {
      this.fail(error);
    }
    this.flush();
    this.#regulate();
  }

  protected send(packet: Buffer): void {
    if (this.#over) return;
    if (this.#out === null) this.#out = [packet];
    else this.#out.push(packet);
    this.#gathered += packet.length;
  }

  protected flush(): void {
    const out = this.#out;
    if (out === null || this.#over) return;
    this.#out = null;
    this.#gathered = 0;
    const [first] = out;
    const bytes = first !== undefined && out.length === 1 ? first : Buffer.concat(out);
    if (!this.#peer.write(bytes)) this.#clogged = true;
  }

  /** From here on nothing is taken or sent. */
  protected stop(): void {
    this.#over = true;
    this.#decoder.clear();
  }

  #yield(): void {
    if (this.#over || this.#decoder.pending === 0) return;
    this.#yielding = true;
    this.#peer.yield();
  }

  /**
   * A peer that sends on while we do not take it must not fill our memory, nor keep the event loop busy with
   * reading.
   */
  #regulate(): void {
    if (this.#over) return;
    const hold = this.#yielding || this.#clogged || (this.waiting && this.#decoder.pending > MAX_DATA);
    if (hold === this.#paused) return;
    this.#paused = hold;
    if (hold) this.#peer.pause();
    else this.#peer.resume();
  }
}
