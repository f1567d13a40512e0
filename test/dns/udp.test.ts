import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { encodeQuery, TYPE } from '../../src/dns/message.ts';
import { UdpPool } from '../../src/dns/udp.ts';
import { message, questionOf } from '../support/dns-bytes.ts';
import { type RawDns, startRawDns } from '../support/raw-dns.ts';

let server: RawDns;
beforeEach(async () => {
  server = await startRawDns(({ query }, reply) => {
    reply(message({ id: query.readUInt16BE(0), question: questionOf(query) }));
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

function poolOf({ server: text }: RawDns): UdpPool {
  return new UdpPool({ address: '127.0.0.1', port: Number(text.split(':')[1]) });
}

/** The port that a question leaves from. */
async function ask(pool: UdpPool): Promise<number | undefined> {
  const query = encodeQuery({ name: 'a.test', type: TYPE.A }, { edns: true, trustAd: false });
  await new Promise<void>((resolve, reject) => {
    pool.ask(query, {
      answered: () => {
        resolve();
        return true;
      },
      failed: (detail) => {
        reject(new Error(detail));
      },
    });
  });
  return server.heard.at(-1)?.from;
}

it('tells whoever asks that there is no way to the server', async () => {
  // The kernel lets no socket connect to a broadcast address; a missing route fails in the same place.
  const pool = new UdpPool({ address: '127.255.255.255', port: 53 });
  const asked = [ask(pool), ask(pool), ask(pool), ask(pool), ask(pool)];
  const told = await Promise.allSettled(asked);
  for (const each of told)
    expect(each).toMatchObject({
      reason: { message: 'acces' },
    });
});

it('gives a port up after 500 questions', async () => {
  const pool = poolOf(server);
  const ports: (number | undefined)[] = [];
  for (let i = 0; i < 4 * 500 + 4; i++) ports.push(await ask(pool));
  const uses = new Map<number | undefined, number>();
  for (const port of ports) uses.set(port, (uses.get(port) ?? 0) + 1);
  expect(Math.max(...uses.values())).toBeLessThanOrEqual(500);
  expect(uses.size).toBeGreaterThan(4);
});

it('gives a port up after half a minute, though nobody asks any more', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const pool = poolOf(server);
  const before = await Promise.all([1, 2, 3, 4].map(() => ask(pool)));
  expect(vi.getTimerCount()).toBe(4);
  vi.advanceTimersByTime(30_000);
  expect(vi.getTimerCount()).toBe(0);
  const after = await ask(pool);
  expect(before).not.toContain(after);
});

it('closes ports when the last question on them is taken back', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const pool = poolOf(server);
  const query = encodeQuery({ name: 'a.test', type: TYPE.A }, { edns: true, trustAd: false });
  const cancel = pool.ask(query, { answered: () => true, failed: () => undefined });
  pool.close();
  expect(vi.getTimerCount()).toBe(1);
  cancel();
  expect(vi.getTimerCount()).toBe(0);
});
