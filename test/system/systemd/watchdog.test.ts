import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWatchdog, watchdogInterval } from '../../../src/system/systemd/watchdog.ts';

it.each<[Record<string, string>, number | null]>([
  [{}, null],
  [{ WATCHDOG_USEC: '0' }, null],
  [{ WATCHDOG_USEC: 'x' }, null],
  [{ WATCHDOG_USEC: '30000000' }, 15_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 15_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, null],
])('%j: a sign every %j ms', (environment, wanted) => {
  expect(watchdogInterval({ environment, pid: 7 })).toBe(wanted);
});

describe('startWatchdog', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks again only once there was an answer, and not after the end', async () => {
    const told: (string | null)[] = [];
    let answer = (_: string | null): void => undefined;
    const ask = vi.fn(() => new Promise<string | null>((resolve) => (answer = resolve)));
    const stop = startWatchdog({ everyMs: 10, ask, tell: (wrong) => told.push(wrong) });
    await vi.advanceTimersByTimeAsync(35);
    expect(ask).toHaveBeenCalledTimes(1);
    answer(null);
    await vi.advanceTimersByTimeAsync(10);
    expect(ask).toHaveBeenCalledTimes(2);
    answer('ill');
    await vi.advanceTimersByTimeAsync(10);
    expect(told).toEqual([null, 'ill']);
    stop();
    answer(null);
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual([null, 'ill']);
    expect(ask).toHaveBeenCalledTimes(3);
  });
});
