import { expect, it } from 'vitest';
import { identityOf } from '../../src/policy/identity.ts';
import { assessed } from '../support/checked.ts';
import type { Zone } from '../support/zone.ts';

const IP = '198.51.100.7';

/** The client's reverse names, all of which lead back to it but those of `liar.org`. */
function zone(...names: readonly string[]): Zone {
  const back = (name: string): string => (name.endsWith('liar.org') ? '203.0.113.9' : IP);
  return {
    '7.100.51.198.in-addr.arpa': { PTR: names },
    ...Object.fromEntries(names.map((name) => [name, { A: [back(name)] }])),
  };
}

it.each<[what: string, helo: string, reverse: string[], wanted: (string | null)[]]>([
  ['the name itself', 'mail.x.org', ['a.y.org', 'mail.x.org'], ['x.org', 'mail.x.org', 'x.org']],
  ['one of its organisation', 'mail.x.org', ['a.y.org', 'z.x.org'], ['x.org', 'z.x.org', 'x.org']],
  ['else the first by alphabet', 'mail.x.org', ['b.y.net', 'a.y.org'], ['x.org', 'a.y.org', 'y.org']],
  ['in whatever order DNS gives them', 'mail.x.org', ['a.y.org', 'b.y.net'], ['x.org', 'a.y.org', 'y.org']],
  ['a suffix below which all may register', 'a.co.uk', ['b.y.co.uk'], ['a.co.uk', 'b.y.co.uk', 'y.co.uk']],
  ['one that does not lead back is none', 'mail.x.org', ['mail.liar.org'], ['x.org', null, null]],
  ['no reverse name', 'mail.x.org', [], ['x.org', null, null]],
  ['a literal has no domain', `[${IP}]`, ['a.y.org'], [null, 'a.y.org', 'y.org']],
  ['nor has a single label', 'Jupiter', ['a.y.org'], [null, 'a.y.org', 'y.org']],
  ['nor has junk', 'x y', ['a.y.org'], [null, 'a.y.org', 'y.org']],
  ['nor has no name', '', [], [null, null, null]],
])('%s: %s with %j', async (_, helo, reverse, wanted) => {
  const { domain, reverse: name, reverseDomain } = identityOf(await assessed(IP, helo, zone(...reverse)));
  expect([domain, name, reverseDomain]).toEqual(wanted);
});
