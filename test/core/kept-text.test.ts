import { describe, expect, it } from 'vitest';
import { keptText } from '../../src/core/kept-text.ts';

describe('keptText', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly ten', 11, 'exactly ten'],
    ['a little longer than that', 10, 'a littl...'],
    ['caf\xe9 \xff\0\n" \\ \ud800 \u2028', 100, 'caf\xe9 \xff\0\n" \\ \ud800 \u2028'],
    ['', 5, ''],
  ])('of %j with at most %i is %j', (text, most, kept) => {
    expect(keptText(text, most)).toBe(kept);
  });
});
