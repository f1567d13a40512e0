/** The cache takes as much memory as it says, whoever fills it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { assessmentBytes } from '../../src/state/assessment-size.ts';
import { AssessmentCache } from '../../src/state/cache.ts';
import { keptAsItIs } from '../support/kept-as-it-is.ts';
import { AssessmentPacker } from '../../src/state/packed-assessment.ts';
import { assess } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import type { RecordData, RecordType, Resolver } from '../../src/core/resolver.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** As an answer from the wire: a string of its own, with nothing shared. */
function wire(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

type Answers = { readonly [T in RecordType]?: (name: string) => RecordData[T][] };

function resolverOf(answers: Answers): Resolver {
  return {
    lookup: (name, type) => {
      const records = answers[type]?.(name) ?? [];
      return Promise.resolve(
        records.length === 0 ? { status: 'nxdomain', ttl: null } : { status: 'found', records, ttl: 300 },
      );
    },
  };
}

const chain = (name: string, size: number): string => {
  const link = Number(/^l(\d+)\./.exec(name)?.[1] ?? 0);
  const tail = link < 10 ? ` include:l${link + 1}.${name.replace(/^l\d+\./, '')}` : ' -all';
  return `v=spf1 ${'ip4:203.0.113.1 '.repeat(Math.floor((size - 100) / 16))}${tail}`;
};

const KINDS: Readonly<Record<string, Answers>> = {
  'a usual sender': {
    A: (name) => [wire(`198.51.${Number(/\d+/.exec(name)?.[0] ?? 0) & 255}.7`)],
    PTR: (name) => [wire(`mail${name.length}.${name}`)],
    TXT: (name) => (name.startsWith('_') ? [] : [wire('v=spf1 a mx ip4:198.51.100.0/24 -all')]),
  },
  'nothing at all': {},
  'SPF of ten records as long as may be': {
    TXT: (name) => (name.startsWith('_') ? [] : [wire(chain(name, 4500))]),
  },
  'SPF of ten records of 61 kB': { TXT: (name) => [wire(chain(name, 61_000))] },
  'hundreds of texts': {
    TXT: (name) => Array.from({ length: 200 }, (_, i) => wire(`${'t'.repeat(50)}${i} of ${name}`)),
  },
  'names of 250 octets everywhere': {
    A: () => Array.from({ length: 400 }, (_, i) => wire(`10.0.${i >> 8}.${i & 255}`)),
    PTR: (name) =>
      Array.from({ length: 100 }, (_, i) =>
        wire(`${`${'p'.repeat(59)}.`.repeat(3)}${i}.${name.slice(0, 50)}`),
      ),
    MX: (name) => Array.from({ length: 50 }, (_, i) => ({ preference: i, exchange: wire(`${i}.${name}`) })),
    SRV: (name) =>
      Array.from({ length: 50 }, (_, i) => ({
        priority: 1,
        weight: 2,
        port: 0,
        target: wire(`${i}.${name}`),
      })),
    TXT: (name) => (name.startsWith('_') ? [] : [wire('v=spf1 ?mx ?a ?ptr ?exists:%{h}.%{d}.x.org ?all')]),
  },
};

/** Addresses of one block, or each in a block of its own. */
const ADDRESSES: readonly (readonly [string, (i: number) => string])[] = [
  ['of one IPv4 block', (i) => `198.51.${i >> 8}.${i & 255}`],
  ['of IPv4 blocks of their own', (i) => `${11 + (i & 127)}.${i >> 7}.0.7`],
  ['of IPv6 blocks of their own', (i) => `2001:${i.toString(16)}:1:1::7`],
];

/**
 * What a measurement fills the cache with, in bytes as the cache counts them. Compiled code and the like come
 * and go by some hundred kilobytes, more so with coverage: against this they are small.
 */
const FILLING = 2 * 1024 * 1024;

/** Unpacked, the address makes no difference. */
const CASES = Object.entries(KINDS).flatMap(([kind, answers]) => [
  ...ADDRESSES.map(([where, address]) => [kind, where, 'packed', address, answers] as const),
  ...ADDRESSES.slice(0, 1).map(([where, address]) => [kind, where, 'unpacked', address, answers] as const),
]);

describe('the estimate of what the cache takes', () => {
  it.each(CASES)(
    'is within a half of the truth: %s, %s, %s',
    async (_kind, _addresses, form, address, answers) => {
      const cache = new AssessmentCache<Assessment>({
        limits: () => ({ maxClients: 1_000_000, maxBytes: 1024 ** 3 }),
        maxNamesPerClient: 16,
        packing: form === 'packed' ? new AssessmentPacker() : keptAsItIs(assessmentBytes),
        lifeMs: () => 1000,
        now: () => 0,
      });
      const resolver = resolverOf(answers);
      let clients = 0;
      const fill = async (bytes: number): Promise<void> => {
        for (const until = cache.bytes + bytes; cache.bytes < until; clients++) {
          const helo = wire(`mail${clients}.sender.org`);
          const made = makeClient(wire(address(clients)), helo);
          if (made.ip === null) throw new Error('no address');
          const found = cache.lookup(made.ip, helo, () =>
            assess(made, { resolver, checks, onCheckError: () => undefined }),
          );
          if (found.cache !== 'hit') await found.pending;
        }
      };
      const measured = async (bytes: number): Promise<number> => {
        collect();
        collect();
        const before = { heap: process.memoryUsage().heapUsed, told: cache.bytes };
        await fill(bytes);
        collect();
        collect();
        return (cache.bytes - before.told) / (process.memoryUsage().heapUsed - before.heap);
      };
      const isWithin = (ratio: number): boolean => ratio > 1 / 1.5 && ratio < 1.5;
      // Warm-up: what is allocated once, and compiled code, does not count.
      await fill(FILLING);
      // The compiler may take, or give back, memory of its own at any time: what is wrong stays wrong, and
      // the more there is of it, the less the compiler counts.
      const ratios: number[] = [];
      while (ratios.length < 3 && !ratios.some(isWithin))
        ratios.push(await measured(FILLING * 2 ** ratios.length));
      expect(cache.size).toBe(clients);
      expect(ratios.some(isWithin), `told / taken: ${ratios.join(', ')}`).toBe(true);
    },
    120_000,
  );
});
