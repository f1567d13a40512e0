import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodings } from '../../src/session/encoded-words.ts';
import { canonicalId, mayPretendToBeOurs, pretendsToBeOurs } from '../../src/session/our-field.ts';
import { FORGED, OTHERS } from '../fixtures/forged-fields.ts';

const ID = 'mx.dest.test';

describe('pretendsToBeOurs', () => {
  it.each(FORGED)('%j does', (value) => {
    expect(pretendsToBeOurs(ID, value)).toBe(true);
    expect(pretendsToBeOurs(canonicalId(`${ID.toUpperCase()}.`), value)).toBe(true);
    expect(pretendsToBeOurs(ID, value, 'none')).toBe(false);
    expect(pretendsToBeOurs(ID, value, 'all')).toBe(true);
  });

  it.each(OTHERS)('%j does not', (value) => {
    expect(pretendsToBeOurs(ID, value)).toBe(false);
  });

  it.each(OTHERS)('of all with our id: %j', (value) => {
    expect(pretendsToBeOurs(ID, value, 'all')).toBe(/^mx\.dest\.test(?:;|$)/.test(value));
  });

  it.each([
    ['mx.xn--bcher-kva.test', 'mx.b\xc3\xbccher.test; x-helo=pass'],
    ['mx.xn--bcher-kva.test', '=?utf-8?q?mx.b=C3=BCcher.test?=; x-helo=pass'],
    ['mx.xn--bcher-kva.test', 'mx(x).b\xc3\xbccher . test (c) 1; x-helo=pass'],
    ['mx.xn--bcher-kva.test', 'mx.b\xc3\xbccher.=?hz?q?te=7E=0Ast?=; x-helo=pass'],
    ['mx.xn--bcher-kva.test', 'mx.B\xc3\x9cCHER.test. ; x-helo=pass'],
    ['mx.dest.test', '\xef\xbd\x8d\xef\xbd\x98\xe3\x80\x82dest (x) . test; x-helo=pass'],
    ['mx.dest.test', 'mx.dest.test .\xc3\xbc; x-helo=pass'],
    ['mx:25', '"mx:25"; x-helo=pass'],
    ['mx:25', 'mx: 25; x-helo=pass'],
    ['mx', 'mx 1; x-helo=pass'],
  ])('an id of %j is known in %j', (id, value) => {
    expect(pretendsToBeOurs(id, value)).toBe(true);
  });

  it('another id that begins like ours is not', () => {
    expect(pretendsToBeOurs('mx', 'mx1; x-helo=pass')).toBe(false);
  });

  it('knows ours wherever blanks, comments and folds stand', () => {
    const gap = fc.stringMatching(/^(?:[ \t]|\n[ \t]|\((?:[a-z ;"]|\\[()])*\))*$/);
    const property = fc.property(gap, gap, gap, gap, gap, (a, b, c, d, e) => {
      const value = `${a}${ID}${b};${c}x-helo${d}=${e}pass`;
      return pretendsToBeOurs(ID, value);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('knows ours in encoded words cut anywhere', () => {
    const text = `${ID}; x-helo=pass`;
    const word = fc.constantFrom(
      (part: string) => `=?utf-8?b?${Buffer.from(part).toString('base64')}?=`,
      (part: string) =>
        `=?iso-8859-15?Q?${part.replaceAll(/[ =;]/g, (c) => `=${c.charCodeAt(0).toString(16)}`)}?=`,
      (part: string) => `=?UTF-16BE?B?${Buffer.from(part, 'utf16le').swap16().toString('base64')}?=`,
    );
    const property = fc.property(
      fc.array(fc.tuple(fc.nat(text.length), word), { maxLength: 6 }),
      word,
      fc.constantFrom(' ', '\n ', '\n\t \n '),
      (cuts, rest, gap) => {
        let at = 0;
        const words: string[] = [];
        for (const [to, encode] of cuts.sort(([a], [b]) => a - b)) {
          if (to > at) words.push(encode(text.slice(at, to)));
          at = to;
        }
        if (at < text.length) words.push(rest(text.slice(at)));
        return pretendsToBeOurs(ID, words.join(gap));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it('never throws, whatever the bytes', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          '(',
          ')',
          '"',
          '\\',
          ';',
          '=',
          '?',
          ' ',
          '\n',
          '\t',
          '=?utf-8?q?',
          '=?x?b?',
          '?=',
          ID,
          'x-helo=',
          '=0A',
          '+',
        ),
        fc.string({ unit: 'binary', maxLength: 5 }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(pieces, fc.constantFrom('ours', 'all', 'none'), (all, which) => {
        expect(typeof pretendsToBeOurs(ID, all.join(''), which)).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });
});

/** Values made to be slow: everything that a reader looks for from many places, and finds from none. */
const SLOW: readonly (readonly [string, (n: number) => string])[] = [
  ['open comments', (n) => '('.repeat(n)],
  ['comments', (n) => '()'.repeat(n / 2)],
  ['quotes', (n) => '"'.repeat(n)],
  ['escaped quotes', (n) => `"${'\\"'.repeat(n / 2)}`],
  ['escaped quotes after the id', (n) => `${ID};"${'\\"'.repeat(n / 2)}`],
  ['backslashes', (n) => '\\'.repeat(n)],
  ['semicolons', (n) => `${ID}${';'.repeat(n)}`],
  ['blanks after a semicolon', (n) => `${ID};${' '.repeat(n)}`],
  ['semicolons and blanks', (n) => `${ID}${'; '.repeat(n / 2)}`],
  ['digits after a slash', (n) => `${ID};x-helo/${'1'.repeat(n)}`],
  ['methods without a result', (n) => `${ID}${';x-helo'.repeat(n / 7)}`],
  ['folds', (n) => '\n '.repeat(n / 2)],
  ['carriage returns', (n) => '\r'.repeat(n)],
  ['lines that are ours', (n) => `x${`\r${ID};`.repeat(n / 14)}`],
  ['lines that open comments', (n) => '\r('.repeat(n / 2)],
  ['parts of the id', (n) => 'mx.dest . '.repeat(n / 10)],
  ['one letter of the id', (n) => 'm '.repeat(n / 2)],
  ['dots and letters beyond ASCII', (n) => '\xc3\xbc . '.repeat(n / 5)],
  ['beginnings of encoded words', (n) => '=?'.repeat(n / 2)],
  ['beginnings with a charset', (n) => '=?a?q?'.repeat(n / 6)],
  ['the same with an end', (n) => `${'=?a?q?'.repeat(n / 6)}?=`],
  ['question marks', (n) => `=${'?'.repeat(n)}=`],
  ['encoded words', (n) => '=?a?q?=41?= '.repeat(n / 12)],
  ['encoded words of many charsets', (n) => '=?a?q?=41?= =?b?b?QUJD?= '.repeat(n / 25)],
  ['UTF-7', (n) => `=?utf-7?q?${'+A'.repeat(n / 2)}?=`],
  ['encoded line breaks', (n) => `=?a?q?${'=0A'.repeat(n / 3)}?=`],
  ['encoded escapes', (n) => `=?a?q?${'=1B_'.repeat(n / 4)}?=`],
  ['blanks between encoded words', (n) => `=?a?q?a?=${' '.repeat(n)}x=?a?q?a?=`],
];

describe('the work', () => {
  it.each(SLOW)('is linear: %s', (_, make) => {
    const cost = (n: number): number => {
      // A text without any word of ours is not looked at twice.
      const value = `${make(n)} x-helo`;
      let best = Infinity;
      for (let i = 0; i < 3; i++) {
        const startedAt = process.cpuUsage();
        pretendsToBeOurs(ID, value);
        const { user, system } = process.cpuUsage(startedAt);
        best = Math.min(best, user + system);
      }
      return best;
    };
    cost(2000);
    // Sixteen times the text: linear work is sixteen times as much, quadratic 256 times. One tick of the
    // clock is not counted.
    expect(cost(64_000)).toBeLessThan(70 * (cost(4000) + 1000));
  });
});

describe('mayPretendToBeOurs', () => {
  it.each(FORGED)('%j may', (value) => {
    expect(mayPretendToBeOurs(ID, value, 'ours')).toBe(true);
    expect(mayPretendToBeOurs(ID, value, 'all')).toBe(true);
    expect(mayPretendToBeOurs(ID, value, 'none')).toBe(false);
  });

  it.each([
    'mx.b\xc3\xbccher.test; x-helo=pass',
    'mx(x).b\xc3\xbccher.test; x-helo=pass',
    'other.test; none\rmx.b\xc3\xbccher.test; x-helo=pass',
  ])('%j may, where our name has other letters', (value) => {
    expect(mayPretendToBeOurs('mx.xn--bcher-kva.test', value, 'ours')).toBe(true);
  });

  it.each([ID, 'mx.xn--bcher-kva.test', 'mx:25'])(
    'misses nothing of %s that the careful reading finds',
    (id) => {
      const words = [
        ...[
          'mx',
          '.',
          'dest',
          'test',
          ':',
          '25',
          id,
          'b\xc3\xbccher',
          '\xef\xbd\x8d',
          '\xe3\x80\x82',
          'other',
        ],
        ...[
          ' ',
          ' 1',
          '(c)',
          '(',
          ')',
          '"',
          '\\',
          ';',
          '\r',
          '\n ',
          '\0',
          '\x1c',
          '\x7f',
          '\x85',
          '\xa0',
          '\xc2\xa0',
        ],
        ...['x-helo=pass', 'x-csa=', 'x-c\xc5\xbfa=', 'x-', 'helo', '=', '\xe2\x80\xa8'],
      ];
      const inserted = fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...words)), { maxLength: 5 });
      const base = fc.constantFrom('', `${id}; x-helo=pass`, `other; none\n ${id} 1; x-csa=pass`);
      fc.assert(
        fc.property(base, inserted, (text, parts) => {
          let value = text;
          for (const [at, part] of parts) value = value.slice(0, at) + part + value.slice(at);
          for (const which of ['ours', 'all'] as const) {
            if (pretendsToBeOurs(id, value, which)) expect(mayPretendToBeOurs(id, value, which)).toBe(true);
          }
        }),
        { numRuns: 20_000 },
      );
    },
  );

  it.each(['mx.dest.test; none', 'mx.dest.test; spf=pass smtp.helo=helo', 'other.test; x-helo=pass'])(
    '%j may not be ours',
    (value) => {
      expect(mayPretendToBeOurs(ID, value, 'ours')).toBe(false);
    },
  );

  it.each(['other.test; x-helo=pass', 'mx.dest.tes', ''])('%j may not', (value) => {
    expect(mayPretendToBeOurs(ID, value, 'all')).toBe(false);
  });
});

describe('decodings', () => {
  it.each([
    ['plain', ['plain']],
    ['=?utf-8?q?a_b=3D?=', ['=?utf-8?q?a_b=3D?=', 'a b=']],
    ['x =?a?q?y?= =?a?q?z?= v', ['x =?a?q?y?= =?a?q?z?= v', 'x yz v']],
    ['=?a?x?y?=', ['=?a?x?y?=']],
    ['=?a?q?y?z?=', ['=?a?q?y?z?=', 'y?z']],
    ['=?a?q?y=?=', ['=?a?q?y=?=', 'y=']],
    ['=?a?b?!?= =?a?q?', ['=?a?b?!?= =?a?q?', ' =?a?q?']],
  ])('of %j', (text, wanted) => {
    expect(decodings(text)).toEqual(wanted);
  });
});
