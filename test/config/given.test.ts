import { describe, expect, it } from 'vitest';
import { variableOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import {
  type Environment,
  fromEnvironment,
  fromFlags,
  locate,
  merge,
  type Settings,
  textsOf,
} from '../../src/config/given.ts';
import { FileError, OptionError, UsageError } from '../../src/errors.ts';
import { optionText } from '../fixtures/option-texts.ts';

const texts = (environment: Environment): Record<string, readonly string[]> =>
  Object.fromEntries(textsOf(fromEnvironment(environment)));

describe('the environment', () => {
  it.each(ROWS)('may have %s', (key, row) => {
    const { texts: wanted } = optionText(key);
    const text = row.value === undefined ? 'yes' : wanted.join(row.blanks === true ? '\n' : ' ');
    expect(texts({ [variableOf(key)]: text })).toEqual({ [key]: wanted });
  });

  it.each<[Environment, Record<string, string[]>]>([
    [{}, {}],
    [{ PATH: '/bin', HELO_MILTER: 'x', HELO_MILTER_CONFIG: 'f' }, {}],
    [{ HELO_MILTER_REJECT_AT: '12' }, { rejectAt: ['12'] }],
    [{ HELO_MILTER_REJECT_AT: ' ' }, {}],
    [{ HELO_MILTER_REJECT_AT: undefined }, {}],
    [{ HELO_MILTER_TRUST: ' 192.0.2.1\t\n192.0.2.2 ' }, { trust: ['192.0.2.1', '192.0.2.2'] }],
    [{ HELO_MILTER_REPLY_TEMPLATE: 'a-b=x y\n c-d=z' }, { replyTemplate: ['a-b=x y', 'c-d=z'] }],
    [{ HELO_MILTER_CONTACT: 'call us' }, { contact: ['call us'] }],
    ...['1', 'true', 'YES'].map((on): [Environment, Record<string, string[]>] => [
      { HELO_MILTER_OBSERVE: on },
      { observe: [''] },
    ]),
    ...['0', 'false', 'No'].map((off): [Environment, Record<string, string[]>] => [
      { HELO_MILTER_OBSERVE: off },
      { observe: [] },
    ]),
    // A service of our name in Kubernetes, a link in Docker.
    [
      {
        HELO_MILTER_SERVICE_HOST: '10.0.0.1',
        HELO_MILTER_SERVICE_PORT: '8892',
        HELO_MILTER_SERVICE_PORT_MILTER: '8892',
        HELO_MILTER_PORT: 'tcp://10.0.0.1:8892',
        HELO_MILTER_PORT_8892_TCP_ADDR: '10.0.0.1',
      },
      {},
    ],
  ])('%j', (environment, wanted) => {
    expect(texts(environment)).toEqual(wanted);
  });

  it.each<[Environment, RegExp]>([
    [
      { HELO_MILTER_REJCT_AT: '1' },
      /^HELO_MILTER_REJCT_AT: there is no such option; did you mean HELO_MILTER_REJECT_AT\?$/,
    ],
    [{ HELO_MILTER_NONSENSE: '1' }, /^HELO_MILTER_NONSENSE: there is no such option$/],
    [{ HELO_MILTER_OBSERVE: 'maybe' }, /^HELO_MILTER_OBSERVE: "maybe" is neither true nor false$/],
  ])('refuses %j', (environment, message) => {
    expect(() => fromEnvironment(environment)).toThrow(UsageError);
    expect(() => fromEnvironment(environment)).toThrow(message);
  });
});

describe('merge', () => {
  it('takes the first that has an option, whole', () => {
    const flags = fromFlags(new Map([['trust', ['a']]]));
    const environment = fromEnvironment({ HELO_MILTER_TRUST: 'b c', HELO_MILTER_OBSERVE: '0' });
    const more = fromFlags(
      new Map([
        ['observe', ['']],
        ['policy', ['strict']],
      ]),
    );
    expect(Object.fromEntries(textsOf(merge(flags, environment, more)))).toEqual({
      trust: ['a'],
      observe: [],
      policy: ['strict'],
    });
  });
});

describe('locate', () => {
  const inFile: Settings = new Map([
    [
      'weight',
      {
        source: 'file',
        place: 'f:1:1',
        values: [
          { text: 'a-b=1', place: 'f:1:10' },
          { text: 'c-d=1', place: 'f:2:10' },
        ],
      },
    ],
    ['access', { source: 'file', place: 'f:3:1', values: [{ text: '/list', place: 'f:3:10' }] }],
    ['trust', { source: 'environment', place: 'HELO_MILTER_TRUST', values: [] }],
  ]);
  it.each<[OptionError, typeof UsageError, string]>([
    [new OptionError('--weight', 'wrong', 'c-d'), FileError, 'f:2:10: weight: wrong'],
    [new OptionError('--weight', 'wrong', 'c-d=1'), FileError, 'f:2:10: weight: wrong'],
    [new OptionError('--weight', 'wrong'), FileError, 'f:1:1: weight: wrong'],
    [new OptionError('--access', 'not there'), FileError, 'f:3:10: access: not there'],
    [new OptionError('--trust', 'wrong', 'x'), UsageError, 'HELO_MILTER_TRUST: wrong'],
    [new OptionError('--policy', 'wrong', 'x'), UsageError, '--policy: wrong'],
  ])('%s', (error, kind, message) => {
    const located = locate(error, inFile);
    expect(located).toBeInstanceOf(kind);
    expect(located).toMatchObject({ message });
    expect(located instanceof FileError).toBe(kind === FileError);
  });

  it('leaves others as they are, and takes those along that came with one', () => {
    const other = new Error('boom');
    expect(locate(other, inFile)).toBe(other);
    const both = new OptionError('--policy', 'x', '', [new OptionError('--access', 'y')]);
    expect(locate(both, inFile)).toMatchObject({ others: [{ message: 'f:3:10: access: y' }] });
  });
});
