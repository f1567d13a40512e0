import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AssessmentCache,
  type CacheLimits,
  type CacheLookup,
  type CacheOptions,
} from '../../src/state/cache.ts';
import { HELD_BYTES } from '../../src/state/cache-members.ts';
import { NAME_BYTES } from '../../src/state/cache-table.ts';
import { type IpAddress, parseIp } from '../../src/core/ip.ts';
import { keptAsItIs } from '../support/kept-as-it-is.ts';

/** `h7` is the seventh client, in a block of its own; anything else is an address. */
function client(text: string): IpAddress {
  const n = /^h(\d+)$/.exec(text)?.[1];
  const ip = parseIp(n === undefined ? text : `${11 + (Number(n) & 127)}.${Number(n) >> 7}.0.1`);
  if (ip === null) throw new Error(`${text} is no address`);
  return ip;
}

const A = client('192.0.2.1');

const LIMITS: CacheLimits = { maxClients: 10, maxBytes: 64 * 1024 * 1024 };
const OPTIONS: CacheOptions<string> = {
  limits: () => LIMITS,
  maxNamesPerClient: 3,
  packing: keptAsItIs(() => 100),
  lifeMs: (value) => (value.endsWith('!') ? 0 : 1000),
  now: () => 0,
};

function cache({
  maxClients,
  maxBytes,
  sizeOf = () => 100,
  ...options
}: Partial<CacheOptions<string> & CacheLimits & { sizeOf: () => number }> = {}): {
  get: (ip: string, name: string) => CacheLookup<string>;
  ask: (ip: string, name: string) => Promise<string>;
  loads: string[];
  clock: { now: number };
  made: AssessmentCache<string>;
} {
  const clock = { now: 0 };
  const loads: string[] = [];
  const limits = {
    maxClients: maxClients ?? LIMITS.maxClients,
    maxBytes: maxBytes ?? LIMITS.maxBytes,
  };
  const made = new AssessmentCache<string>({
    ...OPTIONS,
    packing: keptAsItIs(sizeOf),
    limits: () => limits,
    now: () => clock.now,
    ...options,
  });
  const get = (ip: string, name: string): CacheLookup<string> =>
    made.lookup(client(ip), name, () => {
      loads.push(`${ip} ${name}`);
      return Promise.resolve(`${ip}=${name}`);
    });
  return {
    get,
    ask: async (ip, name) => {
      const found = get(ip, name);
      const value = found.cache === 'hit' ? found.packed.whole(found.ip) : await found.pending;
      expect(value).toBe(`${ip}=${name}`);
      return found.cache;
    },
    loads,
    clock,
    made,
  };
}

