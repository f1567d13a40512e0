import { describe, expect, it } from 'vitest';
import { type IpAddress, ipFromBytes, parseIp } from '../../src/core/ip.ts';
import { type Enforcement, enforce } from '../../src/policy/enforcement.ts';
import { networkShare } from '../../src/service/network-share.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}
const acting = (percent: number, observe = false): Enforcement => ({
  observe,
  percent,
  shareOf: networkShare,
});
const network = (i: number): IpAddress => ipFromBytes([i >> 16, (i >> 8) & 255, i & 255, 7]);

describe('enforce', () => {
  it.each([
    ['reject', acting(100), 'reject'],
    ['tempfail', acting(100), 'tempfail'],
    ['accept', acting(100), 'accept'],
    ['reject', acting(100, true), 'accept'],
    ['reject', acting(0), 'accept'],
    ['accept', acting(50), 'accept'],
  ] as const)('%s under %o is %s', (disposition, enforcement, action) => {
    expect(enforce(disposition, ip('192.0.2.1'), enforcement)).toBe(action);
  });

  it('acts on a network below the share, and not at it', () => {
    const at = (share: number): Enforcement => ({ observe: false, percent: 50, shareOf: () => share });
    expect(enforce('reject', ip('192.0.2.1'), at(49))).toBe('reject');
    expect(enforce('reject', ip('192.0.2.1'), at(50))).toBe('accept');
  });

  it('acts on no client without an address where only a share is acted on', () => {
    expect(enforce('reject', null, acting(99))).toBe('accept');
    expect(enforce('reject', null, acting(100))).toBe('reject');
  });

  it('only adds networks when the share grows', () => {
    for (let i = 0; i < 500; i++) {
      const acted = [10, 30, 60, 90].map(
        (percent) => enforce('reject', network(i), acting(percent)) === 'reject',
      );
      expect(acted).toEqual([...acted].sort());
    }
  });

  it('acts on about the share asked for', () => {
    const total = 4000;
    let acted = 0;
    for (let i = 0; i < total; i++) if (enforce('reject', network(i), acting(25)) === 'reject') acted++;
    expect(acted / total).toBeGreaterThan(0.22);
    expect(acted / total).toBeLessThan(0.28);
  });
});

it.each([
  ['192.0.2.1', '192.0.2.254', true],
  ['192.0.2.1', '192.0.3.1', false],
  ['2001:db8:1:2::1', '2001:db8:1:2:9::', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
])('%s and %s are in the same network: %s', (a, b, same) => {
  const seen: string[] = [];
  for (const each of [a, b]) {
    enforce('reject', ip(each), { ...acting(50), shareOf: (text) => (seen.push(text), 0) });
  }
  expect(seen[0] === seen[1]).toBe(same);
});
