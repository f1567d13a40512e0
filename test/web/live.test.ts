/** How the page follows a service that goes away, hangs, and comes back. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Connection, followService } from '../../web/live.ts';

/** What a browser has; the newest is the one that is open. */
class FakeSource extends EventTarget {
  static made: FakeSource[] = [];
  closed = false;
  constructor() {
    super();
    FakeSource.made.push(this);
  }
  close(): void {
    this.closed = true;
  }
  tell(type: string): void {
    this.dispatchEvent(new Event(type));
  }
}

const newest = (): FakeSource => FakeSource.made.at(-1) ?? expect.fail();
let said: Connection[] = [];

beforeEach(() => {
  FakeSource.made = [];
  said = [];
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
  followService({
    onConnection: (now) => said.push(now),
    onRecords: () => undefined,
    onMissed: () => undefined,
    onForce: () => undefined,
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('tries again 15 seconds after each failure at the latest, for as long as it takes', () => {
  for (let failures = 1; failures <= 50; failures++) {
    newest().tell('error');
    expect(said.at(-1)).toBe('lost');
    vi.advanceTimersByTime(15_000);
    expect(FakeSource.made).toHaveLength(failures + 1);
  }
  expect(FakeSource.made.filter(({ closed }) => !closed)).toEqual([newest()]);
  newest().tell('current');
  expect(said.at(-1)).toBe('live');
});

it('takes 20 seconds of silence for a loss, before it is open and afterwards', () => {
  for (const event of [null, 'current']) {
    const source = newest();
    if (event !== null) source.tell(event);
    vi.advanceTimersByTime(19_999);
    expect(source.closed).toBe(false);
    vi.advanceTimersByTime(1);
    expect([source.closed, said.at(-1)]).toEqual([true, 'lost']);
    // The first wait.
    vi.advanceTimersByTime(1_000);
  }
});
