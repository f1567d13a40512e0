import { expect, it } from 'vitest';
import { assessed } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const ZONE: Zone = {
  'mail.sender.org': { A: ['198.51.100.7'] },
  'half.sender.org': { A: ['198.51.100.7'], AAAA: 'temperror' },
  'inside.sender.org': { A: ['10.0.0.1'] },
  'sender.org': { NS: ['ns.sender.org'] },
  '9.113.0.203.in-addr.arpa': { PTR: ['out.sender.org'] },
  'out.sender.org': { A: ['203.0.113.9'] },
  '8.113.0.203.in-addr.arpa': 'temperror',
};

it.each<[string, string | null, string, boolean]>([
  ['the name resolves, nothing shows that it is the client’s', '203.0.113.1', 'mail.sender.org', true],
  ['exact', '198.51.100.7', 'mail.sender.org', false],
  ['a neighbour', '198.51.100.99', 'mail.sender.org', false],
  ['aligned by iprev', '203.0.113.9', 'mail.sender.org', false],
  ['the client’s own reverse zone alone met trouble', '203.0.113.8', 'mail.sender.org', true],
  ['undecided, since the client’s family met trouble', '2001:db8::1', 'half.sender.org', false],
  ['the name does not exist', '203.0.113.1', 'gone.sender.org', false],
  ['the name is private', '203.0.113.1', 'inside.sender.org', false],
  ['a literal', '203.0.113.1', '[203.0.113.1]', false],
  ['a client without an address', null, 'mail.sender.org', false],
])('%s', async (_, ip, helo, mismatch) => {
  const { findings } = await assessed(ip, helo, ZONE);
  expect(findings.some(({ id }) => id === 'helo-mismatch')).toBe(mismatch);
});
