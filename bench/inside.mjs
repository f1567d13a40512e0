// Loaded before the program (node --import): on SIGUSR2 it writes what only the process itself can see to
// the file named in BENCH_INSIDE. Since the last time: seconds; small and large collections of garbage (how
// many, milliseconds of all and of the longest). And, where Node runs with --expose-gc, how long a full
// collection takes now, and the bytes in use after it.
import { renameSync, writeFileSync } from 'node:fs';
import { constants, PerformanceObserver } from 'node:perf_hooks';

const file = process.env.BENCH_INSIDE;

const none = () => ({ count: 0, ms: 0, longest: 0 });
let [small, large, since] = [none(), none(), performance.now()];
const count = (entries) => {
  for (const { detail, duration } of entries) {
    const kind = detail.kind === constants.NODE_PERFORMANCE_GC_MINOR ? small : large;
    // A large one begins with an entry of its own kind (incremental) and ends with one (major).
    if (kind === small || detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) kind.count++;
    kind.ms += duration;
    kind.longest = Math.max(kind.longest, duration);
  }
};
const observer = new PerformanceObserver((list) => count(list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

process.on('SIGUSR2', () => {
  count(observer.takeRecords());
  const seen = { seconds: (performance.now() - since) / 1000, small, large };
  // What needs finalizing, such as sockets, is only freed by a second collection.
  globalThis.gc?.();
  const began = performance.now();
  globalThis.gc?.();
  const collectionMs = performance.now() - began;
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const inside = { ...seen, collectionMs, bytes: heapUsed + arrayBuffers };
  writeFileSync(`${file}.new`, JSON.stringify(inside));
  renameSync(`${file}.new`, file);
  // The collections that were asked for here do not count: they are told later.
  setTimeout(() => {
    observer.takeRecords();
    [small, large, since] = [none(), none(), performance.now()];
  }, 20);
});
