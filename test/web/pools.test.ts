/** Senders that are counted together on the page. */
import { expect, it } from 'vitest';
import { ROW_PLACES } from '../../src/state/fair-table.ts';
import { Pools } from '../../web/pools.ts';

const ROWS = 4096;
const SITE = { network: '192.0.2.0/24', site: '192.0.2.0/24', block: '192.0.0.0/16' };

it.each([ROW_PLACES - 1, ROW_PLACES])(
  'counts each decision once, also where the last of %i names is one too many',
  (names) => {
    const pools = new Pools(1, ROWS);
    for (let i = 0; i < names; i++) pools.add({ ...SITE, name: `x${i}.example`, organisation: null }, 0);
    pools.add({ ...SITE, name: 'last.example', organisation: null }, 1000);
    const pool = pools.add({ ...SITE, name: 'last.example', organisation: 'org.example' }, 1000);
    // All of the site compete now.
    expect(pools.mayUseUp(pool, { count: names + 1, ageMs: 1000 })).toBe(true);
    expect(pools.mayUseUp(pool, { count: names + 2, ageMs: 1000 })).toBe(false);
    expect(pools.mayUseUp(pool, { count: 1, ageMs: 2000 })).toBe(false);
  },
);

it('joins whoever shares the name of an organisation or of a network, also later', () => {
  const pools = new Pools(1, ROWS);
  const other = { network: '203.0.113.0/24', site: '203.0.113.0/24', block: '203.0.0.0/16' };
  const name = 'mail.example';
  const first = pools.add({ ...SITE, name, organisation: null }, 0);
  const second = pools.add({ ...other, name, organisation: 'org.example' }, 1000);
  const limit = { count: 2, ageMs: 1000 };
  expect([first, second].map((pool) => pools.mayUseUp(pool, limit))).toEqual([false, false]);
  pools.add({ ...SITE, name, organisation: 'org.example' }, 2000);
  expect([first, second].map((pool) => pools.mayUseUp(pool, limit))).toEqual([true, true]);
});
