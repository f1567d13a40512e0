/** Watches a thread that hunts: an input that never ends, or takes the whole heap, is a finding as well. */
import type { Worker } from 'node:worker_threads';
import type { Board } from './board.ts';
import type { BrokenBy } from './hunt.ts';

export interface WatchLimits {
  /** Processor time that one input may take. */
  readonly cpuMs: number;
  /** Looks in a row at one input that waits for something, without any use of the processor. */
  readonly looks: number;
  /** Between two looks. */
  readonly everyMs: number;
}

const LIMITS: WatchLimits = { cpuMs: 30_000, looks: 600, everyMs: 1000 };

/** What the thread told at its end, or the input that it did not get over. */
export async function watchHunt(
  worker: Worker,
  board: Board,
  { cpuMs, looks, everyMs }: WatchLimits = LIMITS,
): Promise<{ readonly told: unknown } | { readonly stuck: BrokenBy }> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      const stuck = (what: string): void => {
        resolve({ stuck: { input: board.input, what } });
      };
      let [count, since, same] = [-1, 0, 0];
      timer = setInterval(() => {
        const { user, system } = process.cpuUsage();
        const used = (user + system) / 1000;
        if (board.count !== count) [count, since, same] = [board.count, used, 0];
        else if (used - since > cpuMs) stuck(`does not end: ${Math.round(used - since)} ms of CPU time`);
        else if (++same > looks) stuck('does not end: it waits');
      }, everyMs);
      worker.on('message', (told: unknown) => {
        resolve({ told });
      });
      worker.on('error', (error) => {
        stuck(`ends the thread: ${error.message}`);
      });
      worker.on('exit', (code) => {
        stuck(`ends the thread: ${code}`);
      });
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
