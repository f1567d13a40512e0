import { expect, it } from 'vitest';
import { addressMatches } from '../../../src/core/checks/address.ts';
import { outcome } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const ZONE: Zone = {
  'both.example.org': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:DB8:0:0::1'] },
  'v4.example.org': { A: ['192.0.2.1'] },
  'v6-broken.example.org': { A: ['192.0.2.1'], AAAA: 'temperror' },
  'mapped.example.org': { AAAA: ['::ffff:192.0.2.25', '2001:db8::1'] },
  'broken.example.org': 'temperror',
};

it.each<[string | null, string, string]>([
  ['192.0.2.1', 'both.example.org', 'pass exact'],
  ['192.0.2.2', 'BOTH.example.org.', 'pass exact'],
  ['2001:db8::1', 'both.example.org', 'pass exact'],
  ['::ffff:192.0.2.2', 'both.example.org', 'pass exact'],
  ['192.0.2.77', 'both.example.org', 'none near'],
  ['2001:db8::77', 'both.example.org', 'none near'],
  ['192.0.3.1', 'both.example.org', 'fail'],
  ['2001:db8:0:1::1', 'both.example.org', 'fail'],
  // RFC 4291 §2.5.5.2, in any spelling.
  ['192.0.2.25', 'mapped.example.org', 'pass exact'],
  ['::ffff:c000:219', 'mapped.example.org', 'pass exact'],
  ['192.0.2.26', 'mapped.example.org', 'none'],
  // That one family is missing says nothing about the other.
  ['2001:db8::1', 'v4.example.org', 'none'],
  ['192.0.2.1', 'v6-broken.example.org', 'pass exact'],
  ['2001:db8::1', 'v6-broken.example.org', 'dns-temperror'],
  ['192.0.2.1', 'broken.example.org', 'dns-temperror'],
  ['192.0.2.1', 'gone.example.org', 'none'],
  ['192.0.2.1', '[192.0.2.1]', 'none'],
  [null, 'both.example.org', 'none'],
])('%s saying %s: %s', async (ip, helo, wanted) => {
  expect(await outcome(addressMatches, ip, helo, ZONE)).toBe(wanted);
});
