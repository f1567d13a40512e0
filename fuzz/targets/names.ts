/** What a client says of itself, and addresses as text. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { parseHelo } from '../../src/core/helo.ts';
import { networkText, parseIp, parsePrefix, prefixContains } from '../../src/core/ip.ts';
import { bytesOf, must, type Target, textOf } from '../target.ts';

const parts = (...units: readonly string[]): fc.Arbitrary<Buffer> =>
  fc.string({ unit: fc.constantFrom(...units), maxLength: 40 }).map(bytesOf);

/** RFC 5321 §4.1.2: Domain = sub-domain *("." sub-domain), with the lengths of RFC 1035 §2.3.4. */
function isDomain(text: string): boolean {
  const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i;
  return text.length <= 253 && text.split('.').every((each) => each.length <= 63 && label.test(each));
}

const helo: Target = {
  name: 'helo',
  files: ['core/helo.ts', 'core/ip.ts'],
  seeds: ['mail.example.org', '[192.0.2.1]', '[IPv6:2001:db8::1] x', 'a_b.example.', '192.0.2.1', '::1'].map(
    bytesOf,
  ),
  shaped: parts('[', ']', ':', '::', '.', '1', '255', 'f', 'IPv6:', ' ', '-', '_', 'a', 'xn--', '\xe9', '\0'),
  words: ['[IPv6:', ']', '::', '.', '255', '0x', 'a'.repeat(63)],
  run: (input) => {
    const text = textOf(input);
    const read = parseHelo(text);
    must(read.text === text, 'the text stays as the client said it');
    if ('problem' in read)
      must(/^[\x20-\x7e]{1,600}$/.test(read.problem), 'a problem is told in printable words');
    const isNumber = isIP(text) !== 0;
    if (read.kind === 'domain') {
      must(read.name === read.name.toLowerCase() && !read.name.endsWith('.'), 'a name is canonical');
      const again = parseHelo(read.name).kind;
      must(again === 'domain' || again === 'bare-ip', 'a canonical name is a name');
      const strict = !read.trailingDot && !read.underscore;
      must(!strict || isDomain(text), 'what passes for a domain is one by RFC 5321');
    } else if (isDomain(text) && !isNumber) {
      must(read.kind === 'bare-ip' && /^[\d.]+$/.test(text), 'a domain of RFC 5321 passes for one');
    }
    if (read.kind === 'literal') {
      must(isIP(read.address.text) !== 0, 'a literal has an address');
      const inner = /^\[(?:IPv6:)?([^\]]*)\]/i.exec(text)?.[1] ?? '';
      must(
        parseIp(inner)?.text === read.address.text || /^[\d.]+$|\d\.\d/.test(inner),
        'and it is the one inside',
      );
    }
  },
};

const addresses: Target = {
  name: 'addresses',
  files: ['core/ip.ts'],
  seeds: [
    '192.0.2.1',
    '2001:db8::/32',
    '::ffff:192.0.2.1',
    'fe80::1%eth0',
    '0.0.0.0/0',
    '1:2:3:4:5:6:7:8/128',
  ].map(bytesOf),
  shaped: parts(':', '::', '.', '1', '255', 'ffff', '/', '32', '128', '%', '0'),
  words: ['::ffff:', '/128', '::', '255.255.255.255'],
  run: (input) => {
    const text = textOf(input);
    const address = parseIp(text);
    if (!text.includes('%'))
      must((isIP(text) !== 0) === (address !== null), 'what Node takes for an address is one');
    if (address !== null) must(parseIp(address.text)?.text === address.text, 'its text is canonical');
    const prefix = parsePrefix(text);
    if (prefix === null) return;
    must(prefix.length >= 0 && prefix.length <= prefix.address.bytes.length * 8, 'a length fits its address');
    must(prefixContains(prefix, prefix.address), 'a network contains its address');
    const again = parsePrefix(networkText(prefix.address, prefix.length));
    must(again !== null && prefixContains(again, prefix.address), 'so it does written again');
  },
};

export const NAMES: readonly Target[] = [helo, addresses];
