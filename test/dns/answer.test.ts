import { describe, expect, it } from 'vitest';
import type { RecordType } from '../../src/core/resolver.ts';
import { readAnswer } from '../../src/dns/answer.ts';
import { decodeResponse, TYPE } from '../../src/dns/message.ts';
import { MessageError } from '../../src/dns/name.ts';
import {
  a,
  cname,
  extendedError,
  labels,
  message,
  opt,
  type Parts,
  question,
  rr,
  soa,
  wireName,
} from '../support/dns-bytes.ts';

const NAME = 'mail.example.org';

function read(parts: Parts, type: RecordType = 'A', name = NAME): ReturnType<typeof readAnswer> {
  return readAnswer(decodeResponse(message({ question: question(name, TYPE[type]), ...parts })), name, type);
}

describe('an answer', () => {
  it('takes what has the name asked for, whatever its case, and nothing else', () => {
    expect(
      read({
        answers: [
          a('other.example.org', '192.0.2.66'),
          a('MAIL.Example.org', '192.0.2.1', 60),
          a(NAME, '192.0.2.2', 30),
        ],
        additionals: [a(NAME, '192.0.2.99')],
      }),
    ).toMatchObject({ status: 'found', records: ['192.0.2.1', '192.0.2.2'], ttl: 30 });
  });

  it('of another owner name alone is refused', () => {
    expect(() => read({ answers: [a('other.example.org', '192.0.2.66')] })).toThrow('another name');
  });

  it.each([
    ['neither recursion nor authority', 0x8100],
    ['the same, with name servers to ask instead', 0x8000],
  ])('that is empty, with %s, is refused', (_, flags) => {
    const authorities = [rr('org', TYPE.NS, wireName('a.nic.test'))];
    expect(() => read({ flags, authorities })).toThrow('lame');
    expect(read({ flags: flags | 0x0400, authorities })).toMatchObject({ status: 'nodata' });
    expect(() => read({ flags: flags | 3, authorities })).toThrow('lame');
    expect(read({ flags: flags | 0x0403, authorities })).toMatchObject({ status: 'nxdomain' });
  });

  it.each([
    ['nodata', 0x8100],
    ['nxdomain', 0x8103],
  ])(
    '%s with neither recursion nor authority counts with the SOA of a zone above the name',
    (status, flags) => {
      expect(read({ flags, authorities: [soa('org', 60, 900)] })).toMatchObject({ status, ttl: 60 });
      expect(() => read({ flags, authorities: [soa('net', 60, 900)] })).toThrow('lame');
    },
  );

  it('tells two names apart that look alike where dots are labels', () => {
    const glued = labels('mail.example', 'org');
    expect(() => read({ answers: [a(glued, '192.0.2.66')] })).toThrow('another name');
    expect(
      readAnswer(
        decodeResponse(message({ question: question(glued, 1), answers: [a(glued, '192.0.2.1')] })),
        'mail\\.example.org',
        'A',
      ),
    ).toMatchObject({ status: 'found', records: ['192.0.2.1'] });
  });

  it('follows aliases in any order, and lives as long as the shortest link', () => {
    expect(
      read({
        answers: [a('c.test', '192.0.2.1', 100), cname('b.test', 'c.test', 7), cname(NAME, 'B.test', 50)],
      }),
    ).toMatchObject({ status: 'found', records: ['192.0.2.1'], ttl: 7, aliases: ['B.test', 'c.test'] });
  });

  it('does not follow an alias that is asked for', () => {
    expect(read({ answers: [cname(NAME, 'b.test', 7)] }, 'CNAME')).toMatchObject({
      status: 'found',
      records: ['b.test'],
      aliases: [],
    });
  });

  it.each([
    ['a loop of two', [cname(NAME, 'b.test'), cname('b.test', NAME)]],
    ['an alias of itself', [cname(NAME, NAME)]],
    [
      'twenty aliases',
      Array.from({ length: 20 }, (_, i) => cname(i === 0 ? NAME : `n${i}.test`, `n${i + 1}.test`)),
    ],
  ])('refuses %s', (_, answers) => {
    expect(() => read({ answers })).toThrow(MessageError);
  });

  it('says where to go on when the chain leads out of what the server knows', () => {
    expect(read({ answers: [cname(NAME, 'elsewhere.test', 9)] })).toMatchObject({
      status: 'referred',
      target: 'elsewhere.test',
      ttl: 9,
    });
  });
});

