/** Whether work grows with its input and no faster, measured so that a busy machine does not matter. */
import { performance } from 'node:perf_hooks';

/**
 * Characters of the large input, and how many times smaller the small one is: linear work grows by this
 * factor, quadratic by its square.
 */
const LARGE = 8192;
const FACTOR = 16;
const BATCH = 10;
/**
 * If the large input takes fewer milliseconds than this, there is nothing to fear: quadratic work takes far
 * longer.
 */
const HARMLESS_MS = 4;

/**
 * Milliseconds. Work on two dozen characters takes microseconds; if it doubles with each character, it takes
 * a good deal longer than this.
 */
const EXPLODING_MS = 20;

/** Half way between linear and quadratic, on a logarithmic scale. */
const TOO_FAST = FACTOR ** 1.5;

function least(runs: number, work: () => void): number {
  let best = Infinity;
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/**
 * How many times longer the work takes for `FACTOR` times as much input; 0 if the large input is done at
 * once. `make` returns an input of about the given number of characters.
 */
function growth(make: (length: number) => string, work: (input: string) => void): number {
  const large = make(LARGE);
  if (
    least(1, () => {
      work(large);
    }) < HARMLESS_MS
  )
    return 0;
  if (
    least(4, () => {
      work(large);
    }) < HARMLESS_MS
  )
    return 0;
  const small = make(LARGE / FACTOR);
  // Long enough to be measured.
  const batch = (): void => {
    for (let i = 0; i < BATCH; i++) work(small);
  };
  return (
    least(4, () => {
      work(large);
    }) /
    (least(5, batch) / BATCH)
  );
}

/** A text of something repeated, with something before and after it. */
export interface Shape {
  readonly before: string;
  readonly repeated: string;
  readonly after: string;
}

/**
 * The shapes for which the work grows faster than its input, each with the growth for `FACTOR` times as much.
 */
export function superlinear(shapes: Iterable<Shape>, work: (input: string) => void): string[] {
  const found: string[] = [];
  for (const { before, repeated, after } of shapes) {
    // Enough of the text to recognise it.
    if (found.length === 3) break;
    const make = (length: number): string =>
      before + repeated.repeat(Math.ceil(length / repeated.length)) + after;
    // Work that explodes shows with few characters already, and would never come back from many.
    const few = make(24);
    const shortest = least(3, () => {
      work(few);
    });
    if (shortest > EXPLODING_MS) {
      found.push(`${JSON.stringify({ before, repeated, after })}: explodes`);
      continue;
    }
    // Other load on the machine can only make it look worse.
    let grown = Infinity;
    for (let i = 0; i < 3 && grown > TOO_FAST; i++) grown = Math.min(grown, growth(make, work));
    if (grown > TOO_FAST) {
      found.push(`${JSON.stringify({ before, repeated, after })}: ×${Math.round(grown)}`);
    }
  }
  return found;
}
