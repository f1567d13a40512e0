import { decode, encode, type MxAnswer, type SrvAnswer, type StringAnswer, type TxtAnswer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RECORDS, type RecordType } from '../../src/core/resolver.ts';
import { decodeResponse, encodeQuery, idOf, setId, TYPE } from '../../src/dns/message.ts';
import { MessageError } from '../../src/dns/name.ts';
import { decodeRecord } from '../../src/dns/records.ts';
import { a, cname, extendedError, message, opt, question, rr } from '../support/dns-bytes.ts';

const ASKED = question('mail.example.org', 1);

describe('a query', () => {
  it.each([
    [{ edns: true, trustAd: true }, true, true],
    [{ edns: true, trustAd: false }, true, false],
    [{ edns: false, trustAd: false }, false, false],
  ])('with %j is what another decoder reads', (options, edns, ad) => {
    const query = encodeQuery({ name: 'mail.example.org', type: 28 }, options);
    setId(query, 4711);
    expect(idOf(query)).toBe(4711);
    const read = decode(query);
    expect(read).toMatchObject({
      id: 4711,
      type: 'query',
      flag_rd: true,
      flag_ad: ad,
      questions: [{ name: 'mail.example.org', type: 'AAAA', class: 'IN' }],
    });
    expect(read.additionals).toHaveLength(edns ? 1 : 0);
    if (edns) expect(read.additionals?.[0]).toMatchObject({ type: 'OPT', udpPayloadSize: 1232 });
  });
});

describe('a response', () => {
  it('is read in all its parts', () => {
    const bytes = message({
      id: 7,
      flags: 0x81a0 | 3,
      question: ASKED,
      answers: [cname('mail.example.org', 'a.example.org', 60), a('a.example.org', '192.0.2.1', 0x8000_0000)],
      additionals: [opt([extendedError(22, 'no reachable authority\0'), [10, Buffer.alloc(8)]])],
    });
    expect(decodeResponse(bytes)).toMatchObject({
      id: 7,
      truncated: false,
      authenticated: true,
      rcode: 3,
      question: { name: 'mail.example.org', type: 1 },
      answers: [
        { owner: 'mail.example.org', type: 5, ttl: 60 },
        // RFC 2181 §8.
        { owner: 'a.example.org', type: 1, ttl: 0 },
      ],
      authorities: [],
      errors: [{ code: 22, text: 'no reachable authority' }],
    });
  });

  it('has the upper bits of its code in EDNS', () => {
    expect(decodeResponse(message({ question: ASKED, additionals: [opt([], 1)] })).rcode).toBe(16);
  });

  it('that is cut short is not read any further', () => {
    const cut = message({ flags: 0x8380, question: ASKED, counts: [1, 9, 0, 0] });
    expect(decodeResponse(cut)).toMatchObject({ truncated: true, answers: [] });
  });

  it('leaves out records of other classes, and options that run over the end', () => {
    const odd = rr('mail.example.org', 1, Buffer.from([192, 0, 2, 1]), { klass: 3 });
    const broken = Buffer.concat([opt([]).subarray(0, -2), Buffer.from([0, 5, 0, 15, 0, 99, 1])]);
    expect(decodeResponse(message({ question: ASKED, answers: [odd], additionals: [broken] }))).toMatchObject(
      {
        answers: [],
        errors: [],
      },
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(11)],
    ['a query', message({ flags: 0x0100, question: ASKED })],
    ['a response to something else', message({ flags: 0x8180 | 0x2800, question: ASKED })],
    ['two questions', message({ question: Buffer.concat([ASKED, ASKED]), counts: [2, 0, 0, 0] })],
    ['a question cut off', message({ question: ASKED.subarray(0, -1) })],
    ['a question of another class', message({ question: question('mail.example.org', 1, 3) })],
    ['fewer answers than it counts', message({ question: ASKED, counts: [1, 1, 0, 0] })],
    ['65,535 answers and no byte of them', message({ question: ASKED, counts: [1, 65_535, 65_535, 65_535] })],
    ['a record cut off', message({ question: ASKED, answers: [a('a.test', '192.0.2.1').subarray(0, -1)] })],
    ['a name that points forward', message({ question: ASKED, answers: [Buffer.from([0xc1, 0xff, 0, 1])] })],
  ])('is refused: %s', (_, bytes) => {
    expect(() => decodeResponse(bytes)).toThrow(MessageError);
  });

  it('is read up to what a check gets to see, and the rest is skipped', () => {
    // 127 labels each: the most that a name can have.
    const long = Array.from({ length: 127 }, () => 'A').join('.');
    const bytes = message({
      question: question(long, TYPE.A),
      answers: Array.from({ length: 3000 }, () => a(long, '192.0.2.1')),
      additionals: [opt([extendedError(6, 'bogus')])],
    });
    const { answers, errors } = decodeResponse(bytes);
    expect(answers).toHaveLength(MAX_RECORDS + 1);
    expect(answers[0]?.owner).toBe(long.toLowerCase());
    expect(errors).toEqual([{ code: 6, text: 'bogus' }]);
  });

  it('of any bytes is read or refused', () => {
    const whole = message({
      question: ASKED,
      answers: [cname('mail.example.org', 'a.example.org'), a('a.example.org', '192.0.2.1')],
      additionals: [opt([extendedError(6, 'bogus')])],
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, octet] of changes) bytes[at] = octet;
        try {
          decodeResponse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a response to a query at hand', () => {
  const asked = { name: 'mail.example.org', type: TYPE.A };
  const repeated = [a('mail.example.org', '192.0.2.1'), a('b.test', '192.0.2.2')];

  it('has the question itself where it repeats that octet by octet, and only there', () => {
    for (const edns of [true, false]) {
      const query = encodeQuery(asked, { edns, trustAd: false });
      const questionIn = (bytes: Buffer): unknown => decodeResponse(bytes, asked, query).question;
      expect(questionIn(message({ question: ASKED, answers: repeated }))).toBe(asked);
      for (const other of [
        question('MAIL.example.org', 1),
        question('mail.example.org', 28),
        question('mail.example.or', 1),
      ]) {
        const told = questionIn(message({ question: other, answers: repeated }));
        expect(told).not.toBe(asked);
        expect(told).toEqual(decodeResponse(message({ question: other, answers: repeated })).question);
      }
      expect(questionIn(message({ question: null }))).toBeNull();
    }
  });

  it('says what it says without', () => {
    const query = encodeQuery(asked, { edns: true, trustAd: false });
    const whole = message({ question: ASKED, answers: repeated, additionals: [opt([])] });
    const told = (...given: Parameters<typeof decodeResponse>): unknown => {
      try {
        return decodeResponse(...given);
      } catch (error) {
        return error instanceof MessageError ? error.message : error;
      }
    };
    const octet = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 3 }), fc.nat(whole.length), (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        for (const each of [bytes, bytes.subarray(0, length)])
          expect(told(each, asked, query)).toEqual(told(each));
      }),
    );
  });
});

