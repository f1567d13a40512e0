/** What an operator writes: mistakes are told with their places, and never taken for something else. */
import fc from 'fast-check';
import { readConfigFile } from '../../src/config/file.ts';
import { readOptions } from '../../src/config/config.ts';
import { textsOf } from '../../src/config/given.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { RECORD_TYPES } from '../../src/core/resolver.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { parsePostconf } from '../../src/doctor/postconf.ts';
import { sendmailMta } from '../../src/doctor/sendmail-cf.ts';
import { Faults, FileError, UsageError } from '../../src/errors.ts';
import { AccessList, parseAccess, withoutWords } from '../../src/policy/access.ts';
import { parseRecipientRules } from '../../src/policy/recipients.ts';
import { parseRegulars, regularsText } from '../../src/state/regulars-text.ts';
import { bytesOf, must, refused, type Target, textOf } from '../target.ts';

const lines = (...words: readonly string[]): fc.Arbitrary<Buffer> =>
  fc
    .array(fc.array(fc.constantFrom(...words), { maxLength: 6 }), { maxLength: 5 })
    .map((all) => bytesOf(all.map((each) => each.join(' ')).join('\n')));

/** Clients that a list may be about. */
const CLIENTS = (
  [
    ['192.0.2.1', 'mail.example.org'],
    ['2001:db8::1', '[IPv6:2001:db8::1]'],
    ['203.0.113.9', 'x.y.example.org'],
    [null, 'Jupiter'],
  ] as const
).map(([ip, helo]) => ({ client: makeClient(ip, helo), outcomes: [] }) as unknown as Assessment);