describe('a "no"', () => {
  const NXDOMAIN = 0x8183;

  it.each([
    ['nodata, by the minimum of its SOA', { authorities: [soa('example.org', 3600, 60)] }, 'nodata', 60],
    ['nodata, by the TTL of its SOA', { authorities: [soa('example.org', 30, 600)] }, 'nodata', 30],
    ['nodata without an SOA', {}, 'nodata', null],
    ['nxdomain', { flags: NXDOMAIN, authorities: [soa('org', 3600, 900)] }, 'nxdomain', 900],
    ['nxdomain by the root', { flags: NXDOMAIN, authorities: [rr('', 6, soaData(86_400))] }, 'nxdomain', 300],
    [
      "an SOA of somebody else's zone is not heeded",
      { authorities: [soa('example.net', 30, 30)] },
      'nodata',
      null,
    ],
    [
      'nodata at the end of an alias',
      { answers: [cname(NAME, 'a.test', 20)], authorities: [soa('test', 600, 600)] },
      'nodata',
      20,
    ],
    [
      'nxdomain at the end of an alias (RFC 6604)',
      { flags: NXDOMAIN, answers: [cname(NAME, 'gone.test', 700)], authorities: [soa('test', 600, 500)] },
      'nxdomain',
      500,
    ],
  ] as const)('%s', (_, parts, status, ttl) => {
    expect(read(parts)).toMatchObject({ status, ttl });
  });

  it.each([
    [1, 'formerr'],
    [2, 'servfail'],
    [4, 'notimp'],
    [5, 'refused'],
    [9, 'rcode9'],
  ])('with code %i is none but trouble: %s', (rcode, detail) => {
    expect(read({ flags: 0x8180 | rcode, answers: [a(NAME, '192.0.2.1')] })).toMatchObject({
      status: 'temperror',
      detail,
    });
  });
});

it.each([
  [6, 'bogus'],
  [7, 'bogus'],
  [12, 'bogus'],
  [5, 'servfail'],
  [22, 'servfail'],
])('SERVFAIL with the extended error %i is %s', (code, detail) => {
  const additionals = [opt([extendedError(code, 'why')])];
  expect(read({ flags: 0x8182, additionals })).toMatchObject({ detail, errors: [{ code, text: 'why' }] });
});

describe('the data of each type', () => {
  const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

  it.each([
    ['A', Buffer.from([192, 0, 2, 1]), '192.0.2.1'],
    ['AAAA', Buffer.from('20010db8000000000000000000000025', 'hex'), '2001:db8::25'],
    ['PTR', labels('a.b', 'example'), 'a\\.b.example'],
    ['NS', wireName('ns.example.org'), 'ns.example.org'],
    [
      'MX',
      Buffer.concat([u16(10), wireName('mx.example.org')]),
      { preference: 10, exchange: 'mx.example.org' },
    ],
    ['MX', Buffer.concat([u16(0), wireName('')]), { preference: 0, exchange: '' }],
    [
      'SRV',
      Buffer.concat([u16(1), u16(2), u16(3), wireName('t.example.org')]),
      { priority: 1, weight: 2, port: 3, target: 't.example.org' },
    ],
    ['TXT', Buffer.from('\x03v=s\x02pf\x00', 'latin1'), 'v=spf'],
    ['TXT', Buffer.from('\x02\xe4\x00', 'latin1'), '\xe4\0'],
    ['SOA', soaData(1), { mname: 'ns.example.org' }],
  ] as const)('%s', (type, data, record) => {
    expect(read({ answers: [rr(NAME, TYPE[type], data)] }, type)).toMatchObject({ records: [record] });
  });

  it.each([
    ['A', Buffer.from([192, 0, 2])],
    ['AAAA', Buffer.alloc(4)],
    ['PTR', Buffer.concat([wireName('a.test'), Buffer.from([1])])],
    ['MX', Buffer.from([1])],
    ['SRV', Buffer.from([0, 1, 0, 2])],
    ['TXT', Buffer.from([5, 0x61])],
  ] as const)('%s that is not what it should be is refused', (type, data) => {
    expect(() => read({ answers: [rr(NAME, TYPE[type], data)] }, type)).toThrow(MessageError);
  });
});

function soaData(minimum: number): Buffer {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(minimum, 16);
  return Buffer.concat([wireName('ns.example.org'), wireName('hostmaster.example.org'), numbers]);
}
