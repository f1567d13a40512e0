/** Worlds for advice: lines of a zone in every disarray, clients, and what they say in HELO. */
import fc from 'fast-check';

const NAME = 'mail.sender.org';
const SPF = [
  'v=spf1 -all',
  'v=spf1 ~all',
  'v=spf1 ?all',
  'v=spf1 +all',
  'V=SPF1 a mx -all',
  'v=spf1 ip4:198.51.100.0/24 -all',
  'v=spf1 include:gone.sender.org -all',
  'v=spf1 include:_spf.sender.org ~all',
  'v=spf1 redirect=_spf.sender.org',
  'v=spf1 nonsense -all',
  'v=spf1 a:a.sender.org a:b.sender.org a:c.sender.org exists:%{i}.x.sender.org -all',
  `v=spf1 ${Array.from({ length: 12 }, (_, i) => `a:h${i}.sender.org`).join(' ')} -all`,
  `v=spf1 ${Array.from({ length: 120 }, (_, i) => `ip4:198.51.100.${i}`).join(' ')} -all`,
  'v=spf1 exists:(ref%{i} exists:x) broken"term -all',
];
const SRV = [
  '1 2 0 mail.sender.org.',
  '1 1 0 mail.sender.org.',
  '1 0 0 .',
  '1 2 0 other.sender.org.',
  '1 3 0 .',
  '2 1 0 .',
];
const AUTH = [
  'helo=198.51.100.0/24',
  'helo=A,MX method=SPF',
  'method=SPF,CSA',
  'HELO=SPF',
  'method=none',
  'helo=198.51.100.1 method=CSV',
  'x=1 helo=A y=2',
  'helo=0.0.0.0/1',
];
const choose = (texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const txt =
  (owner: string) =>
  (text: string): string =>
    `${owner}. TXT "${text.replaceAll('"', '\\"')}"`;

/** Lines of a zone around one name, in every disarray that a record at a time can make. */
export const ZONE: fc.Arbitrary<string> = fc
  .record({
    name: fc.oneof(
      fc.subarray([
        `${NAME}. A 198.51.100.1`,
        `${NAME}. A 192.0.2.1`,
        `${NAME}. A 10.0.0.1`,
        `${NAME}. AAAA 2001:db8::1`,
      ]),
      choose(['other.sender.org.', 'gone.sender.org.', 'x.elsewhere.net.', 'second.sender.org.']).map(
        (to) => [`${NAME}. CNAME ${to}`],
      ),
      fc.constant(['*.sender.org. A 198.51.100.7']),
    ),
    spf: fc.oneof(
      fc.array(choose(SPF).map(txt(NAME)), { maxLength: 2 }),
      choose(SPF)
        .map(txt('*.sender.org'))
        .map((x) => [x]),
      fc.array(choose(SPF).map(txt('other.sender.org')), { maxLength: 2 }),
      fc.constant([txt(NAME)('mobile host')]),
    ),
    srv: fc.oneof(
      fc.uniqueArray(
        choose(SRV).map((rdata) => `_client._smtp.${NAME}. SRV ${rdata}`),
        { maxLength: 3 },
      ),
      fc.constant(['_client._smtp.sender.org. SRV 1 2 1 sender.org.']),
    ),
    auth: fc.array(
      fc.oneof(choose(AUTH).map(txt(`_auth.${NAME}`)), choose(AUTH).map(txt('_auth.sender.org'))),
      {
        maxLength: 2,
      },
    ),
    reverse: fc.subarray([
      '1.2.0.192.in-addr.arpa. PTR mail.sender.org.',
      '1.2.0.192.in-addr.arpa. PTR proper.elsewhere.net.',
      '1.2.0.192.in-addr.arpa. PTR 192-0-2-1.access.elsewhere.net.',
      '1.2.0.192.in-addr.arpa. PTR has_underscore.elsewhere.net.',
    ]),
    rest: fc.subarray([
      'other.sender.org. A 198.51.100.3',
      'other.sender.org. A 192.0.2.1',
      'second.sender.org. CNAME other.sender.org.',
      'x.elsewhere.net. A 198.51.100.4',
      'x.elsewhere.net. TXT "v=spf1 -all"',
      'proper.elsewhere.net. A 192.0.2.1',
      '192-0-2-1.access.elsewhere.net. A 192.0.2.1',
      'has_underscore.elsewhere.net. A 192.0.2.1',
      '_spf.sender.org. TXT "v=spf1 ip4:203.0.113.0/24 -all"',
    ]),
  })
  .map(({ name, spf, srv, auth, reverse, rest }) => {
    const isAlias = name.join().includes(' CNAME ');
    // Nothing stands beside an alias.
    const own = [...name, ...(isAlias ? spf.filter((line) => !line.startsWith(NAME)) : spf)];
    return [...own, ...srv, ...auth, ...reverse, ...rest, ...TOPS].join('\n');
  });
const TOPS = [
  'sender.org. NS ns.sender.org.',
  'elsewhere.net. NS ns.elsewhere.net.',
  'org. NS a.nic.org.',
  'net. NS a.nic.net.',
];
export const CLIENT = choose(['192.0.2.1', '192.0.2.99', '2001:db8::99', '2002:c000:201::1']);
export const HELO = fc.oneof(
  { weight: 6, arbitrary: fc.constant(NAME) },
  choose([
    'a_b.sender.org',
    'sender.org',
    '1.2.0.192.in-addr.arpa',
    'org',
    'Jupiter',
    '192.0.2.1',
    '[10.0.0.1]',
    'x.local',
    'mail.unregistered.org',
    'other.sender.org',
    'second.sender.org',
    '192-0-2-99.sender.org',
  ]),
);
