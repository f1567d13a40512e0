/** What comes from DNS: messages, and the records in them. */
import { decode as decodeElsewhere, type DecodedPacket, encode } from 'dns-packet';
import fc from 'fast-check';
import { parseAuthBlock, parseAuthRecord } from '../../src/core/auth-record/index.ts';
import { parseIp, prefixContains } from '../../src/core/ip.ts';
import { type Answer, RECORD_TYPES, type RecordType, type Resolver } from '../../src/core/resolver.ts';
import { checkHelo } from '../../src/core/spf/index.ts';
import { parseSpfRecord, selectSpfRecords } from '../../src/core/spf/record.ts';
import { readAnswer } from '../../src/dns/answer.ts';
import { decodeResponse, encodeQuery, type ResourceRecord, TYPE } from '../../src/dns/message.ts';
import { MessageError, NameError } from '../../src/dns/name.ts';
import { decodeRecord } from '../../src/dns/records.ts';
import { bytesOf, must, refused, type Target, textOf } from '../target.ts';

const NAME = 'mail.example.org';
const response = (
  answers: Parameters<typeof encode>[0]['answers'] & object,
  authorities: typeof answers = [],
): Buffer =>
  encode({
    type: 'response',
    id: 7,
    flags: 0x180,
    questions: [{ type: 'A', name: NAME }],
    answers,
    authorities,
  });

