import { expect, it } from 'vitest';
import { budgetKey } from '../../src/state/budget-key.ts';
import { assessed } from '../support/checked.ts';
import type { Zone } from '../support/zone.ts';

const REVERSE = '60.2.0.192.in-addr.arpa';
const pointing = (...names: string[]): Zone => ({
  [REVERSE]: { PTR: names },
  ...Object.fromEntries(names.map((name) => [name, { A: ['192.0.2.60'] }])),
});

it.each<[string, string, Zone, string, string | null]>([
  ['its own names', 'mx1.out.sender.co.uk', pointing('mx1.out.sender.co.uk'), 'sender.co.uk', 'sender.co.uk'],
  ['a hoster’s', 'mail.sender.org', pointing('vm60.hoster.net'), 'sender.org', 'hoster.net'],
  ['holds the address', 'mail.sender.org', pointing('192-0-2-60.isp.net'), 'sender.org', null],
  ['none', 'mail.sender.org', {}, 'sender.org', null],
  ['does not lead back', 'mail.sender.org', { [REVERSE]: { PTR: ['x.other.org'] } }, 'sender.org', null],
  ['cannot be asked', 'mail.sender.org', { [REVERSE]: 'temperror' }, 'sender.org', null],
  ['its own among others', 'x.sender.org', pointing('a.b.org', 'y.sender.org'), 'sender.org', 'sender.org'],
  ['others, in any order', 'x.sender.org', pointing('z.d.org', 'a.c.org'), 'sender.org', 'c.org'],
  ['others, in another', 'x.sender.org', pointing('a.c.org', 'z.d.org'), 'sender.org', 'c.org'],
  ['a single label', 'Jupiter', pointing('vm.hoster.net'), '-', 'hoster.net'],
  ['a literal', '[192.0.2.9]', {}, '-', null],
  ['a bare address', '192.0.2.9', {}, '-', null],
  ['a suffix', 'co.uk', {}, '-', null],
  ['no name', '', {}, '-', null],
  ['junk', 'this is Jupiter', {}, '-', null],
])('%s: %s', async (_, helo, zone, name, organisation) => {
  expect(budgetKey(await assessed('192.0.2.60', helo, zone))).toEqual({
    name,
    organisation,
    network: '192.0.2.0/24',
    site: '192.0.2.0/24',
    block: '192.0.0.0/16',
  });
});

it('counts an IPv6 client by its /64, and a client without an address at all', async () => {
  expect(budgetKey(await assessed('2001:db8:1:2::3', 'a.sender.org'))).toMatchObject({
    network: '2001:db8:1:2::/64',
    site: '2001:db8:1::/48',
    block: '2001:db8::/32',
  });
  expect(budgetKey(await assessed(null, 'a.sender.org'))).toMatchObject({ network: 'unknown' });
});
