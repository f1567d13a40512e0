// Loaded before the program (node --import): writes how late its event loop was, p50, p99 and worst in milliseconds, to
// the file of BENCH_LOOP_DELAY on SIGUSR2, and starts anew.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The histogram has the whole time from one look to the next. */
const EACH_MS = 10;

const histogram = monitorEventLoopDelay({ resolution: EACH_MS });
histogram.enable();
process.on('SIGUSR2', () => {
  const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - EACH_MS);
  const [p50, p99] = [histogram.percentile(50), histogram.percentile(99)].map(late);
  writeFileSync(process.env.BENCH_LOOP_DELAY, JSON.stringify({ p50, p99, max: late(histogram.max) }));
  histogram.reset();
});
