import { expect, it } from 'vitest';
import { endOfLifeWarning } from '../src/node-lines.ts';

it.each([
  ['v20.19.0', '2026-04-30T23:59:59Z', null],
  [
    'v20.19.0',
    '2026-05-01T00:00:00Z',
    'Node 20 has had no security fixes since 2026-04-30; use a later even-numbered line',
  ],
  ['v24.1.0', '2026-11-24T00:00:00Z', null],
  [
    'v25.0.0',
    '2026-11-24T00:00:00Z',
    'Node 25 has had no security fixes since 2026-06-01; use a later even-numbered line',
  ],
  ['v99.0.0', '2036-01-01T00:00:00Z', null],
  ['nonsense', '2036-01-01T00:00:00Z', null],
])('%s on %s', (version, date, wanted) => {
  expect(endOfLifeWarning(version, Date.parse(date))).toBe(wanted);
});
