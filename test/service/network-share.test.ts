import { expect, it } from 'vitest';
import { networkShare } from '../../src/service/network-share.ts';

it('is the same on every host, for ever', () => {
  expect(networkShare('192.0.2.0/24')).toMatchInlineSnapshot(`88.75513894017786`);
});
