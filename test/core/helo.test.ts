import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasNumericTld, parseHelo, queryName, specialUseDomain } from '../../src/core/helo.ts';

/** The Helo as words. */
function words(text: string): string {
  const helo = parseHelo(text);
  switch (helo.kind) {
    case 'domain':
      return [
        'domain',
        helo.name,
        ...(helo.trailingDot ? ['dot'] : []),
        ...(helo.underscore ? ['underscore'] : []),
      ].join(' ');
    case 'literal':
      return ['literal', helo.address.text, ...(helo.trailing === '' ? [] : [`+ ${helo.trailing}`])].join(
        ' ',
      );
    case 'bare-ip':
      return `bare-ip ${helo.address.text}`;
    case 'invalid':
    case 'literal-malformed':
      return `${helo.kind}: ${helo.problem}`;
    case 'missing':
      return 'missing';
  }
}

/** 253 octets. */
const LONGEST = `${`${'a'.repeat(61)}.`.repeat(4)}abcde`;

describe('parseHelo', () => {
  it.each([
    ['', 'missing'],
    // RFC 5321 §4.1.2: a Domain is labels of letters, digits and inner hyphens; one label is enough.
    ['mail.example.org', 'domain mail.example.org'],
    ['MAIL.Example.ORG', 'domain mail.example.org'],
    ['Jupiter', 'domain jupiter'],
    ['a', 'domain a'],
    ['1and1.example.org', 'domain 1and1.example.org'],
    ['3com.123.example', 'domain 3com.123.example'],
    ['xn--mller-kva.example', 'domain xn--mller-kva.example'],
    ['a--b.example', 'domain a--b.example'],
    ['mail.example.123', 'domain mail.example.123'],
    [`${'a'.repeat(63)}.example`, `domain ${'a'.repeat(63)}.example`],
    ['mail.example.org.', 'domain mail.example.org dot'],
    ['my_host.example.org', 'domain my_host.example.org underscore'],
    ['_.example.org', 'domain _.example.org underscore'],
    ['1.2.3', 'domain 1.2.3'],
    ['1.2.3.4.5', 'domain 1.2.3.4.5'],
    ['256.1.1.1', 'domain 256.1.1.1'],
    [LONGEST, `domain ${LONGEST}`],
    // Not in the grammar.
    [`${LONGEST}f`, 'invalid: a name of 254 octets cannot be in DNS'],
    [`${'a'.repeat(64)}.example`, 'invalid: label of 64 octets, the limit is 63'],
    ['a\x7fb', 'invalid: a control character is not allowed in a domain'],
    ['a\x80b', 'invalid: an octet beyond ASCII is not allowed in a domain'],
    ['this is Jupiter', 'invalid: a space is not allowed in a domain'],
    [' mail.example.org', 'invalid: a space is not allowed in a domain'],
    ['a\tb', 'invalid: a control character is not allowed in a domain'],
    ['a\0b', 'invalid: a control character is not allowed in a domain'],
    ['a\r\nb', 'invalid: a control character is not allowed in a domain'],
    ['b\xfccher.example', 'invalid: an octet beyond ASCII is not allowed in a domain'],
    ['a@b', 'invalid: an at sign is not allowed in a domain'],
    ['<script>', 'invalid: an angle bracket is not allowed in a domain'],
    ['a..b', 'invalid: empty label'],
    ['.a', 'invalid: empty label'],
    ['a.b..', 'invalid: empty label'],
    ['.', 'invalid: empty label'],
    ['-a.example', 'invalid: label begins or ends with a hyphen'],
    ['a-.example', 'invalid: label begins or ends with a hyphen'],
    [`${'a'.repeat(64)}.example`, 'invalid: label of 64 octets, the limit is 63'],
    [Array(64).fill('aaa').join('.'), 'invalid: a name of 255 octets cannot be in DNS'],
    ['x'.repeat(256), 'invalid: 256 octets, the limit is 255'],
    // Addresses without brackets.
    ['192.0.2.1', 'bare-ip 192.0.2.1'],
    ['192.000.002.001', 'bare-ip 192.0.2.1'],
    ['2001:db8::1', 'bare-ip 2001:db8::1'],
    ['::ffff:192.0.2.1', 'bare-ip 192.0.2.1'],
    // RFC 5321 §4.1.3.
    ['[192.0.2.1]', 'literal 192.0.2.1'],
    ['[192.0.2.01]', 'literal 192.0.2.1'],
    ['[IPv6:2001:db8::1]', 'literal 2001:db8::1'],
    ['[ipv6:2001:DB8::1]', 'literal 2001:db8::1'],
    ['[IPv6:2001:0db8:0:0:0:0:0:1]', 'literal 2001:db8::1'],
    ['[IPv6:::ffff:192.0.2.1]', 'literal 192.0.2.1'],
    ['[IPv6:64:ff9b::192.0.2.33]', 'literal 64:ff9b::c000:221'],
    ['[IPv6:::]', 'literal ::'],
    ['[192.0.2.1] (laptop)', 'literal 192.0.2.1 + (laptop)'],
    ['[192.0.2.1', 'literal-malformed: no closing bracket'],
    ['[192.0.2.1]x', 'literal-malformed: text right after the closing bracket'],
    ['[]', 'literal-malformed: no address inside the brackets'],
    ['[192.0.2]', 'literal-malformed: no address inside the brackets'],
    ['[192.0.2.256]', 'literal-malformed: no address inside the brackets'],
    ['[192.0.2.0001]', 'literal-malformed: no address inside the brackets'],
    ['[mail.example.org]', 'literal-malformed: no address inside the brackets'],
    ['[2001:db8::1]', 'literal-malformed: the tag "IPv6:" is missing'],
    ['[IPv6:192.0.2.1]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[IPv6:fe80::1%eth0]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[IPv6:1:2:3:4:5:6:7::]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[IPv6:1:2:3:4:5::192.0.2.1]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[IPv6:1::2::3]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[IPv6:::192.0.2.999]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[IPv6:]', 'literal-malformed: not an IPv6 address by RFC 5321'],
    ['[X400:c=de]', 'literal-malformed: "X400" is not a registered tag'],
    [`[${'1'.repeat(600)}]`, 'literal-malformed: 602 octets'],
  ])('reads %j as %s', (text, wanted) => {
    expect(words(text)).toBe(wanted);
  });

  it('says of each name that is outside the grammar which label is wrong, and how', () => {
    const label = fc.string({ unit: fc.constantFrom('a', 'Z', '7', '-', '_', ' '), maxLength: 4 });
    const long = fc.constantFrom('b'.repeat(63), 'b'.repeat(64), `${'b'.repeat(63)}-`);
    const domain = fc.array(fc.oneof({ weight: 9, arbitrary: label }, long), { minLength: 1, maxLength: 5 });
    const isRight = (each: string): boolean =>
      /^[a-z0-9_-]{1,63}$/i.test(each) && !each.startsWith('-') && !each.endsWith('-');
    fc.assert(
      fc.property(domain, (labels) => {
        const text = labels.join('.');
        fc.pre(text !== '' && text.length <= 253 && !/^[\d.]+$|\.$/.test(text));
        const helo = parseHelo(text);
        expect(helo.kind).toBe(labels.every(isRight) ? 'domain' : 'invalid');
        if (helo.kind === 'invalid') expect(helo.problem).not.toBe('not a domain');
      }),
      { numRuns: 2000 },
    );
  });

  it('is total, and keeps the text as it came', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.string({
        unit: fc.constantFrom('[', ']', ':', '.', '1', 'f', 'IPv6:', ' ', '-', '_'),
        maxLength: 40,
      }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const helo = parseHelo(text);
        expect(helo.text).toBe(text);
        expect(() => queryName(helo)).not.toThrow();
      }),
    );
  });
});

