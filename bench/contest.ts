/** A against B: in turns, in the same minutes, so that whatever else the machine does affects both alike. */
import type { Setting } from './setting.ts';

export interface Contender<R> {
  readonly name: string;
  readonly run: () => Promise<R>;
}

/** Results by the contender's name: one a round, the rounds in the same order for all. */
export type Results<R> = ReadonlyMap<string, readonly R[]>;

/**
 * Runs each contender once a round, back and forth, after a warm-up round that does not count: caches fill
 * and just-in-time compilers settle.
 */
export async function contest<R>(
  { pairs, settle }: Pick<Setting, 'pairs' | 'settle'>,
  contenders: readonly Contender<R>[],
): Promise<Results<R>> {
  const results = new Map(contenders.map(({ name }) => [name, [] as R[]]));
  for (let round = settle ? -1 : 0; round < pairs; round++) {
    for (const { name, run } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const result = await run();
      if (round >= 0) results.get(name)?.push(result);
    }
  }
  return results;
}

/** A figure over several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
  return { median, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}

/** The figures of one contender. */
export function figures<R>(results: Results<R>, name: string, figure: (result: R) => number): number[] {
  const own = results.get(name);
  if (own === undefined) throw new Error(`nobody is called ${name}`);
  return own.map(figure);
}

/** One contender's figure divided by another's, round by round. */
export function ratio<R>(
  results: Results<R>,
  name: string,
  over: string,
  figure: (result: R) => number,
): Spread {
  const below = figures(results, over, figure);
  return spread(figures(results, name, figure).map((value, round) => value / (below[round] ?? NaN)));
}
