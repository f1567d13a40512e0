import { describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../src/config/file.ts';
import { nameOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import { textsOf } from '../../src/config/given.ts';
import { FileError } from '../../src/errors.ts';
import { optionText } from '../fixtures/option-texts.ts';

const texts = (toml: string): Record<string, readonly string[]> =>
  Object.fromEntries(textsOf(parseConfigFile(toml, '/etc/helo-milter.toml')));

describe('a configuration file', () => {
  it.each(ROWS)('may have %s', (key) => {
    const { toml, texts: wanted } = optionText(key);
    expect(texts(`${nameOf(key)} = ${toml}`)).toEqual({ [key]: wanted });
  });

  it.each<[string, string, Record<string, string[]>]>([
    ['nothing', '', {}],
    ['an empty list', 'trust = []', { trust: [] }],
    ['a switch that is off', 'observe = false', { observe: [] }],
    ['one value for a list', 'trust = "192.0.2.1"', { trust: ['192.0.2.1'] }],
    ['a number as text', 'reject-at = "12"', { rejectAt: ['12'] }],
    ['a fraction', 'reject-at = 7.50', { rejectAt: ['7.5'] }],
    ['pairs as a list', 'weight = ["helo-mismatch=5"]', { weight: ['helo-mismatch=5'] }],
    ['pairs in a table', '[weight]\nhelo-mismatch = 5', { weight: ['helo-mismatch=5'] }],
    ['pairs by dotted keys', 'weight.helo-mismatch = 5', { weight: ['helo-mismatch=5'] }],
    ['a mode in decimal digits', 'socket-mode = 660', { socketMode: ['660'] }],
    ['a path beside itself', 'access = "lists/access"', { access: ['/etc/lists/access'] }],
    ['paths', 'check = ["a.mjs", "/b.mjs"]', { check: ['/etc/a.mjs', '/b.mjs'] }],
    ['a quoted key', '"reject-at" = 1', { rejectAt: ['1'] }],
  ])('with %s', (_, toml, wanted) => {
    expect(texts(toml)).toEqual(wanted);
  });

  it.each<[string, RegExp]>([
    ['reject-at = ', /^f\.toml:1:13: invalid value$/],
    [
      '\nreject-at = 1\nreject-at = 2',
      /^f\.toml:3:1: reject-at is set already, in line 2; keep one of the two$/,
    ],
    [
      'weight.helo-mismatch = 5\nweight.helo-mismatch = 6',
      /^f\.toml:2:\d+: weight\.helo-mismatch is set already, in line 1; keep one of the two$/,
    ],
    [
      'weight = { a = 1 }\n[weight]\nb = 1',
      /^f\.toml:2:\d+: weight is set already, in line 1; keep one of the two$/,
    ],
    ['[weight]\na = 1\na = 2', /^f\.toml:3:1: a is set already; keep one of the two$/],
    ['"reject-at" = 1\n"reject-at" = 2', /^f\.toml:2:\d+: this is set already; keep one of the two$/],
    ['trust = [\n{ a = 1, a = 2 }]', /^f\.toml:2:\d+: this is set already; keep one of the two$/],
    ['\n  rejct-at = 1', /^f\.toml:2:3: there is no option "rejct-at"; did you mean reject-at\?$/],
    ['rejectAt = 1', /^f\.toml:1:1: there is no option "rejectAt"; did you mean reject-at\?$/],
    ['"a\\nb" = 1', /^f\.toml:1:1: there is no option "a\\nb"$/],
    ['config = "x"', /^f\.toml:1:1: there is no option "config"/],
    ['[policy]\nreject-at = 1', /^f\.toml:1:\d+: policy: takes text or a number$/],
    ['reject-at = [1]', /^f\.toml:1:13: reject-at: takes one SCORE, not a list$/],
    ['reject-at = true', /^f\.toml:1:13: reject-at: takes text or a number$/],
    ['cache-max = 07:32:00', /^f\.toml:1:13: cache-max: takes text or a number$/],
    ['observe = "true"', /^f\.toml:1:11: observe: is true or false$/],
    ['observe = 1', /^f\.toml:1:11: observe: is true or false$/],
    ['trust = ["a", ["b"]]', /^f\.toml:1:15: trust: takes text or a number$/],
    ['listen = []', /^f\.toml:1:10: listen: an empty list leaves nothing$/],
    [
      '[weight]\nhelo-mismatch = 5\nobserve = true',
      /^f\.toml:3:1: weight: the option observe belongs above \[weight\]$/,
    ],
    ['weight.helo-mismatch = [5]', /^f\.toml:1:24: weight: takes text or a number$/],
    ['trust = 2001-01-01', /^f\.toml:1:9: trust: takes text or a number$/],
  ])('refuses %j', (toml, message) => {
    expect(() => parseConfigFile(toml, 'f.toml')).toThrow(FileError);
    expect(() => parseConfigFile(toml, 'f.toml')).toThrow(message);
  });

  it('tells all faults at once', () => {
    const fault = ((): unknown => {
      try {
        return parseConfigFile('a = 1\ntrust = 1\nobserve = 2\n', 'f');
      } catch (error) {
        return error;
      }
    })();
    expect(fault).toMatchObject({
      message: 'f:1:1: there is no option "a"',
      others: [{ message: 'f:3:11: observe: is true or false' }],
    });
  });
});
