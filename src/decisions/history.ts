/**
 * Recent decisions in memory, for whoever looks at the service now. They are kept as the records that the
 * decision log has, in a bounded number of octets: the oldest go first.
 */
import { clock } from '../log/log.ts';
import type { Decision } from './decision.ts';
import { decisionRecord } from './record.ts';
import { RECORD_END } from './record-end.ts';

/** Octets that are allocated, and given up, at once. */
const BLOCK = 65_536;
/** Octets that a place in a list takes. */
const PLACE = 8;
/** Decisions that may wait to be formatted. */
const MAX_WAITING = 1000;

interface Block {
  /** Number of its first record. */
  readonly first: number;
  readonly bytes: Buffer;
  used: number;
  /** Where each record ends. */
  readonly ends: number[];
}

/** Records that follow each other. */
export interface HistoryBatch {
  /** Numbers of the first record, and of the one after the last. */
  readonly first: number;
  readonly next: number;
  /** Each with its end; they do not change any more. */
  readonly bytes: Buffer;
}

export class History {
  readonly #maxBytes: number;
  readonly #hide: (record: string) => string;
  readonly #stamp: () => string;
  readonly #onRound = (): void => {
    this.#format();
  };
  #waiting: { readonly decision: Decision; readonly time: string }[] = [];
  #blocks: Block[] = [];
  #bytes = 0;
  #next = 0;

  /** `hide` rewrites a record before it is kept; `now` is Unix time in milliseconds. */
  constructor(maxBytes: number, hide: (record: string) => string, now: () => number) {
    this.#maxBytes = maxBytes;
    this.#hide = hide;
    this.#stamp = clock(now);
  }

  /** Takes a record that has been made already. */
  take(record: string): void {
    this.add(this.#hide(record));
  }

  /** Takes a decision, which is formatted once the reply is on its way. */
  write(decision: Decision): void {
    if (this.#waiting.length === 0) setImmediate(this.#onRound);
    this.#waiting.push({ decision, time: this.#stamp() });
    if (this.#waiting.length >= MAX_WAITING) this.#format();
  }

  /** Keeps a record, which is ASCII. One that is larger than all of the room is only counted. */
  add(record: string): void {
    const size = record.length + RECORD_END.length;
    const number = this.#next++;
    let block = this.#blocks.at(-1);
    if (block === undefined || block.bytes.length - block.used < size) {
      block = { first: number, bytes: Buffer.allocUnsafeSlow(Math.max(BLOCK, size)), used: 0, ends: [] };
      this.#blocks.push(block);
      this.#bytes += block.bytes.length;
    }
    block.used += block.bytes.write(`${record}${RECORD_END}`, block.used, 'latin1');
    block.ends.push(block.used);
    this.#bytes += PLACE;
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#blocks.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes.length + PLACE * oldest.ends.length;
    }
  }

  /** Octets that it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of the oldest record that is there; that of the next one if there is none. */
  get first(): number {
    return this.#blocks[0]?.first ?? this.#next;
  }

  /** Number that the next record gets; the first of all is 0. */
  get next(): number {
    return this.#next;
  }

  /** Records from this number on, or from the oldest if that one is gone; null if there is none yet. */
  read(from: number): HistoryBatch | null {
    const start = Math.max(from, this.first);
    const block = this.#blocks.findLast(({ first }) => first <= start);
    if (block === undefined || start >= block.first + block.ends.length) return null;
    const begin = start === block.first ? 0 : (block.ends[start - block.first - 1] ?? 0);
    return {
      first: start,
      next: block.first + block.ends.length,
      bytes: block.bytes.subarray(begin, block.used),
    };
  }

  #format(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { decision, time } of waiting) {
      const { connectedAt } = decision;
      const connected = connectedAt === null ? null : new Date(connectedAt).toISOString();
      this.take(decisionRecord(decision, time, connected));
    }
  }
}
