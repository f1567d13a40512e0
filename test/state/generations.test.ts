import { expect, it } from 'vitest';
import { Generations } from '../../src/state/generations.ts';

it.each([
  [true, [], ['a']],
  [false, [], []],
])('what was young is old after a turn that keeps it (%s)', (keep, young, old) => {
  const generations = new Generations(() => new Set<string>());
  generations.young.add('a');
  generations.turn(keep);
  expect([[...generations.young], [...generations.old]]).toEqual([young, old]);
});

it('is forgotten after two turns, or at once', () => {
  const generations = new Generations(() => new Set<string>());
  generations.young.add('a');
  generations.turn(true);
  generations.young.add('b');
  generations.turn(true);
  expect([...generations.young, ...generations.old]).toEqual(['b']);
  generations.clear();
  expect([...generations.young, ...generations.old]).toEqual([]);
});