describe('AssessmentCache', () => {
  it('answers from memory until the life is over', async () => {
    const { ask, clock } = cache();
    expect(await ask('h0', 'x')).toBe('miss');
    expect(await ask('h0', 'x')).toBe('hit');
    clock.now = 999;
    expect(await ask('h0', 'x')).toBe('hit');
    clock.now = 1000;
    expect(await ask('h0', 'x')).toBe('miss');
  });

  it('never answers for another address or name', async () => {
    const { ask } = cache();
    await ask('h0', 'x');
    expect(await ask('h0', 'y')).toBe('miss');
    expect(await ask('h1', 'x')).toBe('miss');
  });

  it('does not keep what would not be found again', async () => {
    const asItIs = keptAsItIs<string>(() => 100);
    const nameless: typeof asItIs.pack = (value, room) => {
      const made = asItIs.pack(value, room);
      made.packed.isNamed('another name');
      return made;
    };
    const { ask, made } = cache({ packing: { ...asItIs, pack: nameless } });
    expect([await ask('h0', 'x'), await ask('h0', 'x')]).toEqual(['miss', 'miss']);
    expect([made.size, made.bytes]).toEqual([0, 0]);
  });

  it('forgets all when told, and keeps nothing that began before', async () => {
    const made = new AssessmentCache<string>(OPTIONS);
    const finish: ((value: string) => void)[] = [];
    const load = (): Promise<string> => new Promise((resolve) => finish.push(resolve));
    const before = made.lookup(A, 'x', load);
    made.clear();
    // It does not join an assessment that was asked for before.
    const after = made.lookup(A, 'x', load);
    expect([before.cache, after.cache]).toEqual(['miss', 'miss']);
    finish[0]?.('old');
    expect(before.cache === 'hit' ? null : await before.pending).toBe('old');
    expect(made.lookup(A, 'x', load).cache).toBe('joined');
    finish[1]?.('new');
    expect(after.cache === 'hit' ? null : await after.pending).toBe('new');
    const kept = made.lookup(A, 'x', load);
    made.clear();
    // Whoever holds it does not depend on the cache.
    expect(kept.cache === 'hit' ? kept.packed.whole(kept.ip) : null).toBe('new');
    expect(made.size).toBe(0);
    expect(made.lookup(A, 'x', load).cache).toBe('miss');
  });

  it('shares a look-up under way', async () => {
    const { ask, loads } = cache();
    expect(await Promise.all([ask('h0', 'x'), ask('h0', 'x'), ask('h0', 'y')])).toEqual([
      'miss',
      'joined',
      'miss',
    ]);
    expect(loads).toEqual(['h0 x', 'h0 y']);
  });

  it('keeps no value whose life is nil', async () => {
    const { ask } = cache();
    await ask('h0', 'x!');
    expect(await ask('h0', 'x!')).toBe('miss');
  });

  it('forgets a look-up that failed, and hands on its error', async () => {
    const made = new AssessmentCache<string>(OPTIONS);
    const failed = made.lookup(A, 'x', () => Promise.reject(new Error('boom')));
    await expect(failed.cache === 'hit' ? null : failed.pending).rejects.toThrow('boom');
    const again = made.lookup(A, 'x', () => Promise.resolve('fine'));
    expect(again.cache).toBe('miss');
  });

  it('bounds the addresses, and keeps those in use', async () => {
    const { ask, made } = cache();
    for (let i = 0; i < 1000; i++) {
      await ask(`h${i}`, 'x');
      expect(await ask('192.0.2.1', 'x')).toBe(i === 0 ? 'miss' : 'hit');
      expect(made.size).toBeLessThanOrEqual(10);
    }
    expect(await ask('h0', 'x')).toBe('miss');
  });

  it('bounds the names of an address, and drops the one used least recently', async () => {
    const { ask } = cache();
    for (const name of ['a', 'b', 'c']) await ask('h0', name);
    await ask('h0', 'a');
    await ask('h0', 'd');
    expect(await ask('h0', 'a')).toBe('hit');
    expect(await ask('h0', 'b')).toBe('miss');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s for a name like any other',
    async (key) => {
      const { ask } = cache();
      expect(await ask('h0', key)).toBe('miss');
      expect(await ask('h0', key)).toBe('hit');
    },
  );

  it.each([
    ['addresses', { maxClients: 1000 }],
    ['bytes', { maxClients: 100_000, maxBytes: 1000 * (HELD_BYTES[4] + NAME_BYTES + 100) }],
  ])('holds nine tenths of its bound in %s, in whatever order they come', async (_, bounds) => {
    const clients = Array.from({ length: 900 }, (__, i) => `h${i}`);
    const rounds = fc.array(fc.shuffledSubarray(clients, { minLength: 1 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rounds, async (orders) => {
        const { ask, loads } = cache(bounds);
        for (const each of orders.flat()) await ask(each, 'x');
        expect(loads.length).toBe(new Set(orders.flat()).size);
      }),
      // To look for a smaller failure among orders of 900 would take minutes.
      { numRuns: 20, endOnFailure: true },
    );
  });

  it('works with room for one', async () => {
    const { ask, made } = cache({ maxClients: 1 });
    await ask('h0', 'x');
    await ask('h1', 'x');
    await ask('h2', 'x');
    expect(made.size).toBeLessThanOrEqual(2);
    expect(await ask('h2', 'x')).toBe('hit');
  });
});

const maxBytes = 1024 * 1024;

describe('the bound in bytes', () => {
  /** A network's share. */
  const share = maxBytes / 32;

  it('holds whatever comes, and keeps who comes again', async () => {
    let size = 7;
    const { ask, made } = cache({
      maxClients: 1_000_000,
      maxBytes,
      sizeOf: () => (size = (size * 7919) % 12_000),
    });
    for (let i = 0; i < 5000; i++) {
      await ask(`h${i % 3000}`, `n${i % 7}`);
      expect(await ask('192.0.2.1', 'x')).toBe(i === 0 ? 'miss' : 'hit');
      expect(made.bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(made.bytes).toBeGreaterThan(maxBytes / 4);
  });

  it.each([
    ['a /64', (i: number) => `2001:db8::${(i >> 8).toString(16)}:${(i & 255).toString(16)}`],
    ['a /24', (i: number) => `203.0.113.${i & 255}`],
  ])('lets %s push out its own only', async (_, address) => {
    const { ask, made } = cache({ maxClients: 1000, maxBytes, sizeOf: () => 5000 });
    const others = ['192.0.2.1', '2001:db8:0:1::1', ...Array.from({ length: 20 }, (__, i) => `h${i}`)];
    for (const other of others) await ask(other, 'x');
    const before = made.bytes;
    for (let i = 0; i < 2000; i++) await ask(address(i), `n${i}`);
    expect(made.bytes - before).toBeLessThanOrEqual(share);
    // Its latest entry is there; its earlier ones have made room.
    expect(await ask(address(1999), 'n1999')).toBe('hit');
    expect(await ask(address(1900), 'n1900')).toBe('miss');
    for (const other of others) expect(await ask(other, 'x')).toBe('hit');
  });

  it('keeps the addresses of a network that are asked for', async () => {
    const { ask } = cache({ maxClients: 1000, maxBytes, sizeOf: () => 5000 });
    for (let i = 0; i < 50; i++) {
      await ask(`203.0.113.${i + 2}`, 'x');
      expect(await ask('203.0.113.1', 'x')).toBe(i === 0 ? 'miss' : 'hit');
    }
  });

  it('counts the addresses of a network, too', async () => {
    const { ask, made } = cache({ maxClients: 100_000, sizeOf: () => 0 });
    for (let i = 0; i < 1000; i++) await ask(`2001:db8::${i.toString(16)}`, 'x');
    expect(made.size).toBe(256);
  });

  it('drops names of an address before its network takes more than its share', async () => {
    const { ask, made } = cache({ maxBytes, maxNamesPerClient: 16, sizeOf: () => 5000 });
    for (let i = 0; i < 16; i++) await ask('192.0.2.1', `n${i}`);
    expect(made.bytes).toBeLessThanOrEqual(share);
    expect(made.bytes).toBeGreaterThan(share / 2);
    expect(await ask('192.0.2.1', 'n15')).toBe('hit');
    expect(await ask('192.0.2.1', 'n0')).toBe('miss');
  });

  it('does not keep what is more than a share', async () => {
    const { ask, made } = cache({ maxBytes, sizeOf: () => share });
    await ask('h0', 'x');
    expect(await ask('h0', 'x')).toBe('miss');
    expect(made.bytes).toBe(0);
  });

  it('gives back what is forgotten', async () => {
    const { ask, made, clock } = cache({ maxBytes });
    await ask('h0', 'x');
    await ask('h0', 'yy');
    const both = HELD_BYTES[4] + 2 * (NAME_BYTES + 100);
    expect(made.bytes).toBe(both);
    clock.now = 1000;
    await ask('h0', 'x');
    expect(made.bytes).toBe(both);
    made.clear();
    expect([made.size, made.bytes]).toEqual([0, 0]);
  });

  it('is kept soon after it became narrower', async () => {
    const limits = { maxClients: 10_000, maxBytes: 16 * maxBytes };
    const options = { ...OPTIONS, limits: () => limits, packing: keptAsItIs<string>(() => 5000) };
    const made = new AssessmentCache<string>(options);
    const ask = async (i: number): Promise<void> => {
      const found = made.lookup(client(`h${i}`), 'x', () => Promise.resolve('x'));
      if (found.cache !== 'hit') await found.pending;
    };
    for (let i = 0; i < 2000; i++) await ask(i);
    expect(made.bytes).toBeGreaterThan(8 * maxBytes);
    limits.maxBytes = maxBytes;
    for (let i = 2000; i < 2200; i++) await ask(i);
    expect(made.bytes).toBeLessThanOrEqual(maxBytes);
  });
});

describe('strangers who have many networks', () => {
  const hex = (n: number): string => n.toString(16);
  /** The address for attempt `i` of stranger `s`, who shares nothing with the others. */
  const ATTACKS: Readonly<Record<string, (s: number, i: number) => string>> = {
    'a /64': (s, i) => `2a${hex(16 + s)}:db8::${hex(i & 0xffff)}`,
    'a /48': (s, i) => `2a${hex(16 + s)}:db8:0:${hex(i & 0xffff)}::1`,
    'a /32': (s, i) => `2a${hex(16 + s)}:db8:${hex(i & 0xffff)}::1`,
    'a /32, at random': (s, i) =>
      `2a${hex(16 + s)}:db8:${hex((i * 40_503) & 0xffff)}:${hex((i * 7919) & 0xffff)}::1`,
    'a /24': (s, i) => `${200 + s}.0.113.${i & 255}`,
    'a /16': (s, i) => `${200 + s}.0.${(i >> 8) & 255}.${i & 255}`,
  };

  it('push out none of hundreds of usual senders, whatever they have and in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(ATTACKS)), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 500, max: 12_000 }),
        fc.boolean(),
        async (kinds, size, cycle) => {
          const { ask, made } = cache({
            maxClients: 20_000,
            maxBytes: 16 * maxBytes,
            sizeOf: () => size,
          });
          const others = Array.from({ length: 150 }, (_, i) => [
            `${20 + (i & 63)}.${i}.${i & 255}.7`,
            `2001:${hex(i)}:1:1::7`,
          ]).flat();
          for (const other of others) await ask(other, 'x');
          for (let i = 0; i < 8000; i++) {
            for (const [s, kind] of kinds.entries())
              await ask(ATTACKS[kind]?.(s, cycle ? i % 2000 : i) ?? '', `n${cycle ? i % 2000 : i}`);
          }
          for (const other of others) expect(await ask(other, 'x'), other).toBe('hit');
          expect(made.bytes).toBeLessThanOrEqual(16 * maxBytes);
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);

  it.each([
    [9, 'a /32'],
    [9, 'a /16'],
    [40, 'a /32'],
    [40, 'a /16'],
  ])('push out none though there are %i of them, each with %s', async (strangers, kind) => {
    const { ask } = cache({ maxClients: 20_000, maxBytes: 16 * maxBytes, sizeOf: () => 5000 });
    const others = Array.from({ length: 80 }, (_, i) => `${20 + i}.${i}.${i & 255}.7`);
    for (const other of others) await ask(other, 'x');
    for (let i = 0; i < 1000; i++)
      for (let s = 0; s < strangers; s++) await ask(ATTACKS[kind]?.(s, i) ?? '', 'x');
    for (const other of others) expect(await ask(other, 'x'), other).toBe('hit');
  });

  it('65,536 /64s take what a site may, and the latest of them are there', async () => {
    const { ask, made } = cache({ maxClients: 20_000, maxBytes: 16 * maxBytes, sizeOf: () => 5000 });
    for (let i = 0; i < 65_536; i++) await ask(`2001:db8:0:${hex(i)}::1`, 'x');
    expect(made.bytes).toBeLessThanOrEqual(maxBytes);
    expect(made.bytes).toBeGreaterThan(maxBytes / 2);
    expect(await ask('2001:db8:0:ffff::1', 'x')).toBe('hit');
  });

  it('within a block, the one that has much makes room for those that have little', async () => {
    const { ask } = cache({ maxClients: 20_000, maxBytes: 16 * maxBytes, sizeOf: () => 5000 });
    const neighbours = Array.from({ length: 5 }, (_, i) => `203.0.${i}.7`);
    for (const each of neighbours) await ask(each, 'x');
    for (let i = 0; i < 4000; i++) await ask(`203.0.${200 + (i & 7)}.${(i >> 3) & 255}`, `n${i}`);
    for (const each of neighbours) expect(await ask(each, 'x'), each).toBe('hit');
  });
});

// A network may always have what its latest client was given, up to a 32nd; where so many want it that its
// part is less than that, others have to go.
it.each([5_000, 16_000, 20_000, 30_000])(
  'keeps to its limits where each of many /32s has a value of %i bytes',
  async (bytes) => {
    const [maxClients, maxBytes] = [90, 1_000_000];
    const { get, made } = cache({ maxClients, maxBytes, sizeOf: () => bytes });
    for (let block = 1; block <= 200; block++) {
      const found = get(`2a01:${block.toString(16)}::1`, 'a.org');
      if (found.cache !== 'hit') await found.pending;
      expect(made.size).toBeLessThanOrEqual(maxClients);
      expect(made.bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(made.bytes).toBeGreaterThan(maxBytes * 0.4);
  },
);
