import { describe, expect, it } from 'vitest';
import { endOfLifeWarning } from '../../src/system/node-support.ts';

const DEBIAN_13 = 'Debian GNU/Linux 13 (trixie)';

describe('a build of the Node project', () => {
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
    expect(endOfLifeWarning({ version, ofDistribution: false }, DEBIAN_13, Date.parse(date))).toBe(wanted);
  });
});

describe('a build of the distribution', () => {
  it.each<[version: string, system: string, date: string, wanted: string | null]>([
    ['v20.19.2', DEBIAN_13, '2026-04-01T00:00:00Z', null],
    ['v20.19.2', DEBIAN_13, '2026-11-24T00:00:00Z', null],
    ['v20.19.2', DEBIAN_13, '2028-08-09T23:59:59Z', null],
    [
      'v20.19.2',
      DEBIAN_13,
      '2028-08-10T00:00:00Z',
      'Node 20 has had no security fixes from Debian GNU/Linux 13 (trixie) since 2028-08-09; use a later even-numbered line',
    ],
    ['v24.1.0', 'Debian GNU/Linux 14 (forky)', '2026-11-24T00:00:00Z', null],
  ])('%s of %j on %s', (version, system, date, wanted) => {
    expect(endOfLifeWarning({ version, ofDistribution: true }, system, Date.parse(date))).toBe(wanted);
  });

  it.each(['Debian GNU/Linux 130', 'Another Linux', ''])('v20.19.2 of %j', (system) => {
    const node = { version: 'v20.19.2', ofDistribution: true };
    expect(endOfLifeWarning(node, system, Date.parse('2026-11-24'))).toBe(
      'Node 20 has had no security fixes from the Node project since 2026-04-30; find out whether your distribution makes its own, or use a later even-numbered line',
    );
  });
});
