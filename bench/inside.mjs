// Loaded before the program (node --import): on SIGUSR2 it writes what only the process itself can see to the
// file named in BENCH_INSIDE. How late the event loop was since the last time, in milliseconds: p50, p99 and
// worst; and, where Node runs with --expose-gc, the bytes of its heap that are still in use.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The histogram counts the resolution too: it holds the whole time from one look to the next. */
const EACH_MS = 10;

const file = process.env.BENCH_INSIDE;
const histogram = monitorEventLoopDelay({ resolution: EACH_MS });
histogram.enable();
process.on('SIGUSR2', () => {
  const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - EACH_MS);
  const [p50, p99] = [histogram.percentile(50), histogram.percentile(99)].map(late);
  const max = late(histogram.max);
  // What needs finalizing, such as sockets, is only freed by a second collection.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  writeFileSync(`${file}.new`, JSON.stringify({ p50, p99, max, bytes: heapUsed + arrayBuffers }));
  renameSync(`${file}.new`, file);
  histogram.reset();
});
