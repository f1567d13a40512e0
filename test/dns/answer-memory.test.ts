import { describe, expect, it } from 'vitest';
import type { Answer, Resolver } from '../../src/core/resolver.ts';
import { AnswerMemory } from '../../src/dns/answer-memory.ts';

const CAPACITY = 16 * 1024 * 1024;

/** `NNNN.org` has a text of NNNN octets. */
const resolver: Resolver = {
  lookup: (name) => {
    const size = parseInt(name, 10);
    const none = { status: 'nxdomain', ttl: null } as const;
    return Promise.resolve(
      Number.isNaN(size) ? none : { status: 'found', records: ['x'.repeat(size)] as never[], ttl: null },
    );
  },
};

const ask = (share: { resolver: Resolver }, size: number): Promise<Answer<'TXT'>> =>
  share.resolver.lookup(`${size}.org`, 'TXT');

describe('AnswerMemory', () => {
  it('never holds more than its capacity, however many assessments want it', async () => {
    let refused = 0;
    const memory = new AnswerMemory(CAPACITY, () => refused++);
    const shares = Array.from({ length: 1000 }, () => memory.share(resolver));
    for (let round = 0; round < 10; round++) {
      for (const share of shares) {
        const answer = await ask(share, 61_000);
        if (answer.status === 'temperror') expect(answer.detail).toBe('memory');
        expect(memory.used).toBeLessThanOrEqual(CAPACITY);
      }
    }
    expect(memory.used).toBeGreaterThan(CAPACITY / 4);
    expect(memory.refused).toBe(refused);
    expect(refused).toBeGreaterThan(9000);
    for (const share of shares) share.done();
    expect(memory.used).toBe(0);
  });

  it('gives who wants little what it wants, beside a hundred who want all they can get', async () => {
    const memory = new AnswerMemory();
    const greedy = Array.from({ length: 100 }, () => memory.share(resolver));
    for (let round = 0; round < 40; round++) for (const share of greedy) await ask(share, 61_000);
    expect(memory.refused).toBeGreaterThan(0);
    const usual = memory.share(resolver);
    for (const size of [20, 40, 300, 450, 1200, 2000]) {
      expect((await ask(usual, size)).status).toBe('found');
    }
  });

  it('counts what is read from a text by its words', async () => {
    const memory = new AnswerMemory();
    const words = memory.share({
      lookup: () => Promise.resolve({ status: 'found', records: ['a '.repeat(5000)] as never[], ttl: null }),
    });
    await words.resolver.lookup('x.org', 'TXT');
    expect(memory.used).toBeGreaterThan(10_000 + 300 * 299);
    expect(memory.used).toBeLessThan(10_000 + 300 * 301);
  });

  it('counts nothing for an assessment that is over', async () => {
    const memory = new AnswerMemory(CAPACITY);
    const share = memory.share(resolver);
    const late = ask(share, 1000);
    share.done();
    expect((await late).status).toBe('found');
    expect(memory.used).toBe(0);
  });
});
