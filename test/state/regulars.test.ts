/** Who is known by their mail, and who cannot be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../src/core/client-networks.ts';
import { type IpAddress, parseIp } from '../../src/core/ip.ts';
import { KNOWN_DAYS, Regulars } from '../../src/state/regulars.ts';
import { parseRegulars, regularsText } from '../../src/state/regulars-text.ts';

const DAY = 86_400_000;
const ip = (text: string): IpAddress => parseIp(text) ?? expect.fail(text);
const A = ip('192.0.2.25');
const NAME = 'mail.example.org';

function known({ limit = { messages: 3, days: 2 }, width = { 4: 32, 6: 64 }, most = 50_000 } = {}): {
  regulars: Regulars;
  clock: { day: number };
} {
  const clock = { day: 100 };
  return {
    clock,
    regulars: new Regulars(
      () => limit,
      () => width,
      () => clock.day * DAY,
      most,
    ),
  };
}

it('takes so many messages on so many days', () => {
  const { regulars, clock } = known();
  const seen: boolean[] = [];
  for (const day of [100, 100, 100, 100, 101]) {
    clock.day = day;
    regulars.learn(A, NAME);
    seen.push(regulars.has(A, NAME));
  }
  expect(seen).toEqual([false, false, false, false, true]);
  expect(regulars.has(A, 'Mail.Example.ORG.')).toBe(true);
  expect(regulars.list()).toEqual([
    { client: '192.0.2.25/32', helo: NAME, messages: 5, days: 2, firstDay: 100, lastDay: 101 },
  ]);
});

it('needs the messages too, and forgets whoever is heard of no more', () => {
  const { regulars, clock } = known();
  regulars.learn(A, NAME);
  clock.day = 101;
  regulars.learn(A, NAME);
  expect(regulars.has(A, NAME)).toBe(false);
  regulars.learn(A, NAME);
  clock.day = 101 + KNOWN_DAYS;
  expect(regulars.has(A, NAME)).toBe(true);
  clock.day++;
  expect(regulars.has(A, NAME)).toBe(false);
  expect(regulars.list()).toEqual([]);
  // It begins anew.
  regulars.learn(A, NAME);
  expect(regulars.list()).toMatchObject([{ messages: 1, days: 1 }]);
});

it('a clock that is set back makes no new days', () => {
  const { regulars, clock } = known();
  for (const day of [100, 99, 98, 100]) {
    clock.day = day;
    regulars.learn(A, NAME);
  }
  expect(regulars.list()).toMatchObject([{ messages: 4, days: 1 }]);
});

it('nobody is regular while the option is off, and nothing is learned', () => {
  const regulars = new Regulars(
    () => null,
    () => ({ 4: 32, 6: 64 }),
    () => 0,
  );
  regulars.learn(A, NAME);
  expect([regulars.size, regulars.has(A, NAME)]).toEqual([0, false]);
});

it.each([
  ['2001:db8::1', '2001:db8::ffff', '2001:db8:0:1::1', { 4: 32, 6: 64 }],
  ['2001:db8::1', '2001:db8:0:ff::1', '2001:db8:1::1', { 4: 32, 6: 48 }],
  ['192.0.2.1', '192.0.2.254', '192.0.3.1', { 4: 24, 6: 64 }],
])('%s is the same client as %s, and %s is another', (own, same, other, width) => {
  const { regulars } = known({ limit: { messages: 1, days: 1 }, width });
  regulars.learn(ip(own), NAME);
  expect([regulars.has(ip(same), NAME), regulars.has(ip(other), NAME)]).toEqual([true, false]);
});

const address = fc.oneof(
  fc
    .tuple(fc.constantFrom('192.0.2', '198.51.100', '203.0.113'), fc.integer({ min: 0, max: 255 }))
    .map(([net, host]) => `${net}.${host}`),
  fc
    .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 1, max: 9 }))
    .map(([net, host]) => `2001:db8:0:${net.toString(16)}::${host}`),
);

it('a forger from another address, in the same /24 or elsewhere, never profits, whatever else it sends', () => {
  fc.assert(
    fc.property(
      address,
      address,
      fc.array(fc.constantFrom(NAME, 'x.example.net', '')),
      (host, forger, tries) => {
        const [own, other] = [ip(host), ip(forger)];
        fc.pre(
          own.text !== other.text &&
            (own.family === 4 || networkOf(own, 'network') !== networkOf(other, 'network')),
        );
        const { regulars, clock } = known();
        // One message of the forger got in before anybody was careful.
        regulars.learn(other, NAME);
        for (let day = 0; day < 9; day++) {
          clock.day++;
          for (let i = 0; i < 3; i++) regulars.learn(own, NAME);
        }
        for (const helo of tries) if (helo !== NAME) regulars.learn(other, helo);
        expect(regulars.has(own, NAME)).toBe(true);
        expect(regulars.has(other, NAME)).toBe(false);
      },
    ),
  );
});

describe('is bounded', () => {
  it('and the greediest block gives up first, so that no flood displaces others', () => {
    const { regulars, clock } = known({ limit: { messages: 2, days: 2 }, most: 80 });
    for (const day of [100, 101]) {
      clock.day = day;
      for (let i = 0; i < 20; i++) regulars.learn(ip(`198.${i}.100.1`), NAME);
    }
    for (let i = 0; i < 1000; i++) regulars.learn(ip(`203.0.${i % 4}.${i % 256}`), `x${i}.example.net`);
    for (let block = 0; block < 100; block++) {
      for (let i = 0; i < 12; i++) regulars.learn(ip(`2001:db${block}:0:${i}::1`), `x${i}.example.net`);
    }
    expect(regulars.size).toBeLessThanOrEqual(80);
    for (let i = 0; i < 20; i++) expect(regulars.has(ip(`198.${i}.100.1`), NAME)).toBe(true);
  });

  it('and within a network those known least go first', () => {
    const { regulars, clock } = known({ limit: { messages: 2, days: 2 }, most: 80 });
    for (const day of [100, 101]) {
      clock.day = day;
      regulars.learn(ip('203.0.113.5'), NAME);
    }
    for (let i = 0; i < 1000; i++) regulars.learn(ip('203.0.113.6'), `x${i}.example.net`);
    expect(regulars.has(ip('203.0.113.5'), NAME)).toBe(true);
    expect(regulars.size).toBe(10);
  });

  it('and learns no name that no host has', () => {
    const { regulars } = known();
    regulars.learn(A, '');
    regulars.learn(A, 'x'.repeat(256));
    expect(regulars.size).toBe(0);
  });
});

describe('as text', () => {
  const entry = fc
    .record({
      client: address.map((text) => `${text}/${text.includes(':') ? 64 : 32}`),
      helo: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      days: fc.integer({ min: 1, max: 50 }),
      more: fc.nat(100),
      firstDay: fc.integer({ min: 60, max: 90 }),
      length: fc.nat(10),
    })
    .map(({ client, helo, days, more, firstDay, length }) => ({
      client,
      helo,
      messages: days + more,
      days,
      firstDay,
      lastDay: firstDay + length,
    }));

  it('is read back as it was, whatever the names are', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        expect(parseRegulars(regularsText(entries))).toEqual({ known: entries });
      }),
    );
  });

  it('is never taken for whole where it is cut, and its cut head for nobody’s', () => {
    const text = regularsText([
      { client: '192.0.2.25/32', helo: NAME, messages: 5, days: 2, firstDay: 1, lastDay: 2 },
      { client: '192.0.2.26/32', helo: NAME, messages: 5, days: 2, firstDay: 1, lastDay: 2 },
    ]);
    for (let end = 0; end < text.length; end++)
      expect(parseRegulars(text.slice(0, end))).toHaveProperty('fault');
    const head = text.indexOf('\n') + 1;
    expect(parseRegulars(text.slice(0, head + 5))).toMatchObject({
      ours: true,
      fault: 'it has 0 of 2 entries',
    });
  });

  it.each([
    ['', false],
    ['root:x:0:0::/root:/bin/sh\n', false],
    ['{"format":"other"}\n', false],
    ['null\n', false],
    ['{"format":"helo-milter-regulars","version":2,"entries":0}\n', false],
    ['{"format":"helo-milter-regulars","version":1,"entries":1}\n["192.0.2.1/32","x",1,2,3,4]\n', true],
    ['{"format":"helo-milter-regulars","version":1,"entries":1}\n["192.0.2.1/32","x",2,1,-3,4]\n', true],
    ['{"format":"helo-milter-regulars","version":1,"entries":1}\n["nobody","x",2,1,3,4]\n', true],
  ])('%j is none', (text, ours) => {
    expect(parseRegulars(text)).toMatchObject({ ours });
  });

  it('restores what can be, within bounds', () => {
    const { regulars } = known({ most: 8 });
    regulars.restore([
      { client: '192.0.2.25/32', helo: NAME, messages: 5, days: 2, firstDay: 90, lastDay: 100 },
      { client: '192.0.2.26/32', helo: NAME, messages: 5, days: 2, firstDay: 90, lastDay: 101 },
      { client: '192.0.2.27/32', helo: NAME, messages: 5, days: 2, firstDay: 1, lastDay: 2 },
    ]);
    expect(regulars.list().map(({ client }) => client)).toEqual(['192.0.2.25/32']);
    expect(regulars.has(A, NAME)).toBe(true);
  });
});