const messages: Target = {
  name: 'dns-message',
  files: ['dns/message.ts', 'dns/name.ts', 'dns/records.ts', 'dns/answer.ts', 'dns/extended-errors.ts'],
  seeds: [
    response([{ type: 'A', name: NAME, ttl: 300, data: '192.0.2.1' }]),
    response([
      { type: 'CNAME', name: NAME, ttl: 300, data: 'x.example.org' },
      { type: 'A', name: 'x.example.org', ttl: 300, data: '192.0.2.1' },
    ]),
    response([{ type: 'TXT', name: NAME, ttl: 300, data: ['v=spf1', ' -all'] }]),
    response([{ type: 'MX', name: NAME, data: { preference: 1, exchange: 'x.example.org' } }]),
    response([
      { type: 'SRV', name: NAME, data: { priority: 1, weight: 1, port: 1, target: 'x.example.org' } },
    ]),
    response(
      [],
      [
        {
          type: 'SOA',
          name: 'example.org',
          data: { mname: 'ns', rname: 'h', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 },
        },
      ],
    ),
  ],
  shaped: fc
    .array(
      fc.record({
        name: fc.constantFrom(NAME, 'example.org', 'x.example.org', ''),
        ttl: fc.nat(0x7fff_ffff),
        type: fc.constant('TXT' as const),
        data: fc.array(fc.string({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      }),
      { maxLength: 6 },
    )
    .map((answers) => response(answers)),
  words: [
    '\xc0\x0c',
    '\xc0\x00',
    '\0\x01\0\x01',
    '\0\x05\0\x01',
    '\0\x1c\0\x01',
    '\0\x29',
    '\0\x10\0\x01',
    '\0\x21',
  ],
  run: (input) => {
    const asked = { name: NAME, type: TYPE.A };
    const query = encodeQuery(asked, { edns: true, trustAd: false });
    const read = refused([MessageError], () => decodeResponse(input));
    const repeated = refused([MessageError], () => decodeResponse(input, asked, query));
    must(JSON.stringify(read) === JSON.stringify(repeated), 'a repeated question is read like any other');
    if (read === null) return;
    for (const type of RECORD_TYPES) {
      const reading = refused([MessageError], () => readAnswer(read, NAME, type));
      if (reading !== null && 'ttl' in reading && typeof reading.ttl === 'number')
        must(reading.ttl >= 0 && reading.ttl <= 0x7fff_ffff, 'a TTL is one of RFC 2181');
    }
    agree(input, read.answers);
  },
};

/** Types that we read, by number. */
const READ = new Map<number, RecordType>(RECORD_TYPES.map((type) => [TYPE[type], type]));

/** Where another library reads the message too, it reads the same addresses. */
function agree(input: Buffer, answers: readonly ResourceRecord[]): void {
  // It looks for the next record where the data of one seem to end, not where the record says so (RFC 1035
  // §3.2.1): it is asked only where both is the same, for each record of the section. One that we skip, of
  // another class say, is not among ours, but it reads that too.
  if (input.readUInt16BE(6) !== answers.length) return;
  const areWhole = answers.every((each) => {
    const type = READ.get(each.type);
    return type !== undefined && refused([MessageError], () => decodeRecord(type, input, each)) !== null;
  });
  if (!areWhole) return;
  let other: DecodedPacket;
  try {
    other = decodeElsewhere(input);
  } catch {
    return;
  }
  const theirs = (other.answers ?? []).flatMap((each) => (each.type === 'A' ? [each.data] : []));
  const ours = answers.filter(({ type }) => type === TYPE.A).map((each) => decodeRecord('A', input, each));
  must(JSON.stringify(ours) === JSON.stringify(theirs), 'another library reads the same addresses');
}

const names: Target = {
  name: 'dns-question',
  files: ['dns/message.ts', 'dns/name.ts'],
  seeds: [NAME, 'a\\.b.example.org', 'a\\000b.example', ''].map(bytesOf),
  shaped: fc
    .string({
      unit: fc.constantFrom('a', '.', '\\', '\\.', '\\046', '\\255', '1', '-', '_', ' '),
      maxLength: 30,
    })
    .map(bytesOf),
  words: ['\\000', '\\255', '\\.', 'a'.repeat(63), '.'],
  run: (input) => {
    const name = textOf(input);
    const query = refused([NameError], () =>
      encodeQuery({ name, type: TYPE.TXT }, { edns: false, trustAd: false }),
    );
    if (query === null) return;
    // A question that comes back is the one that was asked.
    query[2] = (query[2] ?? 0) | 0x80;
    const { question } = decodeResponse(query);
    must(question !== null && question.type === TYPE.TXT, 'a question has its type');
    const again = encodeQuery({ name: question.name, type: TYPE.TXT }, { edns: false, trustAd: false });
    must(
      again.subarray(4).toString('latin1').toLowerCase() ===
        query.subarray(4).toString('latin1').toLowerCase(),
      'a name that is read is written again as it was',
    );
  },
};

const TERMS = [
  'v=spf1',
  'a',
  'mx',
  'ptr',
  'ip4:192.0.2.0/24',
  'ip6:2001:db8::/32',
  'include:x.org',
  'exists:%{i}.%{d2r}.x.org',
  'redirect=y.org',
  'exp=e.org',
  '-all',
  '~all',
  '?a:%{h}',
  'a/0//0',
  'mx:%{p}',
  '+all',
  'x=%{',
  'a:%{d1r+-/}',
];
const CLIENT = parseIp('192.0.2.1');

/** DNS in which each line of the input is the record of some names, and some addresses are the client's. */
function dnsOf(lines: readonly string[]): { readonly resolver: Resolver; readonly asked: () => number } {
  let asked = 0;
  const at = (name: string): number =>
    Array.from(name).reduce((sum, each) => (sum * 31 + each.charCodeAt(0)) % 65_521, 7);
  const records: Readonly<Record<RecordType, readonly unknown[]>> = {
    ...{
      A: ['192.0.2.1'],
      AAAA: ['2001:db8::1'],
      CNAME: ['x.org'],
      NS: ['ns.org'],
      PTR: ['h.example.org', 'x.org'],
    },
    ...{ MX: [{ preference: 1, exchange: 'm.org' }], SOA: [{ mname: 'ns.org' }], TXT: [], SRV: [] },
  };
  const answer = (name: string, type: RecordType): Answer<RecordType> => {
    asked++;
    const number = at(name) % (lines.length + 3);
    if (type === 'TXT' && number < lines.length)
      return { status: 'found', records: [lines[number] ?? ''], ttl: 60 };
    if (number === lines.length) return { status: 'temperror', detail: 'timeout' };
    if (number === lines.length + 1 || type === 'TXT') return { status: 'nxdomain', ttl: 60 };
    return { status: 'found', records: records[type] as never[], ttl: 60 };
  };
  return {
    resolver: {
      lookup: <T extends RecordType>(name: string, type: T) =>
        Promise.resolve(answer(name, type) as Answer<T>),
    },
    asked: () => asked,
  };
}

const spf: Target = {
  name: 'spf',
  files: ['core/spf/'],
  seeds: [
    'v=spf1 a mx -all',
    `${TERMS.join(' ')}\nv=spf1 include:a.org ~all\nv=spf1 a:%{i} redirect=b.org`,
  ].map(bytesOf),
  shaped: fc
    .array(fc.array(fc.constantFrom(...TERMS), { maxLength: 14 }), { minLength: 1, maxLength: 4 })
    .map((records) => bytesOf(records.map((terms) => ['v=spf1', ...terms].join(' ')).join('\n'))),
  words: [...TERMS, '%%', '%_', '%-', '%{s}', '%{L9R+}', '//128', '/33'],
  run: async (input) => {
    const lines = textOf(input).split('\n');
    for (const line of selectSpfRecords(lines)) {
      const read = parseSpfRecord(line);
      if (!('directives' in read)) continue;
      const again = parseSpfRecord(['v=spf1', ...read.directives.map(({ text }) => text)].join(' '));
      must(
        'directives' in again && JSON.stringify(again.directives) === JSON.stringify(read.directives),
        'the terms of a record make the same record',
      );
    }
    if (CLIENT === null) return;
    const { resolver, asked } = dnsOf(lines);
    const outcome = await checkHelo(CLIENT, 'mail.example.org', resolver, { now: () => 0 });
    must(outcome.lookups <= 11 && outcome.voidLookups <= 3, 'stops at the limits of RFC 7208 §4.6.4');
    must(asked() <= 233 + 12, 'asks no more than is documented');
    must(
      outcome.explanation === null || /^[\x20-\x7e]{0,512}$/.test(outcome.explanation),
      'an explanation is printable',
    );
    must(outcome.result !== 'pass' || outcome.mechanism !== null, 'a pass names what passed');
  },
};

const auth: Target = {
  name: 'auth-record',
  files: ['core/auth-record/', 'core/ip.ts'],
  seeds: ['helo=192.0.2.0/24,A,SPF method=SPF', 'helo=192.0.2.216-8', 'method=x helo=', 'helo=::/0'].map(
    bytesOf,
  ),
  shaped: fc
    .array(
      fc.constantFrom(
        'helo=',
        'method=',
        '192.0.2.',
        '216',
        '-',
        '8',
        '/',
        '24',
        ',',
        'A',
        'MX',
        'SPF',
        ' ',
        '::',
      ),
      { maxLength: 20 },
    )
    .map((words) => bytesOf(words.join(''))),
  words: ['helo=', 'method=', '-42', '/24', ','],
  run: (input) => {
    const text = textOf(input);
    const record = parseAuthRecord(text);
    if (record === null) return;
    must(/(?:^|\s)(?:helo|method)=/i.test(text), 'a record says so');
    for (const block of record.helo?.blocks ?? []) {
      const [, network = '', from = '', digits] = /^(\d+\.\d+\.\d+\.)(\d+)-(\d+)$/.exec(block.text) ?? [];
      must(block.prefixes.length > 0, 'a block has addresses');
      if (digits === undefined) continue;
      const end = Number(from.slice(0, Math.max(0, from.length - digits.length)) + digits);
      for (let octet = 0; octet < 256; octet++) {
        const address = parseIp(`${network}${octet}`);
        if (address === null) continue;
        const inside = block.prefixes.some((prefix) => prefixContains(prefix, address));
        must(inside === (octet >= Number(from) && octet <= end), 'a range has its addresses and no others');
      }
      must(parseAuthBlock(block.text) !== null, 'a block is read again');
    }
  },
};

export const DNS: readonly Target[] = [messages, names, spf, auth];
