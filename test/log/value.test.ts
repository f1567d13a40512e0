import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escape, formatFields, formatValue, jsonFields, jsonString } from '../../src/log/value.ts';

describe('formatValue', () => {
  it.each([
    ['mail.example.org', 'mail.example.org'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['<a@b.org>', '<a@b.org>'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a=b', '"a=b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['a\\b', '"a\\\\b"'],
    ['a\r\nb\0', '"a\\x0d\\x0ab\\x00"'],
    ['\xe9\u2028', '"\\xe9\\u2028"'],
    ['\x1b[31m', '"\\x1b[31m"'],
  ])('%j is %s', (value, wanted) => {
    expect(formatValue(value)).toBe(wanted);
  });

  it('caps what a stranger wrote', () => {
    expect(formatValue('x'.repeat(10_000))).toBe(`${'x'.repeat(253)}...`);
  });
});

describe('formatFields', () => {
  it('leaves out what has no value', () => {
    expect(
      formatFields([
        ['a', 1],
        ['b', null],
        ['c', undefined],
        ['d', 'x y'],
      ]),
    ).toBe(' a=1 d="x y"');
  });

  it('is one line of printable ASCII whatever the values', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 600 })), (values) => {
        const line = formatFields(values.map((value, i) => [`k${i}`, value] as const));
        expect(line).toMatch(/^[\x20-\x7e]*$/);
        // Every value can be told apart: outside quotes there is no space within a value.
        const bare = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, 'Q');
        expect(bare.split(' ')).toHaveLength(values.length + 1);
      }),
    );
  });
});

describe('jsonString', () => {
  it('is JSON of printable ASCII that says the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
        const text = jsonString(value);
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(JSON.parse(text)).toBe(value);
      }),
    );
  });

  it('caps what a stranger wrote', () => {
    expect(jsonString('x'.repeat(300))).toBe(`"${'x'.repeat(253)}..."`);
    expect(jsonString('x'.repeat(300), 1024)).toHaveLength(302);
    expect(jsonString('\x7f'.repeat(300), 10)).toBe(`"${'\\u007f'.repeat(7)}..."`);
  });
});

it('jsonFields makes members of an object', () => {
  const text = jsonFields([
    ['a', 1],
    ['b', null],
    ['d', 'x "y"'],
  ]);
  expect(JSON.parse(`{"e":0${text}}`)).toEqual({ e: 0, a: 1, d: 'x "y"' });
});

it('escape keeps printable ASCII', () => {
  expect(escape('a<b>&c')).toBe('a<b>&c');
});
