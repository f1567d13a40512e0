import { describe, expect, it } from 'vitest';
import { AssessmentCache, type CacheLookup, type CacheOptions } from '../src/cache.ts';

function cache(options: Partial<CacheOptions<string>> = {}): {
  get: (ip: string, name: string) => CacheLookup<string>;
  ask: (ip: string, name: string) => Promise<string>;
  loads: string[];
  clock: { now: number };
  size: () => number;
} {
  const clock = { now: 0 };
  const loads: string[] = [];
  const made = new AssessmentCache<string>({
    maxClients: 10,
    maxNamesPerClient: 3,
    lifeMs: (value) => (value.endsWith('!') ? 0 : 1000),
    now: () => clock.now,
    ...options,
  });
  const get = (ip: string, name: string): CacheLookup<string> =>
    made.lookup(ip, name, () => {
      loads.push(`${ip} ${name}`);
      return Promise.resolve(`${ip}=${name}`);
    });
  return {
    get,
    ask: async (ip, name) => {
      const found = get(ip, name);
      const value = found.hit === 'hit' ? found.value : await found.pending;
      expect(value).toBe(`${ip}=${name}`);
      return found.hit;
    },
    loads,
    clock,
    size: () => made.size,
  };
}

describe('AssessmentCache', () => {
  it('answers from memory until the life is over', async () => {
    const { ask, clock } = cache();
    expect(await ask('a', 'x')).toBe('miss');
    expect(await ask('a', 'x')).toBe('hit');
    clock.now = 999;
    expect(await ask('a', 'x')).toBe('hit');
    clock.now = 1000;
    expect(await ask('a', 'x')).toBe('miss');
  });

  it('never answers for another address or name', async () => {
    const { ask } = cache();
    await ask('a', 'x');
    expect(await ask('a', 'y')).toBe('miss');
    expect(await ask('b', 'x')).toBe('miss');
  });

  it('forgets all when told, and keeps nothing that began before', async () => {
    const made = new AssessmentCache<string>({
      maxClients: 10,
      maxNamesPerClient: 3,
      lifeMs: () => 1000,
      now: () => 0,
    });
    const finish: ((value: string) => void)[] = [];
    const load = (): Promise<string> => new Promise((resolve) => finish.push(resolve));
    const before = made.lookup('a', 'x', load);
    made.clear();
    // It does not join who asked before.
    const after = made.lookup('a', 'x', load);
    expect([before.hit, after.hit]).toEqual(['miss', 'miss']);
    finish[0]?.('old');
    expect(before.hit === 'hit' ? null : await before.pending).toBe('old');
    expect(made.lookup('a', 'x', load).hit).toBe('joined');
    finish[1]?.('new');
    expect(after.hit === 'hit' ? null : await after.pending).toBe('new');
    expect(made.lookup('a', 'x', load)).toEqual({ hit: 'hit', value: 'new' });
    made.clear();
    expect(made.size).toBe(0);
    expect(made.lookup('a', 'x', load).hit).toBe('miss');
  });

  it('shares a look-up under way', async () => {
    const { ask, loads } = cache();
    expect(await Promise.all([ask('a', 'x'), ask('a', 'x'), ask('a', 'y')])).toEqual([
      'miss',
      'joined',
      'miss',
    ]);
    expect(loads).toEqual(['a x', 'a y']);
  });

  it('keeps no value whose life is nil', async () => {
    const { ask } = cache();
    await ask('a', 'x!');
    expect(await ask('a', 'x!')).toBe('miss');
  });

  it('forgets a look-up that failed, and hands on its error', async () => {
    const made = new AssessmentCache<string>({
      maxClients: 2,
      maxNamesPerClient: 2,
      lifeMs: () => 1000,
      now: () => 0,
    });
    const failed = made.lookup('a', 'x', () => Promise.reject(new Error('boom')));
    await expect(failed.hit === 'hit' ? null : failed.pending).rejects.toThrow('boom');
    const again = made.lookup('a', 'x', () => Promise.resolve('fine'));
    expect(again.hit).toBe('miss');
  });

  it('bounds the addresses, and keeps those in use', async () => {
    const { ask, size } = cache();
    for (let i = 0; i < 1000; i++) {
      await ask(`h${i}`, 'x');
      expect(await ask('busy', 'x')).toBe(i === 0 ? 'miss' : 'hit');
      expect(size()).toBeLessThanOrEqual(10);
    }
    expect(await ask('h0', 'x')).toBe('miss');
  });

  it('bounds the names of an address, and drops the one used least recently', async () => {
    const { ask } = cache();
    for (const name of ['a', 'b', 'c']) await ask('h', name);
    await ask('h', 'a');
    await ask('h', 'd');
    expect(await ask('h', 'a')).toBe('hit');
    expect(await ask('h', 'b')).toBe('miss');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s for a name like any other',
    async (key) => {
      const { ask } = cache();
      expect(await ask(key, key)).toBe('miss');
      expect(await ask(key, key)).toBe('hit');
    },
  );

  it('works with room for one', async () => {
    const { ask, size } = cache({ maxClients: 1 });
    await ask('a', 'x');
    await ask('b', 'x');
    await ask('c', 'x');
    expect(size()).toBeLessThanOrEqual(2);
    expect(await ask('c', 'x')).toBe('hit');
  });
});
