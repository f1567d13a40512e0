/**
 * Bounds the memory that the answers of all assessments under way hold together, whatever strangers publish.
 * An assessment may take a sixteenth of what is still free: the less there is, the sooner those that hold
 * most are refused, and one that needs little gets it even beside a thousand that take all they can.
 */
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';

/** Bytes for all assessments under way. */
const CAPACITY = 64 * 1024 * 1024;
const SHARE = 16;

/**
 * The most bytes that a record takes besides its characters, and that parsing takes for each of its words
 * (SPF: a term).
 */
const RECORD_BYTES = 64;
const WORD_BYTES = 300;
/** The most words of a record that are parsed; see `core/spf`. */
const MAX_WORDS = 300;

export interface AnswerShare {
  readonly resolver: Resolver;
  /** Gives back what the assessment held. */
  readonly done: () => void;
}

export class AnswerMemory {
  readonly #capacity: number;
  readonly #onRefused: () => void;
  #used = 0;
  /** Answers that were not taken. */
  refused = 0;

  constructor(capacity: number = CAPACITY, onRefused: () => void = () => undefined) {
    this.#capacity = capacity;
    this.#onRefused = onRefused;
  }

  /** Bytes held now. */
  get used(): number {
    return this.#used;
  }

  /** The resolver for one assessment; an answer that is too much is `temperror` with detail `memory`. */
  share(inner: Resolver): AnswerShare {
    let held = 0;
    let over = false;
    return {
      resolver: {
        lookup: async <T extends RecordType>(name: string, type: T): Promise<Answer<T>> => {
          const answer = await inner.lookup(name, type);
          const bytes = bytesOf(answer);
          // Nobody waits any more, so an answer that comes late is not kept.
          if (over) return answer;
          if (held + bytes > (this.#capacity - this.#used) / SHARE) {
            this.refused++;
            this.#onRefused();
            return { status: 'temperror', detail: 'memory' };
          }
          held += bytes;
          this.#used += bytes;
          return answer;
        },
      },
      done: () => {
        over = true;
        this.#used -= held;
        held = 0;
      },
    };
  }
}

/** The most bytes that an answer, and what is parsed from it, can take. */
function bytesOf(answer: Answer<RecordType>): number {
  if (answer.status !== 'found') return RECORD_BYTES;
  let bytes = 0;
  for (const record of answer.records) bytes += RECORD_BYTES + recordBytes(record);
  return bytes;
}

function recordBytes(record: string | object): number {
  // An SRV or MX record: a few numbers and a name.
  if (typeof record !== 'string') return RECORD_BYTES + 255;
  let words = 1;
  for (let at = record.indexOf(' '); at !== -1 && words < MAX_WORDS; at = record.indexOf(' ', at + 1))
    words++;
  return record.length + words * WORD_BYTES;
}
