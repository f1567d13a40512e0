/** What a driver of one parser is: inputs to begin with, inputs to make up, and what must hold of any. */
import type fc from 'fast-check';

export interface Target {
  readonly name: string;
  /** Paths below `src/` whose coverage guides the search. */
  readonly files: readonly string[];
  /** Sound inputs, from which others are made. */
  readonly seeds: readonly Buffer[];
  /** Inputs with the shape of what is parsed, right or nearly right. */
  readonly shaped: fc.Arbitrary<Buffer>;
  /** Words of the format, for mutation. */
  readonly words: readonly string[];
  /** Throws if anything does not hold that must hold of every input. */
  readonly run: (input: Buffer) => void | Promise<void>;
}

/** One character an octet, as everything that comes over a milter socket is read. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
export const textOf = (bytes: Buffer): string => bytes.toString('latin1');

/** Ends a run as a finding. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

/** The result of the work, or null if it refuses its input as documented. */
export function refused<T>(
  refusals: readonly (abstract new (...args: never[]) => Error)[],
  work: () => T,
): T | null {
  try {
    return work();
  } catch (error) {
    if (refusals.some((each) => error instanceof each)) return null;
    throw error;
  }
}

/** Cuts the input as it cuts itself: the pieces are short or long by what stands in it. */
export function pieces(input: Buffer): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < input.length;) {
    const length = 1 + ((input[at] ?? 0) % 7) * ((input[at] ?? 0) % 5);
    cut.push(input.subarray(at, at + length));
    at += length;
  }
  return cut;
}
