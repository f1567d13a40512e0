import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, escape, formatEvent, formatValue } from '../src/log.ts';

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

describe('formatEvent', () => {
  it('leaves out what has no value', () => {
    expect(
      formatEvent('decision', [
        ['a', 1],
        ['b', null],
        ['c', undefined],
        ['d', 'x y'],
      ]),
    ).toBe('decision a=1 d="x y"');
  });

  it('is one line of printable ASCII whatever the values', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 600 })), (values) => {
        const line = formatEvent(
          'e',
          values.map((value, i) => [`k${i}`, value] as const),
        );
        expect(line).toMatch(/^[\x20-\x7e]*$/);
        // Every value can be told apart: outside quotes there is no space within a value.
        const bare = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, 'Q');
        expect(bare.split(' ')).toHaveLength(values.length + 1);
      }),
    );
  });
});

describe('escape', () => {
  it('keeps printable ASCII', () => {
    expect(escape('a<b>&c')).toBe('a<b>&c');
  });
});

describe('createLog', () => {
  it('writes whole lines, errors marked as such', () => {
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line));
    log.info('started', [['pid', 1]]);
    log.error('dns', [['detail', 'x y']]);
    expect(lines).toEqual(['started pid=1\n', 'error dns detail="x y"\n']);
  });
});
