/** The page and the service must agree on which networks `--enforce-percent` acts on. */
import { expect, it } from 'vitest';
import { networkShare } from '../../src/service/network-share.ts';
import { shareByNetwork } from '../../web/network-share.ts';

it('is the share of the service, for many networks and for texts of every length of a block', () => {
  const share = shareByNetwork();
  const networks = [
    'unknown',
    ...Array.from({ length: 3000 }, (_, i) => `${i % 223}.${(i * 7) % 256}.${(i * 31) % 256}.0/24`),
    ...Array.from({ length: 1000 }, (_, i) => `2001:db8:${i.toString(16)}:${(i * 97).toString(16)}::/64`),
    ...Array.from({ length: 200 }, (_, i) => 'é'.repeat(i)),
  ];
  expect(networks.map(share)).toEqual(networks.map(networkShare));
  expect(share('192.0.2.0/24')).toBe(networkShare('192.0.2.0/24'));
});
