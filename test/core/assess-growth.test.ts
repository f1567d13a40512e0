/**
 * The whole assessment of what a stranger has published: twice as much of it costs at most twice as many
 * steps, and the number of questions is bounded. Steps are counted, not timed: questions asked, and records
 * looked at.
 */
import { expect, it } from 'vitest';
import { assess } from '../../src/core/assess.ts';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import type { Answer, RecordType, Resolver } from '../../src/core/resolver.ts';

type Records = Partial<Record<RecordType, readonly unknown[]>>;
/** The answer to every question about a name. */
type Hostile = (size: number) => (name: string) => Records;

const list = <T>(size: number, make: (i: number) => T): T[] =>
  Array.from({ length: size }, (_, i) => make(i));
const address = (i: number): string => `203.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;

const CASES: readonly [title: string, hostile: Hostile][] = [
  [
    'addresses',
    (size) => () => ({ A: list(size, address), AAAA: list(size, (i) => `2001:db8::${i.toString(16)}`) }),
  ],
  ['texts', (size) => () => ({ A: ['203.0.113.1'], TXT: list(size, (i) => `v=spf${i} ip4:`) })],
  ['SPF records', (size) => () => ({ A: ['203.0.113.1'], TXT: list(size, () => 'v=spf1 a mx ptr ~all') })],
  [
    'networks in SPF',
    (size) => () => ({ A: ['203.0.113.1'], TXT: [`v=spf1 ${'ip4:203.0.113.1 '.repeat(size)}-all`] }),
  ],
  [
    'questions in SPF',
    (size) => (name) => ({
      A: list(size, address),
      TXT: [
        `v=spf1 ${list(size, (i) => `include:i${i}.${name.slice(-40)}`).join(' ')} a:%{i}.${name.slice(-40)} ?all`,
      ],
    }),
  ],
  [
    'exchangers in SPF',
    (size) => () => ({
      A: list(size, address),
      MX: list(size, (i) => ({ preference: i, exchange: `mx${i}.sender.org` })),
      TXT: ['v=spf1 mx mx:a.org mx:b.org ptr -all'],
    }),
  ],
  [
    'reverse names',
    (size) => () => ({ A: list(size, address), PTR: list(size, (i) => `host${i}.sender.org`) }),
  ],
  [
    'services',
    (size) => () => ({
      A: list(size, address),
      SRV: list(size, (i) => ({ priority: 1, weight: 2, port: i, target: `csa${i}.sender.org` })),
    }),
  ],
  ['_auth records', (size) => () => ({ A: ['203.0.113.1'], TXT: [`v=auth1 ${'helo=A '.repeat(size)}`] })],
];

/** The records of an answer, each look at one counted. */
function counted<T extends object>(records: T, step: () => void): T {
  return new Proxy(records, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) step();
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
}

async function work(hostile: (name: string) => Records): Promise<{ questions: number; steps: number }> {
  let [questions, steps] = [0, 0];
  const resolver: Resolver = {
    lookup: <T extends RecordType>(name: string, type: T) => {
      questions++;
      const records = hostile(name)[type];
      const answer =
        records === undefined
          ? { status: 'nodata', ttl: null }
          : { status: 'found', records: counted(records, () => steps++), ttl: 60 };
      return Promise.resolve(answer as Answer<T>);
    },
  };
  await assess(makeClient('192.0.2.1', 'mail.sender.org'), {
    resolver,
    checks,
    onCheckError: (check, error) => {
      throw new Error(check, { cause: error });
    },
  });
  return { questions, steps: questions + steps };
}

it.each(CASES)('%s', async (_, hostile) => {
  const sizes = [128, 256, 512];
  const done = await Promise.all(sizes.map((size) => work(hostile(size))));
  // RFC 7208 §4.6.4 allows ten terms that ask DNS, with ten names each; each check adds a handful.
  for (const { questions } of done) expect(questions).toBeLessThan(150);
  for (const [i, { steps }] of done.slice(1).entries())
    expect(steps).toBeLessThanOrEqual(2 * (done[i]?.steps ?? 0));
});
