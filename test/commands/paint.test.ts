import { describe, expect, it } from 'vitest';
import { makePaint, screenOf } from '../../src/commands/paint.ts';

const TERMINAL = { isTTY: true, columns: 100 };

describe('screenOf', () => {
  it.each<[object, object, Record<string, string>, boolean, number | null]>([
    [TERMINAL, TERMINAL, {}, true, 100],
    [TERMINAL, { isTTY: true }, { TERM: 'xterm' }, true, 80],
    [TERMINAL, TERMINAL, { NO_COLOR: '1' }, false, 100],
    [TERMINAL, TERMINAL, { NO_COLOR: '' }, true, 100],
    [TERMINAL, TERMINAL, { TERM: 'dumb' }, false, null],
    [{}, TERMINAL, {}, false, 100],
    [TERMINAL, {}, {}, true, null],
  ])('%j %j %j', (stdout, stderr, environment, colour, columns) => {
    expect(screenOf(stdout, stderr, environment)).toEqual({ colour, columns });
  });
});

describe('makePaint', () => {
  it('leaves the text as it is without colour', () => {
    const paint = makePaint(false);
    expect([paint.disposition('reject', 'a'), paint.severity('wrong', 'b'), paint.finding('c')]).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('puts colour around the text', () => {
    const paint = makePaint(true);
    expect(paint.disposition('reject', 'a')).toBe('\x1b[31ma\x1b[39m');
    expect(paint.disposition('accept', 'a')).toBe(paint.severity('ok', 'a'));
    expect(paint.severity('warning', 'b')).not.toBe(paint.severity('wrong', 'b'));
    expect(paint.finding('c')).toMatch(/^\x1b\[\d+mc\x1b\[39m$/);
  });
});
