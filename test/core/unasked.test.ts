import { expect, it } from 'vitest';
import type { DnsAnswer } from '../../src/core/recording-resolver.ts';
import { heldBack, isUnasked } from '../../src/core/unasked.ts';

const failed = (detail: string): DnsAnswer => ({
  name: 'a.example.org',
  type: 'A',
  status: 'temperror',
  records: [detail],
  ttl: null,
});

it.each([
  ['overload', true],
  ['share', true],
  ['dropped', true],
  ['timeout', false],
  ['', false],
])('%j was not asked: %s', (detail, wanted) => {
  expect(isUnasked(detail)).toBe(wanted);
});

it.each<[string[], 'share' | 'overload' | null]>([
  [[], null],
  [['timeout', 'dropped'], null],
  [['timeout', 'overload'], 'overload'],
  // Its own network is the better reason.
  [['overload', 'share'], 'share'],
])('%j: held back for %s', (details, wanted) => {
  expect(heldBack(details.map(failed))).toBe(wanted);
});

it('a TXT record may say anything', () => {
  expect(heldBack([{ ...failed('share'), type: 'TXT', status: 'found' }])).toBeNull();
});
