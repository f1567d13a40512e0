/** What an answer that did not come weighs, under rfc5321, emailcore and strict. */
import { expect, it } from 'vitest';
import { PRESETS } from '../../src/core/check.ts';
import { findings } from '../../src/core/checks/index.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { assessed } from '../support/checked.ts';
import type { Zone } from '../support/zone.ts';

const ZONE: Zone = {
  'mail.sender.org': { A: ['192.0.2.1'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mail.sender.org'] },
};

it.each<[string, string, string, number[]]>([
  ['CSA of a parent, of an exact host', '192.0.2.1', '_client._smtp.sender.org', [0, 0, 0]],
  ['_auth of a parent, of an exact host', '192.0.2.1', '_auth.sender.org', [0, 0, 0]],
  // The name itself may deny the client.
  ['CSA of the name, of an exact host', '192.0.2.1', '_client._smtp.mail.sender.org', [0, 0, 5]],
  ['_auth of the name, of an exact host', '192.0.2.1', '_auth.mail.sender.org', [0, 0, 5]],
  // Of somebody else it might have said anything; a neighbour without a reverse name also has iprev-none.
  ['CSA of a parent, of a neighbour', '192.0.2.2', '_client._smtp.sender.org', [2, 2, 9]],
  ['_auth of a parent, of a neighbour', '192.0.2.2', '_auth.sender.org', [2, 2, 9]],
])('trouble with %s', async (_, ip, silent, wanted) => {
  const assessment = await assessed(ip, 'mail.sender.org', { ...ZONE, [silent]: 'temperror' });
  expect(PRESETS.map((preset) => decide(assessment, makePolicy(preset, findings)).score)).toEqual(wanted);
});

it.each<[string, Zone, string[]]>([
  ['nobody is silent', {}, ['tempfail', 'reject', 'reject']],
  // It may say that the client is permitted, or cannot be identified.
  [
    'SPF of the name is silent',
    { 'no-address.sender.org': { TXT: 'temperror' } },
    ['tempfail', 'tempfail', 'tempfail'],
  ],
  [
    'CSA of the name is silent',
    { '_client._smtp.no-address.sender.org': 'temperror' },
    ['tempfail', 'tempfail', 'tempfail'],
  ],
  [
    '_auth of the name is silent',
    { '_auth.no-address.sender.org': 'temperror' },
    ['tempfail', 'tempfail', 'tempfail'],
  ],
])('a name without an address while %s', async (_, zone, wanted) => {
  const base: Zone = { org: { NS: ['ns.org'] }, 'sender.org': { NS: ['ns.org'] } };
  const there: Zone = { ...base, 'no-address.sender.org': { MX: [] }, ...zone };
  const assessment = await assessed('192.0.2.9', 'no-address.sender.org', there);
  const verdicts = PRESETS.map((preset) => decide(assessment, makePolicy(preset, findings)).disposition);
  expect(verdicts).toEqual(wanted);
});

const CHECKED = ['helo-spf-fail', 'helo-spf-softfail', 'helo-spf-permerror'];
const ABOUT_CLIENT = ['iprev-fail', 'iprev-none', 'iprev-other-name', 'iprev-generic'];

// A verdict may not be worse for what was not answered than the worst answer would have made it: so what that
// might have been is all that the check may find, and a mismatch where it was the last to show otherwise.
it.each<[client: string, silent: Zone, worst: string[]]>([
  [
    '203.0.113.5',
    { 'mail.sender.org': { A: ['192.0.2.1'], TXT: 'temperror' } },
    [...CHECKED, 'helo-mismatch'],
  ],
  ['192.0.2.1', { 'mail.sender.org': { A: ['192.0.2.1'], TXT: 'temperror' } }, CHECKED],
  ['203.0.113.5', { '_auth.mail.sender.org': 'temperror' }, ['helo-auth-fail', 'helo-mismatch']],
  ['192.0.2.1', { '_auth.mail.sender.org': 'temperror' }, ['helo-auth-fail']],
  // One that SPF authorizes is as little in doubt as one whose address it is.
  ['192.0.2.9', { '_auth.mail.sender.org': 'temperror' }, ['helo-auth-fail']],
  ['203.0.113.5', { '_client._smtp.mail.sender.org': 'temperror' }, ['helo-csa-fail', 'helo-mismatch']],
  // The client's own zone shows nothing about the name's owner.
  ['203.0.113.5', { '5.113.0.203.in-addr.arpa': 'temperror' }, ABOUT_CLIENT],
])('what %s may be at worst where %j', async (client, silent, worst) => {
  const zone: Zone = {
    'mail.sender.org': { A: ['192.0.2.1'], TXT: ['v=spf1 ip4:192.0.2.9 -all'] },
    ...silent,
  };
  const { findings: found } = await assessed(client, 'mail.sender.org', {
    '1.2.0.192.in-addr.arpa': { PTR: ['mail.sender.org'] },
    ...zone,
  });
  const unknown = found.filter(({ id }) => id === 'dns-temperror');
  expect(unknown.map(({ atWorst }) => atWorst)).toEqual([worst]);
});
