import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { REPEAT_MS, Repeats } from '../../src/log/repeats.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Notes events by their text, and records what is told. */
function watch(): { repeats: Repeats; told: string[]; say: (text: string, event?: string) => void } {
  const repeats = new Repeats();
  const told: string[] = [];
  return {
    repeats,
    told,
    say: (text, event = 'e') => {
      repeats.note(event, text, (count) => told.push(`${text} ${count}`));
    },
  };
}

it('tells a text at once, then how often it came again', () => {
  const { told, say } = watch();
  for (let i = 0; i < 1000; i++) say('full');
  say('other');
  expect(told).toEqual(['full 0', 'other 0']);
  vi.advanceTimersByTime(REPEAT_MS);
  expect(told).toEqual(['full 0', 'other 0', 'full 999']);
});

it('goes on counting while it goes on, and tells it afresh after a pause', () => {
  const { told, say } = watch();
  say('full');
  for (let i = 0; i < 3; i++) {
    say('full');
    say('full');
    vi.advanceTimersByTime(REPEAT_MS);
  }
  expect(told).toEqual(['full 0', 'full 2', 'full 2', 'full 2']);
  vi.advanceTimersByTime(2 * REPEAT_MS);
  expect(vi.getTimerCount()).toBe(0);
  say('full');
  expect(told.at(-1)).toBe('full 0');
});

it('tells what is only counted when told to', () => {
  const { repeats, told, say } = watch();
  say('full');
  say('full');
  repeats.flush();
  repeats.flush();
  expect(told).toEqual(['full 0', 'full 1']);
});

it('is bounded: of too many texts, those of one event count as the same', () => {
  const { told, say } = watch();
  for (let i = 0; i < 100_000; i++) say(`text ${i}`, i % 2 === 0 ? 'a' : 'b');
  expect(told).toHaveLength(102);
  vi.advanceTimersByTime(REPEAT_MS);
  expect(told).toHaveLength(104);
});
