import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { TomlPlaces } from '../../src/config/toml-places.ts';

const DOCUMENT = `# reject-at = 1 is not here
title = "a # no comment, trust = [1]" # one
 indented.dotted . 'literal' = 1979-05-27 07:32:00
"quoted \\u00e9\\"key" = 'it''
lines = """
no = "key"
[table] "" \\""""""
literal_lines = '''
# [x]
'''''
list = [ 1, # one, two
  [ "]", 'x' ], { a = 1, b.c = [2] },
]
inline = { helo-mismatch = 5, "a.b" = -1.5 }

[table]
key = true
[table."sub.table" ] # comment
key=0o660
[[many]]
n = 1
[[many]]
n = 2
[many.deep]
n = 3
`.replace("'it''", "'it'");

describe('TomlPlaces', () => {
  const places = new TomlPlaces(DOCUMENT);
  it.each<[path: (string | number)[], key: string | null, value: string | null, source: string]>([
    [['title'], '2:1', '2:9', '"a # no comment, trust = [1]"'],
    [['indented'], '3:2', '3:32', ''],
    [['indented', 'dotted', 'literal'], '3:20', '3:32', '1979-05-27 07:32:00'],
    [['quoted é"key'], '4:1', '4:24', "'it'"],
    [['lines'], '5:1', '5:9', '"""\nno = "key"\n[table] "" \\""""""'],
    [['literal_lines'], '8:1', '8:17', "'''\n# [x]\n'''''"],
    [['list', 0], '11:10', '11:10', '1'],
    [['list', 1, 0], '12:5', '12:5', '"]"'],
    [['list', 2, 'b', 'c', 0], '12:33', '12:33', '2'],
    [['inline', 'helo-mismatch'], '14:12', '14:28', '5'],
    [['inline', 'a.b'], '14:31', '14:39', '-1.5'],
    [['table'], '16:2', '16:7', ''],
    [['table', 'key'], '17:1', '17:7', 'true'],
    [['table', 'sub.table', 'key'], '19:1', '19:5', '0o660'],
    [['many', 1, 'n'], '23:1', '23:5', '2'],
    [['many', 1, 'deep', 'n'], '25:1', '25:5', '3'],
    [['no'], null, null, ''],
    [['trust'], null, null, ''],
  ])('%j', (path, key, value, source) => {
    expect(parse(DOCUMENT)).toBeTypeOf('object');
    expect(places.position(path, 'key')).toBe(key);
    expect(places.position(path, 'value')).toBe(value);
    expect(places.source(path)).toBe(source);
  });

  it('finds every value of any document, and reads the same there', () => {
    const key = fc.oneof(fc.stringMatching(/^[a-z0-9_-]{1,8}$/), fc.string({ minLength: 1, maxLength: 6 }));
    const leaf = fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('"""', "'''", '\n[x]\n', 'a = 1 # b', '\\', '"'),
    );
    const document = fc.dictionary(
      key,
      fc.oneof(
        leaf,
        fc.array(leaf),
        fc.dictionary(key, fc.oneof(leaf, fc.array(leaf)), { noNullPrototype: true }),
      ),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(document, (object) => {
        const text = stringify(object);
        const found = new TomlPlaces(text);
        const visit = (value: unknown, path: readonly (string | number)[]): void => {
          if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
            for (const [name, each] of Object.entries(value)) visit(each, [...path, name]);
          } else {
            expect(parse(`x = ${found.source(path)}`)['x']).toEqual(value);
          }
        };
        visit(parse(text), []);
      }),
    );
  });

  it('ends on any text, sound or not', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab=.[]{}",\'#\n \\')) }), (text) => {
        try {
          new TomlPlaces(text);
        } catch (error) {
          // It looks like a quoted key, but is not one.
          expect(error).toHaveProperty('line');
        }
      }),
    );
  });
});
