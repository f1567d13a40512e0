/**
 * systemd's watchdog: a sign of life every half of its interval, but none while the service does not answer.
 */
import type { Host } from '../host.ts';

/**
 * How often to give a sign of life, in milliseconds: half of what systemd allows. Null if it does not watch
 * us.
 */
export function watchdogInterval({ environment, pid }: Pick<Host, 'environment' | 'pid'>): number | null {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: watched = String(pid) } = environment;
  if (usec === undefined || !/^[1-9]\d{0,15}$/.test(usec) || watched !== String(pid)) return null;
  return Number(usec) / 2000;
}

export interface WatchdogOptions {
  readonly everyMs: number;
  /** What is wrong, or null; must settle within a bounded time. */
  readonly ask: () => Promise<string | null>;
  /** Called with the answer each time. That the timer fires at all shows that the event loop is running. */
  readonly tell: (wrong: string | null) => void;
}

/** Begins to watch; the returned function ends it. */
export function startWatchdog({ everyMs, ask, tell }: WatchdogOptions): () => void {
  let asking = false;
  let over = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    void ask().then((wrong) => {
      asking = false;
      if (!over) tell(wrong);
    });
  }, everyMs).unref();
  return () => {
    over = true;
    clearInterval(timer);
  };
}
