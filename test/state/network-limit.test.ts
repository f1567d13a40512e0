import { expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';

const LIMIT = { count: 2, ageMs: 60_000 };

function limit(): (ip: string, seconds?: number, what?: string) => boolean {
  let now = 0;
  const made = new NetworkLimit(() => now);
  return (ip, seconds = 0, what = 'failed') => {
    now = seconds * 1000;
    const address = parseIp(ip);
    if (address === null) throw new Error(`${ip} is no address`);
    return made.take(address, what, LIMIT);
  };
}

it('takes the memory that docs/policy.md says', () => {
  expect(Math.ceil(NetworkLimit.bytes / 1e6)).toBe(6);
});

it('begins anew when its time is over, and counts nothing beyond it', () => {
  const take = limit();
  const given = [0, 30, 59, 60, 61, 62, 121].map((seconds) => take('192.0.2.1', seconds));
  expect(given).toEqual([true, true, false, true, true, false, true]);
});

it.each([
  ['192.0.2.99', 'failed', false],
  ['192.0.3.1', 'failed', true],
  ['192.0.2.1', 'unverified', true],
])('is that of a network and a stream: %s %s', (ip, what, wanted) => {
  const take = limit();
  for (let i = 0; i < 2; i++) take('192.0.2.1');
  expect(take(ip, 0, what)).toBe(wanted);
});

it('is that of a /64', () => {
  const take = limit();
  for (let i = 1; i < 3; i++) take(`2001:db8::${i}`);
  expect([take('2001:db8::3'), take('2001:db8:0:1::1')]).toEqual([false, true]);
});

it('is not forgotten for what another block does', () => {
  const take = limit();
  for (let i = 0; i < 2; i++) take('192.0.2.1');
  for (let i = 0; i < 20_000; i++) take(`2001:db9:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`);
  expect(take('192.0.2.1')).toBe(false);
});
