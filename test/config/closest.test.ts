import { describe, expect, it } from 'vitest';
import { closest, editDistance } from '../../src/config/closest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'ab', 1],
    ['abc', 'acb', 1],
    ['ca', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%j to %j: %i', (a, b, wanted) => {
    expect(editDistance(a, b)).toBe(wanted);
    expect(editDistance(b, a)).toBe(wanted);
  });
});

describe('closest', () => {
  const known = ['reject-at', 'tempfail-at', 'observe', 'check', 'trust'];
  it.each([
    ['rejct-at', 'reject-at'],
    ['rejectAt', 'reject-at'],
    ['reject_at', 'reject-at'],
    ['--REJECT-AT', 'reject-at'],
    ['tempfail', 'tempfail-at'],
    ['obsevre', 'observe'],
    ['tust', 'trust'],
    ['x', null],
    ['ab', null],
    ['something-else', null],
    ['reject-at'.repeat(1000), null],
  ])('%s: %s', (word, wanted) => {
    expect(closest(word, known)).toBe(wanted === null ? '' : `; did you mean ${wanted}?`);
  });
});