describe('queryName', () => {
  it.each([
    ['Mail.Example.ORG.', 'mail.example.org'],
    ['my_host.example.org', 'my_host.example.org'],
    ['Jupiter', null],
    ['mail.local', null],
    ['mail.example.123', null],
    ['192.0.2.1', null],
    ['[192.0.2.1]', null],
    ['this is Jupiter', null],
    ['', null],
  ])('of %j is %j', (text, name) => {
    expect(queryName(parseHelo(text))).toBe(name);
  });
});

describe('specialUseDomain', () => {
  it.each([
    ['printer.local', 'local'],
    ['localhost', 'localhost'],
    ['localhost.localdomain', 'localdomain'],
    ['x.test', 'test'],
    ['x.example', 'example'],
    ['x.invalid', 'invalid'],
    ['x.onion', 'onion'],
    ['x.internal', 'internal'],
    ['router.home.arpa', 'home.arpa'],
    ['home.arpa', 'home.arpa'],
    ['1.0.0.10.in-addr.arpa', null],
    // Registered, and they resolve.
    ['mail.example.com', null],
    ['mail.example.net', null],
    ['mail.example.org', null],
    ['local.example.org', null],
  ])('of %s is %j', (text, domain) => {
    const helo = parseHelo(text);
    expect(helo.kind === 'domain' && specialUseDomain(helo)).toBe(domain);
  });
});

describe('hasNumericTld', () => {
  it.each([
    ['a.123', true],
    ['123', true],
    ['a.1b', false],
    ['1.a', false],
  ])('of %s is %s', (text, numeric) => {
    const helo = parseHelo(text);
    expect(helo.kind === 'domain' && hasNumericTld(helo)).toBe(numeric);
  });
});