const ACCESS = [
  'allow',
  'deny',
  '*',
  'mail.example.org',
  '.example.org',
  '*.example.*',
  '[192.0.2.1]',
  'ip=192.0.2.0/24',
  'ip=',
  'ip=,',
  'ip=2001:db8::/32',
  'until=2027-01-31',
  'text="no more"',
  '# x',
  'spf=pass',
  'rdns=.example.org',
  'ip=192.0.2.1,10.0.0.0/8',
];
const access: Target = {
  name: 'access-list',
  files: ['policy/access.ts', 'policy/access-conditions.ts', 'policy/written-name.ts'],
  seeds: [
    'allow mail.example.org ip=192.0.2.1 # ours\ndeny *.example.org text="go away" until=2027-01-31',
  ].map(bytesOf),
  shaped: lines(...ACCESS),
  words: ACCESS,
  run: (input) => {
    const text = textOf(input);
    const parsed = refused([FileError], () => parseAccess(text, 'list', 0, checks));
    if (parsed === null) return;
    const bare = parseAccess(withoutWords(text), 'list', 0, checks);
    must(bare.entries.length === parsed.entries.length, 'without words there are the same entries');
    const [list, other] = [parsed, bare].map((each) => new AccessList(each, () => undefined));
    for (const assessment of CLIENTS) {
      const found = list?.match(assessment, 0) ?? null;
      must(found?.line === other?.match(assessment, 0)?.line, 'and they match the same');
      if (found === null) continue;
      const [, given] = /\sip=(\S*)/.exec(found.source.replaceAll(/"[^"]*"|#.*/g, '')) ?? [];
      must(given === undefined || found.networks.length > 0, 'an entry for networks is for no others');
      must(
        found.action === 'deny' || found.networks.length + found.shown.length > 0,
        'an allow has its proof',
      );
    }
  },
};

const recipients: Target = {
  name: 'recipient-rules',
  files: ['policy/recipients.ts', 'policy/mailbox.ts'],
  seeds: ['user@example.org strict\nexample.net off # x'].map(bytesOf),
  shaped: lines(
    'user@example.org',
    'example.org',
    '@example.org',
    'strict',
    'off',
    'rfc5321',
    '#',
    '"a b"@x.org',
  ),
  words: ['strict', 'off', 'emailcore', '@', '"'],
  run: (input) => void refused([FileError], () => parseRecipientRules(textOf(input), 'recipients')),
};

const CONFIG = [
  'reject-at = 12',
  'policy = "strict"',
  'observe = true',
  'trust = ["192.0.2.0/24"]',
  '[weight]',
  'helo-mismatch = 5',
  'weight = { helo-mismatch = 5 }',
  'listen = "inet:127.0.0.1:8892"',
  '[[x]]',
  'deadline = "6s"',
  "contact = 'a'",
  'x = """',
  '# c',
];
const config: Target = {
  name: 'toml',
  files: ['config/'],
  seeds: [CONFIG.slice(0, 6).join('\n'), CONFIG.join('\n')].map(bytesOf),
  shaped: lines(...CONFIG),
  words: [...CONFIG, '"""', "'''", '0o660', '1e999', 'nan', '1979-05-27', '\\u0000', '{', '}', '[', ']'],
  run: (input) => {
    const faults = new Faults();
    const settings = readConfigFile(input.toString('utf8'), '/etc/file.toml', faults);
    for (const { message } of faults.all)
      must(
        /^\/etc\/file\.toml(?::\d+:\d+)?: ./.test(message),
        `a fault has its place: ${message.slice(0, 80)}`,
      );
    for (const { values } of settings.values())
      for (const { place } of values)
        must(/^\/etc\/file\.toml:\d+:\d+$/.test(place), 'a value has its place');
    readOptions(textsOf(settings), faults);
    for (const each of faults.all) must(each.message !== '', 'a fault says what is wrong');
  },
};

const ZONE = [
  '$ORIGIN example.org.',
  '$TTL 300',
  '@ IN SOA ns h (1 2 3 4 5)',
  'mail 300 IN A 192.0.2.1',
  ' IN AAAA 2001:db8::1',
  'x IN CNAME mail',
  'y IN TXT "v=spf1" " -all"',
  'z DNAME example.net.',
  '* IN MX 10 mail',
  '_client._smtp.mail IN SRV 1 1 0 mail',
  '; c',
  '(',
  ')',
  'l IN CNAME l',
];
const zone: Target = {
  name: 'zone-file',
  files: ['dns/zone-file.ts', 'dns/zone-answers.ts'],
  seeds: [bytesOf(ZONE.slice(0, 11).join('\n'))],
  shaped: lines(...ZONE, '\n'),
  words: [...ZONE, '"', '\\', '\\000', '1w2d', '4294967296'],
  run: async (input) => {
    const resolver = refused([FileError], () => zoneFileResolver(textOf(input), 'zone'));
    if (resolver === null) return;
    for (const name of [
      'mail.example.org',
      'x.example.org',
      'l.example.org',
      'a.z.example.org',
      'example.org',
      'nowhere',
    ])
      for (const type of RECORD_TYPES) {
        const answer = await resolver.lookup(name, type);
        must(answer.status !== 'found' || answer.records.length > 0, 'an answer that is found has records');
      }
  },
};

const regulars: Target = {
  name: 'regulars-file',
  files: ['state/regulars-text.ts'],
  seeds: [
    bytesOf(
      regularsText([
        { client: '192.0.2.0/24', helo: 'mail.example.org', messages: 3, days: 2, firstDay: 1, lastDay: 9 },
      ]),
    ),
  ],
  shaped: fc
    .array(
      fc.tuple(
        fc.constantFrom('192.0.2.1/32', 'x', '::/0'),
        fc.string(),
        fc.nat(9),
        fc.nat(9),
        fc.nat(9),
        fc.nat(9),
      ),
      { maxLength: 3 },
    )
    .map((rows) => {
      const head = { format: 'helo-milter-regulars', version: 1, entries: rows.length };
      return Buffer.from(`${[head, ...rows].map((each) => JSON.stringify(each)).join('\n')}\n`);
    }),
  words: ['"entries":1', '-1', '1e400', 'null', '[]', '__proto__'],
  run: (input) => {
    const text = input.toString('utf8');
    const read = parseRegulars(text);
    if (!('known' in read)) return;
    const again = parseRegulars(regularsText(read.known));
    must(
      'known' in again && JSON.stringify(again.known) === JSON.stringify(read.known),
      'what is read is written as it was',
    );
  },
};

const POSTCONF = [
  'smtpd_milters = inet:127.0.0.1:8892',
  'smtp inet n - y - - smtpd',
  '  -o smtpd_milters=',
  'a = $b',
  'smtp/inet/smtpd_milters = x',
  'milter_default_action = accept',
  '{ inet:x, connect_timeout=1s }',
  '# c',
  'name = ${x?{y}:{z}}',
];
const postconf: Target = {
  name: 'postconf',
  files: ['doctor/postconf.ts', 'doctor/postfix-value.ts'],
  seeds: [bytesOf(POSTCONF.join('\n'))],
  shaped: lines(...POSTCONF),
  words: [...POSTCONF, '{', '}', '${', ','],
  run: (input) => void refused([UsageError], () => parsePostconf(textOf(input), 'postconf')),
};

const CF = [
  'O InputMailFilters=helo',
  'Xhelo, S=local:/run/x, F=T, T=S:30s;R:30s',
  'DjMX',
  'Cwlocalhost',
  'Fw/etc/x',
  'O DaemonPortOptions=Name=MTA, Port=smtp',
  'O Milter.macros.connect=j, _',
  'DnMAILER',
  '# c',
  'V10/Berkeley',
];
const sendmail: Target = {
  name: 'sendmail-cf',
  files: ['doctor/sendmail-cf.ts'],
  seeds: [bytesOf(CF.join('\n'))],
  shaped: lines(...CF),
  words: [...CF, ';', ',', 'F=', 'S=', 'T='],
  run: (input) => void refused([UsageError], () => sendmailMta(textOf(input), 'cf', () => null)),
};

export const OPERATOR: readonly Target[] = [access, recipients, config, zone, regulars, postconf, sendmail];
