/**
 * A clock that goes forward as fast as its timers can run, for tests with many thousand timers at a time:
 * vitest's own clock looks at every timer at every step. It replaces `setTimeout`, `clearTimeout` and
 * `performance.now`, in whole milliseconds.
 */
import { vi } from 'vitest';

interface Timer {
  readonly at: number;
  readonly run: () => void;
  unref(): Timer;
}

export interface VirtualClock {
  /** Lets that many milliseconds pass, and runs everything that is due in them. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until a promise is settled. */
  until<T>(promise: Promise<T>): Promise<T>;
  restore(): void;
}

/**
 * Milliseconds. What takes longer is taken to never end: the tests are about seconds, and an outage lasts
 * minutes.
 */
const MAX_WAIT_MS = 6 * 3_600_000;

export function virtualClock(): VirtualClock {
  const due = new Map<number, Set<Timer>>();
  const immediate = setImmediate;
  let now = 0;
  vi.stubGlobal('setTimeout', (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Timer => {
    const timer: Timer = {
      at: now + Math.max(1, Math.ceil(ms)),
      run: () => {
        run(...args);
      },
      unref: () => timer,
    };
    const others = due.get(timer.at);
    if (others === undefined) due.set(timer.at, new Set([timer]));
    else others.add(timer);
    return timer;
  });
  vi.stubGlobal('clearTimeout', (timer: Timer | undefined) => {
    if (timer !== undefined) due.get(timer.at)?.delete(timer);
  });
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) await new Promise((resolve) => immediate(resolve));
  };
  const step = async (): Promise<void> => {
    const timers = due.get(++now);
    if (timers === undefined) return;
    for (const { run } of timers) run();
    due.delete(now);
    await settle();
  };
  return {
    pass: async (ms) => {
      await settle();
      for (const end = now + ms; now < end;) await step();
    },
    until: async (promise) => {
      let settled = false;
      const done = (): void => {
        settled = true;
      };
      promise.then(done, done);
      await settle();
      for (const end = now + MAX_WAIT_MS; !settled as boolean;) {
        // The time limit of the test is stopped together with its clock.
        if (now > end) throw new Error(`still not settled after ${MAX_WAIT_MS} ms of this clock`);
        await step();
      }
      return promise;
    },
    restore: () => {
      spy.mockRestore();
      vi.unstubAllGlobals();
    },
  };
}
