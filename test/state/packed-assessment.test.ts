/** What is packed comes out as it went in, and what assessments have in common is kept once, and bounded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import type { Answer, RecordType, Resolver } from '../../src/core/resolver.ts';
import { AssessmentPacker } from '../../src/state/packed-assessment.ts';

const ROOM = 1024 * 1024;

/** Answers are drawn for each question anew. */
function assessed(
  ip: string,
  helo: string,
  answer: (name: string, type: RecordType) => unknown,
): Promise<Assessment> {
  const resolver = {
    lookup: (name: string, type: RecordType) => Promise.resolve(answer(name, type) as Answer<RecordType>),
  } as Resolver;
  return assess(makeClient(ip, helo), { resolver, checks, onCheckError: () => undefined });
}

/** A host that is in order, the i-th. */
function host(i: number): Promise<Assessment> {
  const name = `mail.c${i}.org`;
  return assessed(`192.0.2.${i}`, name, (asked, type) => {
    const records = { A: [`192.0.2.${i}`], PTR: [name], TXT: ['v=spf1 a -all'] }[type as string];
    if (records === undefined || asked.startsWith('_')) return { status: 'nxdomain', ttl: 60 + i };
    return { status: 'found', records, ttl: 300 + i };
  });
}

const text = fc.oneof(
  fc.constantFrom('192.0.2.7', 'mail.c7.org', 'v=spf1 a -all', 'v=spf1 include:_spf.c7.org ~all', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('a\0b', '\0', '_auth.c7.org', '_._._x', '€', 'method=none'),
);
const remarks = fc.record(
  {
    authenticated: fc.constant(true),
    alias: text,
    errors: fc.array(fc.record({ code: fc.nat(30), text }), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const status = fc.oneof(
  fc.record({ status: fc.constant('found'), texts: fc.array(text, { maxLength: 12 }), ttl: fc.nat() }),
  fc.record({ status: fc.constantFrom('nodata', 'nxdomain'), ttl: fc.option(fc.nat()) }),
  fc.record({ status: fc.constant('temperror'), detail: fc.constantFrom('timeout', 'servfail', 'overload') }),
);

/** The records of an answer in the form of their type. */
function recordsOf(type: RecordType, texts: readonly string[]): readonly unknown[] {
  if (type === 'MX') return texts.map((exchange, preference) => ({ preference, exchange }));
  if (type === 'SRV') return texts.map((target) => ({ priority: 1, weight: 2, port: 0, target }));
  return texts;
}

describe('AssessmentPacker', () => {
  it('gives back what it packed', async () => {
    const helo = fc.constantFrom(
      'mail.c7.org',
      'MAIL.c7.Org.',
      '[192.0.2.7]',
      'c7',
      'a b',
      '',
      '192.0.2.7',
      'no\0name',
    );
    const ip = fc.constantFrom('192.0.2.7', '2001:db8::7', '2002:c000:207::1');
    const answers = fc.array(fc.tuple(status, remarks), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(helo, ip, answers, async (said, from, drawn) => {
        let turn = 0;
        const assessment = await assessed(from, said, (_, type) => {
          const [answer, told] = drawn[turn++ % drawn.length] ?? [];
          if (answer !== undefined && 'texts' in answer)
            return { status: 'found', ttl: answer.ttl, records: recordsOf(type, answer.texts), ...told };
          return { ...answer, ...told };
        });
        const { client } = assessment;
        if (client.ip === null) throw new Error('no address');
        const { packed } = new AssessmentPacker().pack(assessment, ROOM);
        const whole = packed.whole(client.ip);
        expect(whole).toStrictEqual(assessment);
        // Whoever writes it out writes the same.
        expect(JSON.stringify(whole)).toBe(JSON.stringify(assessment));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps once what hosts in order have in common, as long as one is kept', async () => {
    const packer = new AssessmentPacker();
    const hosts = await Promise.all(Array.from({ length: 20 }, (_, i) => host(i)));
    const kept = hosts.map((each) => packer.pack(each, ROOM));
    const [first] = kept;
    const alone = new AssessmentPacker();
    alone.pack(await host(1), ROOM);
    expect(packer.bytes).toBe(alone.bytes);
    for (const { bytes } of kept) expect(bytes).toBeLessThan(300);
    for (const { packed } of kept.slice(1)) packed.release();
    expect(packer.bytes).toBe(alone.bytes);
    first?.packed.release();
    expect(packer.bytes).toBe(0);
  });

  it('counts to the assessment what finds no room among the shared', async () => {
    const packer = new AssessmentPacker();
    const usual = await host(1);
    const room = new AssessmentPacker();
    room.pack(usual, ROOM);
    packer.pack(usual, room.bytes);
    const odd = await assessed('192.0.2.9', 'mail.c9.org', () => ({
      status: 'temperror',
      detail: 'timeout',
    }));
    const { packed, bytes } = packer.pack(odd, room.bytes);
    expect(packer.bytes).toBe(room.bytes);
    expect(bytes).toBeGreaterThan(1000);
    packed.release();
    expect(packer.bytes).toBe(room.bytes);
  });
});

describe('the name of a packed assessment', () => {
  const named = async (said: string): Promise<(name: string) => boolean> => {
    const assessment = await assessed('192.0.2.7', said, () => ({ status: 'nxdomain', ttl: 60 }));
    const { packed } = new AssessmentPacker().pack(assessment, ROOM);
    return (name) => packed.isNamed(name);
  };

  it.each([
    ['mail.c7.org', 'mail.c7.org', true],
    ['Mail.C7.ORG', 'mail.c7.org', true],
    ['mail.c7.org', 'mail.c7.or', false],
    ['mail.c7.org', 'mail.c7.org.', false],
    ['mail.c7.org', '', false],
    ['', '', true],
    ['', 'mail.c7.org', false],
    // What follows it in the packed texts is no part of it.
    ['mail', 'mail\x00192.0.2.7', false],
    ['a\0b', 'a', false],
    ['a\0B', 'a\0b', true],
  ])('%j is found under %j: %s', async (said, name, found) => {
    expect((await named(said))(name)).toBe(found);
  });

  it('is what was said in HELO, in lower case, and nothing else', async () => {
    const helo = fc.string({ unit: fc.constantFrom('a', 'A', '.', '\0', '1', '\xc9'), maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(helo, helo, async (said, other) => {
        const isNamed = await named(said);
        expect(isNamed(said.toLowerCase())).toBe(true);
        expect(isNamed(other.toLowerCase())).toBe(other.toLowerCase() === said.toLowerCase());
      }),
    );
  });
});
