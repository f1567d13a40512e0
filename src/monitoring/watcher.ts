/**
 * One browser that watches: decisions as server-sent events (HTML, "Server-sent events"), no faster than it
 * reads. What is on its way to it is one batch; all the rest waits in the history, and is gone with it.
 */
import type { ServerResponse } from 'node:http';
import type { History } from '../decisions/history.ts';

/** Milliseconds after which a client that does not read is dropped. */
const STALL_MS = 10_000;

export interface WatcherOptions {
  readonly response: ServerResponse;
  readonly history: History;
  /** Number of the record to begin with. */
  readonly from: number;
  /** Before the number of a record in the id of an event. */
  readonly boot: string;
  readonly stallMs?: number;
}

export class Watcher {
  readonly #response: ServerResponse;
  readonly #history: History;
  readonly #boot: string;
  readonly #stallMs: number;
  #next: number;
  #force = '';
  /** Set while the client has not read what it was sent. */
  #stalled: NodeJS.Timeout | null = null;
  #behind = true;

  constructor({ response, history, from, boot, stallMs = STALL_MS }: WatcherOptions) {
    this.#response = response;
    this.#history = history;
    this.#boot = boot;
    this.#next = from;
    this.#stallMs = stallMs;
    response.on('drain', () => {
      this.#resume();
    });
    response.on('close', () => {
      if (this.#stalled !== null) clearTimeout(this.#stalled);
    });
  }

  /** Says what is in force, once. */
  tellForce(force: string): void {
    if (force === this.#force || this.#stalled !== null) return;
    this.#force = force;
    this.tell('force', { force });
  }

  /** Sends an event, unless the client is slow. */
  tell(event: string, data: unknown): void {
    if (this.#stalled === null) this.#send([`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`]);
  }

  /** Sends what is new. Between two batches others have their turn. */
  pump(): void {
    if (this.#stalled !== null || this.#response.destroyed) return;
    const batch = this.#history.read(this.#next);
    if (batch === null) {
      if (this.#behind) this.tell('current', {});
      this.#behind = false;
      return;
    }
    const missed = batch.first - this.#next;
    this.#next = batch.next;
    if (missed > 0) this.tell('missed', { decisions: missed });
    this.#send(['data: ', batch.bytes, `\nid: ${this.#boot}.${batch.next}\n\n`]);
    if (this.#next < this.#history.next) {
      setImmediate(() => {
        this.pump();
      });
    }
  }

  #send(pieces: readonly (string | Buffer)[]): void {
    const bytes = Buffer.concat(pieces.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
    if (this.#response.write(bytes) || this.#stalled !== null) return;
    this.#stalled = setTimeout(() => {
      this.#response.destroy();
    }, this.#stallMs);
  }

  #resume(): void {
    if (this.#stalled !== null) clearTimeout(this.#stalled);
    this.#stalled = null;
    this.pump();
  }
}
