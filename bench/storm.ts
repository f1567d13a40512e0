/**
 * How long others wait while many slow domains are asked about, on a real clock;
 * `test/session/starvation.test.ts` shows the same on a clock of its own.
 */
import { babbler, blockCrowd, calm, crowd, type Outcome, ride, type Storm } from '../test/support/storm.ts';
import { type Findings, tableOf } from './report.ts';
import type { Setting } from './setting.ts';

const STORMS: readonly (readonly [string, Storm])[] = [
  ['nobody', calm],
  ['one client, ever new names', babbler],
  ['500 clients of ten networks, 50 domains', crowd(500, 10, 50)],
  ['500 clients of all of a /16, 500 domains', blockCrowd(500, 250, 500)],
  ['500 clients of 500 networks far apart, 500 domains', crowd(500, 500, 500)],
];

/** In this process; DNS is a function 20 ms away, or 1.9 s. */
export async function stormBench({ scale }: Setting): Promise<Findings> {
  const results = new Map<string, Outcome[]>();
  for (const [what, storm] of scale < 0.1 ? STORMS.slice(0, 1) : STORMS) {
    results.set(what, [await ride(storm)]);
  }
  return {
    rows: [],
    tables: [
      tableOf('Verdicts of others beside slow domains', results, {
        'right %': ({ right, verdicts }) => (100 * right) / verdicts,
        'wrong and silent': ({ silent }) => silent,
        'p50 ms': ({ p50 }) => p50,
        'p99 ms': ({ p99 }) => p99,
      }),
    ],
  };
}
