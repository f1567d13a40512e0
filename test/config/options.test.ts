import { describe, expect, it } from 'vitest';
import { flagOf } from '../../src/config/option.ts';
import { readConfig } from '../../src/config/config.ts';
import { ROWS } from '../../src/config/options.ts';
import { UsageError } from '../../src/errors.ts';

const given = (texts: Readonly<Record<string, string[]>>): ReadonlyMap<string, string[]> =>
  new Map(Object.entries(texts));

describe('readConfig', () => {
  it('has sound defaults', () => {
    expect(readConfig(given({}))).toMatchObject({
      listen: ['inet:127.0.0.1:8892'],
      policy: 'rfc5321',
      rejectAt: 10,
      tempfailAt: 5,
      applyAt: 'rcpt',
      observe: false,
      onError: 'continue',
      deadline: 6000,
      cacheMax: 900_000,
      require: null,
      trust: [],
    });
  });

  it('takes the last of what may be given once, and all of what may be repeated', () => {
    const config = readConfig(
      given({ policy: ['strict', 'emailcore'], ourName: ['a.org', 'B.org'], observe: [''] }),
    );
    expect(config.policy).toBe('emailcore');
    expect(config.ourName).toEqual(['a.org', 'b.org']);
    expect(config.observe).toBe(true);
  });

  it.each([
    [{ http: ['127.0.0.1:9892'] }, true],
    [{ http: ['[::1]:9892'] }, true],
    [{ http: ['192.0.2.1:9892'], httpPublic: [''] }, false],
  ])('takes %j', (texts, loopback) => {
    expect(readConfig(given(texts)).http).toMatchObject({ port: 9892, loopback });
  });

  it('is frozen', () => {
    expect(Object.isFrozen(readConfig(given({})))).toBe(true);
  });

  it.each<[Record<string, string[]>, RegExp]>([
    [{ rejectAt: ['x'] }, /^--reject-at: /],
    [{ policy: ['lenient'] }, /^--policy: "lenient" is not one of rfc5321, emailcore, strict$/],
    [{ tempfailAt: ['20'] }, /^--tempfail-at: tempfail-at 20 is above reject-at 10$/],
    [{ cacheMin: ['1h'] }, /^--cache-min: cache-min is above cache-max$/],
    [{ deadline: ['30s'] }, /^--deadline: /],
    [{ http: ['192.0.2.1:9892'] }, /^--http: 192\.0\.2\.1 is not loopback, .*http-public/],
    [{ http: ['[::]:9892'] }, /^--http: :: is not loopback/],
    [{ httpPage: [''] }, /^--http-page: http-page needs http,/],
    [{ httpPage: [''], http: ['192.0.2.1:9892'], httpPublic: [''] }, /^--http-page: .* for this host alone/],
    [
      { httpPage: [''], http: ['127.0.0.1:9892'], httpPublic: [''] },
      /^--http-page: .* not together with http-public/,
    ],
    [{ httpPage: [''], http: ['192.0.2.1:9892'] }, /^--http: 192\.0\.2\.1 is not loopback/],
    [{ http: ['9892'] }, /^--http: "9892" is not an address and a port/],
  ])('refuses %j', (texts, message) => {
    expect(() => readConfig(given(texts))).toThrow(UsageError);
    expect(() => readConfig(given(texts))).toThrow(message);
  });
});

describe('the option table', () => {
  it.each(ROWS)('%s says what it is for', (key, row) => {
    expect(flagOf(key)).toMatch(/^--[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
    expect(row.help).toMatch(/^[^\n]{10,}$/);
    if (row.default !== null) expect(() => row.read([row.default ?? ''])).not.toThrow();
  });

  it.each(ROWS)('%s is described to the end', (_, row) => {
    // Relative to the configuration file, not to wherever the program was started.
    expect(row.path ?? false).toBe(row.value === 'FILE');
    expect(row.table ?? false).toBe(/^(?:ID|STREAM)=/.test(row.value ?? ''));
  });
});
