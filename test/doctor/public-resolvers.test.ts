import { expect, it } from 'vitest';
import { publicOperator } from '../../src/doctor/public-resolvers.ts';

it.each([
  ['8.8.8.8', 'Google Public DNS'],
  ['8.8.4.4:53', 'Google Public DNS'],
  ['1.1.1.1', 'Cloudflare 1.1.1.1'],
  ['[2606:4700:4700:0:0:0:0:1111]:53', 'Cloudflare 1.1.1.1'],
  ['2620:fe::fe', 'Quad9'],
  ['9.9.9.9', 'Quad9'],
  ['127.0.0.1', null],
  ['192.168.1.1:53', null],
  ['::1', null],
])('%s is run by %s', (server, operator) => {
  expect(publicOperator(server)).toBe(operator);
});
