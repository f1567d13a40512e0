import { expect, it } from 'vitest';
import { parseMailDate } from '../../src/report/mail-date.ts';

it.each([
  ['Thu, 26 Nov 2026 10:30:03 +0100', '2026-11-26T09:30:03.000Z'],
  ['26 Nov 2026 10:30 -0730', '2026-11-26T18:00:00.000Z'],
  ['Thu, 1 Jan 2026 00:00:00 GMT', '2026-01-01T00:00:00.000Z'],
  ['Thu, 01 jan 2026 00:00:60 EST', '2026-01-01T05:01:00.000Z'],
])('%s', (text, told) => {
  expect(new Date(parseMailDate(text) ?? NaN).toISOString()).toBe(told);
});

it.each([
  '',
  'noon',
  'Thu, 26 Nov 2026 10:30:03',
  'Thu, 26 Nov 2026 10:30:03 Z',
  'Thu, 26 Nov 2026 10:30:03 constructor',
  'Thu, 26 Nov 2026 24:30:03 +0000',
  '31 Jun 2026 10:30:03 +0000',
  '26 Nov 26 10:30:03 +0000',
  'Thu, 26 Nov 2026 10:30:03 +0000 by',
])('%j is none', (text) => {
  expect(parseMailDate(text)).toBeNull();
});