describe('what another library wrote', () => {
  const label = fc.stringMatching(/^[a-zA-Z0-9_@+-]{1,20}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
  const ttl = fc.nat(0x7fff_ffff);
  const u16 = fc.nat(0xffff);
  const octets = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
  const record: fc.Arbitrary<StringAnswer | MxAnswer | SrvAnswer | TxtAnswer> = fc.oneof(
    fc.record({ name, ttl, type: fc.constant('A' as const), data: octets.map((four) => four.join('.')) }),
    fc.record({
      name,
      ttl,
      type: fc.constantFrom('PTR' as const, 'NS' as const, 'CNAME' as const),
      data: name,
    }),
    fc.record({
      name,
      ttl,
      type: fc.constant('MX' as const),
      data: fc.record({ preference: u16, exchange: name }),
    }),
    fc.record({
      name,
      ttl,
      type: fc.constant('SRV' as const),
      data: fc.record({ priority: u16, weight: u16, port: u16, target: name }),
    }),
    fc.record({
      name,
      ttl,
      type: fc.constant('TXT' as const),
      data: fc.array(fc.stringMatching(/^[ -~]{1,60}$/), { minLength: 1, maxLength: 4 }),
    }),
  );

  it('is read alike, record by record', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), u16, (answers, id) => {
        const bytes = encode({
          type: 'response',
          id,
          questions: [{ type: 'A', name: 'mail.example.org' }],
          answers,
        });
        const read = decodeResponse(bytes);
        expect(read.id).toBe(id);
        expect(read.question).toEqual({ name: 'mail.example.org', type: 1 });
        expect(
          read.answers.map((each, i) => {
            const type = (answers[i]?.type ?? 'A') as RecordType;
            expect(each.type).toBe(TYPE[type]);
            return { name: each.owner, ttl: each.ttl, type, data: decodeRecord(type, bytes, each) };
          }),
        ).toEqual(
          answers.map((each) => ({
            ...each,
            name: each.name.toLowerCase(),
            data: each.type === 'TXT' ? [each.data].flat().join('') : each.data,
          })),
        );
      }),
    );
  });
});
