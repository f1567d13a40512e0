import { expect, it } from 'vitest';
import { reverseLookup } from '../../../src/core/checks/iprev.ts';
import { outcome } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const reverse = (last: number): string => `${last}.2.0.192.in-addr.arpa`;
const ZONE: Zone = {
  [reverse(1)]: { PTR: ['out1.example.co.uk'] },
  'out1.example.co.uk': { A: ['192.0.2.1'] },
  [reverse(2)]: { PTR: ['elsewhere.org'] },
  'elsewhere.org': { A: ['203.0.113.1'] },
  [reverse(3)]: 'temperror',
  [reverse(4)]: { PTR: ['a.github.io'] },
  'a.github.io': { A: ['192.0.2.4'] },
};

it.each<[string | null, string, string]>([
  ['192.0.2.1', 'mail.example.co.uk', 'pass aligned'],
  ['192.0.2.1', 'out1.example.co.uk', 'pass aligned'],
  ['192.0.2.1', 'mail.other.co.uk', 'pass'],
  ['192.0.2.1', '[192.0.2.1]', 'pass'],
  ['192.0.2.4', 'b.github.io', 'pass'],
  ['192.0.2.4', 'x.a.github.io', 'pass aligned'],
  ['192.0.2.2', 'mail.example.org', 'iprev-fail'],
  ['192.0.2.9', 'mail.example.org', 'iprev-none'],
  ['192.0.2.3', 'mail.example.org', 'dns-temperror'],
  [null, 'mail.example.org', 'none'],
])('%s saying %s: %s', async (ip, helo, wanted) => {
  expect(await outcome(reverseLookup, ip, helo, ZONE)).toBe(wanted);
});
