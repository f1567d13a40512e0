/** Looks for inputs of one target that break what must hold, for as long as it is given. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { mutated } from './mutate.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';

/** Tells which inputs have run code that had not run before. */
export interface Guide {
  /** Of all that ran since the last look. */
  hasNew(): boolean;
  /** Of what ran since the last look; then it is no longer new. */
  learn(): boolean;
}

/** An input that broke something. */
export interface BrokenBy {
  readonly input: Buffer;
  readonly what: string;
}

export interface HuntResult {
  readonly runs: number;
  /** Inputs that reached something new, the seeds among them. */
  readonly kept: readonly Buffer[];
  /** The first of each kind. */
  readonly found: readonly BrokenBy[];
  /** The longest that one input has taken, in milliseconds. */
  readonly slowestMs: number;
}

export interface HuntOptions {
  readonly seed: number;
  /** Asked after each batch with the number of runs so far. */
  readonly goesOn: (runs: number) => boolean;
  readonly guide?: Guide;
  /** Inputs besides the seeds, such as those found earlier. */
  readonly corpus?: readonly Buffer[];
  /** Told of each input before it is tried. */
  readonly onInput?: (input: Buffer) => void;
  /** A clock in milliseconds; by default that of the processor time that this process has had. */
  readonly now?: () => number;
}

/** Inputs between two looks at the coverage, which cost as much as some hundred inputs. */
const BATCH = 1000;
/** Inputs until the event loop has its turn. */
const YIELD_EVERY = 50;
/** Inputs of a batch that are made up, the others being mutated. */
const SHAPED = 200;
/** No input of this size may keep others waiting for longer, measured twice. */
const MAX_MS = 500;

export async function hunt(target: Target, options: HuntOptions): Promise<HuntResult> {
  const { seed, goesOn, guide, corpus = [], onInput, now = cpuMs } = options;
  const random = new Random(seed);
  const words = target.words.map((word) => Buffer.from(word, 'latin1'));
  const kept = [...target.seeds, ...corpus];
  const found = new Map<string, BrokenBy>();
  let [runs, slowestMs] = [0, 0];

  const timed = async (input: Buffer): Promise<number> => {
    const began = now();
    await target.run(Buffer.from(input));
    return now() - began;
  };
  const one = async (input: Buffer): Promise<void> => {
    runs++;
    // Streams do some of their work, and let go of what they hold, only when the loop comes round.
    if (runs % YIELD_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
    onInput?.(input);
    try {
      let ms = await timed(input);
      // Garbage of earlier inputs may have been collected.
      if (ms > MAX_MS) ms = Math.min(ms, await timed(input), await timed(input));
      slowestMs = Math.max(slowestMs, ms);
      if (ms > MAX_MS) throw new Error(`slow: ${Math.round(ms)} ms`);
    } catch (error) {
      const what = kindOf(error);
      const known = found.get(what);
      if (known === undefined || known.input.length > input.length) found.set(what, { input, what });
    }
  };

  /** Keeps those that run what is new, and finds them by halves. */
  const tryAll = async (inputs: readonly Buffer[]): Promise<void> => {
    for (const input of inputs) await one(input);
    if (guide?.hasNew() !== true) return;
    const half = Math.ceil(inputs.length / 2);
    if (half < inputs.length) {
      await tryAll(inputs.slice(0, half));
      await tryAll(inputs.slice(half));
      return;
    }
    for (const input of inputs) await one(input);
    if (guide.learn()) kept.push(...inputs);
  };

  for (const input of kept) await one(input);
  guide?.learn();
  for (let batch = 0; goesOn(runs); batch++) {
    const shaped = fc.sample(target.shaped, { numRuns: SHAPED, seed: seed + batch });
    const inputs = [...shaped];
    while (inputs.length < BATCH) {
      inputs.push(mutated(random.of(kept) ?? Buffer.alloc(0), random, words, kept));
    }
    await tryAll(inputs);
  }
  return { runs, kept, found: [...found.values()], slowestMs };
}

/** What others do meanwhile does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Errors of one kind come from one place, whatever of the input they quote. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\(?([^ (]*\/(?:src|fuzz)\/[^)]*)\)?$/m.exec(error.stack ?? '')?.[1] ?? '';
  const message = error.message.startsWith('slow') ? 'slow' : error.message.replaceAll(/"[^"]*"|\d+/g, '…');
  return `${error.name}: ${message.slice(0, 200)} ${place.replace(/^.*\/(?=(?:src|fuzz)\/)/, '')}`.trim();
}

/** A name for a file that holds the input. */
export function nameOfInput(input: Buffer): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 12);
}
