import { describe, expect, it } from 'vitest';
import { compareLevels, expandParameters, splitList, timeMs } from '../../src/doctor/postfix-value.ts';

const SETTINGS: Readonly<Record<string, string>> = {
  a: 'A',
  b: '$a-b',
  empty: '',
  level: '3.6',
  loop: 'x$loop',
};

describe('expand', () => {
  it.each([
    ['plain', 'plain'],
    ['$a', 'A'],
    ['$a.org', 'A.org'],
    ['${a}x', 'Ax'],
    ['$(b)', 'A-b'],
    ['$$a', '$a'],
    ['100$', '100$'],
    ['$unknown|', '|'],
    ['${a?yes}', 'yes'],
    ['${empty?yes}', ''],
    ['${a:no}', ''],
    ['${empty:$a}', 'A'],
    ['${a?{$b}:{no}}', 'A-b'],
    ['${empty?{yes}:{no}}', 'no'],
    ['${{$level} <level {3.11} ? {old} : {new}}', 'old'],
    ['${{$level} >=level {3.6} ? {new}}', 'new'],
    ['${{$level} <level {3} ? {old}}', ''],
    ['${{$a} == {A} ? {same} : {other}}', 'same'],
    ['${{$a} != {A} ? {other} : {same}}', 'same'],
    ['${{9} < {10} ? {less} : {more}}', 'less'],
    ['${{b} > {a} ? {more} : {less}}', 'more'],
    ['${{2} <= {1} ? {x} : {y}}', 'y'],
    ['${{$a} ~ {A} ? {x} : {y}}', ''],
    ['${a', 'A'],
  ])('%s is %s', (text, wanted) => {
    expect(expandParameters(text, (name) => SETTINGS[name])).toBe(wanted);
  });

  it('ends where a setting names itself', () => {
    expect(expandParameters('$loop', (name) => SETTINGS[name])).toMatch(/^x+$/);
  });
});

it.each([
  ['a, b\tc', ['a', 'b', 'c']],
  ['', []],
  ['{ a, b=c }, d', ['{ a, b=c }', 'd']],
  ['inline:{a=b, c=d} e', ['inline:{a=b, c=d}', 'e']],
  ['{ open', ['{ open']],
])('the list %j', (text, wanted) => {
  expect(splitList(text)).toEqual(wanted);
});

it.each([
  ['30s', 30_000],
  ['30', 30_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['soon', null],
  ['5s 3', null],
])('the time %s', (text, wanted) => {
  expect(timeMs(text)).toBe(wanted);
});

it.each([
  ['3.6', '3.11', -1],
  ['3.11.0', '3.11', 0],
  ['3.12-20260821', '3.11', 1],
  ['0', '1', -1],
])('the version %s beside %s', (a, b, sign) => {
  expect(Math.sign(compareLevels(a, b))).toBe(sign);
});
