import { describe, expect, it } from 'vitest';
import { type IpAddress, ipFromBytes, parseIp } from '../../src/core/ip.ts';
import { enforce, networkShare } from '../../src/policy/enforcement.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}
const network = (i: number): IpAddress => ipFromBytes([i >> 16, (i >> 8) & 255, i & 255, 7]);

describe('enforce', () => {
  it.each([
    ['reject', { observe: false, percent: 100 }, 'reject'],
    ['tempfail', { observe: false, percent: 100 }, 'tempfail'],
    ['accept', { observe: false, percent: 100 }, 'accept'],
    ['reject', { observe: true, percent: 100 }, 'accept'],
    ['reject', { observe: false, percent: 0 }, 'accept'],
    ['accept', { observe: false, percent: 50 }, 'accept'],
  ] as const)('%s under %j is %s', (disposition, enforcement, action) => {
    expect(enforce(disposition, ip('192.0.2.1'), enforcement)).toBe(action);
  });

  it('acts on no client without an address where only a share is acted on', () => {
    expect(enforce('reject', null, { observe: false, percent: 99 })).toBe('accept');
    expect(enforce('reject', null, { observe: false, percent: 100 })).toBe('reject');
  });

  it('only adds networks when the share grows', () => {
    for (let i = 0; i < 500; i++) {
      const acted = [10, 30, 60, 90].map(
        (percent) => enforce('reject', network(i), { observe: false, percent }) === 'reject',
      );
      expect(acted).toEqual([...acted].sort());
    }
  });

  it('acts on about the share asked for', () => {
    const total = 4000;
    let acted = 0;
    for (let i = 0; i < total; i++)
      if (enforce('reject', network(i), { observe: false, percent: 25 }) === 'reject') acted++;
    expect(acted / total).toBeGreaterThan(0.22);
    expect(acted / total).toBeLessThan(0.28);
  });
});

describe('networkShare', () => {
  it.each([
    ['192.0.2.1', '192.0.2.254', true],
    ['192.0.2.1', '192.0.3.1', false],
    ['2001:db8:1:2::1', '2001:db8:1:2:9::', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ])('of %s and %s is the same: %s', (a, b, same) => {
    expect(networkShare(ip(a)) === networkShare(ip(b))).toBe(same);
  });

  it('is the same on every host, for ever', () => {
    expect(networkShare(ip('192.0.2.1'))).toMatchInlineSnapshot(`88.75513894017786`);
  });
});
