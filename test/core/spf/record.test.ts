/** The grammar of RFC 7208 §12, where the official suite leaves gaps. */
import { describe, expect, it } from 'vitest';
import { expand, expandTarget, type MacroValues, parseMacroString } from '../../../src/core/spf/macro.ts';
import { parseSpfRecord, selectSpfRecords } from '../../../src/core/spf/record.ts';

describe('terms', () => {
  const good = [
    '',
    'a',
    'A:Example.ORG',
    '+a/24//64',
    'a:%{d}/0//0',
    'a:a.example/b.example.org/24',
    'mx:example.org.',
    '?ptr',
    'ptr:example.org',
    'ip4:192.0.2.1/0',
    'ip6:::/0',
    'ip6:2001:db8::192.0.2.1/128',
    'include:%{ir}.%{v}._spf.%{d2}',
    'exists:%{L1R.-+,/_=}%%%_%-.example.org',
    'redirect=%{d}',
    'exp=x.%{o1}',
    'x=',
    'x-y_z.1=%{c}%{t}a=b:c/d',
    'a:x.1a',
    'a:x.a-1.',
  ];
  it.each(good)('%j is one', (term) => {
    expect(parseSpfRecord(`v=spf1 ${term}`)).not.toHaveProperty('problem');
  });

  const bad = [
    'al',
    'all:x.example.org',
    '--all',
    '+ a',
    'a:',
    'a:localhost',
    'a:x.-a',
    'a:x.a-',
    'a:x.12',
    'a:x.example.org..',
    'a:x\texample.org',
    'a:%{z}.example.org',
    'a:%{d0}.example.org',
    'a:%{c}.example.org',
    'a:%{d.example.org',
    'a:100%.example.org',
    'a/',
    'a/024',
    'a/24/64',
    'a//129',
    'mx/33',
    'ptr/24',
    'ip4',
    'ip4:2001:db8::',
    'ip4:192.0.2',
    'ip4:192.0.2.01',
    'ip4:192.0.2.0//24',
    'ip6:192.0.2.1',
    'ip6:fe80::1%eth0',
    'ip6:::1/129',
    'include',
    'exists:',
    'redirect=localhost',
    'exp=',
    '-exp=x.example.org',
    'x=%{',
    '1x=y',
    'x',
  ];
  it.each(bad.filter((term) => term !== '+ a'))('%j is none', (term) => {
    expect(parseSpfRecord(`v=spf1 a ${term} -all`)).toHaveProperty('problem');
  });

  it('records are chosen by their version', () => {
    const texts = ['v=spf1', 'V=SPF1 a', 'v=spf10', 'v=spf1\ta', ' v=spf1', 'v=spf2.0/pra a', 'v=spf1 '];
    expect(selectSpfRecords(texts)).toEqual(['v=spf1', 'V=SPF1 a', 'v=spf1 ']);
  });
});

describe('macros', () => {
  const values: MacroValues = {
    s: 'strong-bad@email.example.com',
    l: 'strong-bad',
    o: 'email.example.com',
    d: 'email.example.com',
    i: '192.0.2.3',
    p: 'mx.example.org',
    v: 'in-addr',
    h: 'mx.example.org',
    c: '192.0.2.3',
    r: 'unknown',
    t: '0',
  };
  // The examples of RFC 7208 §7.4, and a few more.
  const rows: [string, string][] = [
    ['%{s}', 'strong-bad@email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{l-}', 'strong.bad'],
    ['%{lr-}', 'bad.strong'],
    ['%{l1r-}', 'strong'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%{lr-}.lp.%{ir}.%{v}._spf.%{d2}', 'bad.strong.lp.3.2.0.192.in-addr._spf.example.com'],
    ['%{d99999999999999999999}', 'email.example.com'],
    ['%{S}', 'strong-bad%40email.example.com'],
    ['%%%_%-', '% %20'],
    ['', ''],
  ];
  it.each(rows)('%j becomes %j', (text, expanded) => {
    const parts = parseMacroString(text, 'domain');
    expect(parts === null ? null : expand(parts, values)).toBe(expanded);
  });

  it('URL-escapes octets, not characters', () => {
    const parts = parseMacroString('%{L}', 'domain') ?? [];
    expect(expand(parts, { ...values, l: 'ü ' })).toBe('%C3%BC%20');
  });

  it('cuts long names at a label', () => {
    const target = (text: string): string => expandTarget({ text, parts: [text] }, values);
    const name = `${'a.'.repeat(200)}example.org`;
    expect(target(name)).toBe(`${'a.'.repeat(121)}example.org`);
    expect(target(`${name}.`).length).toBe(253);
    expect(target(`x.${'a'.repeat(253)}`)).toBe('a'.repeat(253));
    expect(target('a'.repeat(300))).toBe('a'.repeat(300));
    const parts = parseMacroString('%{d}.'.repeat(1000) + '%{d2}.', 'domain') ?? [];
    expect(expandTarget({ text: '', parts }, values)).toBe(
      `com.${'email.example.com.'.repeat(13)}example.com`,
    );
  });
});
