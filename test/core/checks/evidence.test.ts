/**
 * What checks say that they saw. Replies, log lines, headers and advice have their words from it: a missing
 * one is a hole in a sentence that a stranger reads.
 */
import { expect, it } from 'vitest';
import type { Check, Evidence } from '../../../src/core/check.ts';
import { addressMatches } from '../../../src/core/checks/address.ts';
import { alias } from '../../../src/core/checks/alias.ts';
import { auth } from '../../../src/core/checks/auth.ts';
import { csa } from '../../../src/core/checks/csa.ts';
import * as domain from '../../../src/core/checks/domain.ts';
import { nameExists } from '../../../src/core/checks/exists.ts';
import { reverseLookup, verifiedNames } from '../../../src/core/checks/iprev.ts';
import * as literal from '../../../src/core/checks/literal.ts';
import { genericReverseName, otherReverseName } from '../../../src/core/checks/reverse-name.ts';
import { spf } from '../../../src/core/checks/spf.ts';
import { assessed, run } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const CLIENT = '192.0.2.9';
const ZONE: Zone = {
  'near.org': { A: ['192.0.2.77', '203.0.113.1'] },
  'far.org': { A: ['203.0.113.1', '203.0.113.2'] },
  'private.org': { A: ['10.0.0.5'] },
  'text.org': { TXT: ['mobile host'] },
  'records.org': { TXT: ['V=spf1 -all', 'mobile host'] },
  'alias.org': { CNAME: ['near.org'] },
  'denies.org': { TXT: ['v=spf1 ip4:198.51.100.1 -all'], A: ['198.51.100.1'] },
  'permits.org': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
  '_client._smtp.csa.org': { SRV: [{ priority: 1, weight: 2, port: 0, target: 'csa.org' }] },
  'csa.org': { A: [CLIENT] },
  '_client._smtp.no-csa.org': { SRV: [{ priority: 1, weight: 1, port: 0, target: 'no-csa.org' }] },
  '_auth.ours.org': { TXT: ['helo=192.0.2.0/28'] },
  '_auth.other.org': { TXT: ['helo=198.51.100.1'] },
  '_auth.all.org': { TXT: ['helo=0.0.0.0/0'] },
  '9.2.0.192.in-addr.arpa': { PTR: ['mx.host.org', 'forged.org'] },
  'mx.host.org': { A: [CLIENT] },
  '8.2.0.192.in-addr.arpa': { PTR: ['forged.org'] },
  'forged.org': { A: ['203.0.113.1'] },
  'host.org': {},
};

it.each<[check: Check, client: string, helo: string, Evidence]>([
  [domain.heloSyntax, CLIENT, 'a b', { helo: 'a b', problem: 'a space is not allowed in a domain' }],
  [
    domain.heloSyntax,
    CLIENT,
    '2001:db8::1',
    { helo: '2001:db8::1', problem: 'an IPv6 address belongs in [IPv6:...]' },
  ],
  [domain.heloUnderscore, CLIENT, 'a_b.org', { helo: 'a_b.org' }],
  [domain.heloTrailingDot, CLIENT, 'near.org.', { helo: 'near.org.' }],
  [domain.heloBareIp, CLIENT, '192.0.2.9', { helo: '192.0.2.9', literal: '[192.0.2.9]' }],
  [domain.heloNotFqdn, CLIENT, 'Jupiter', { helo: 'Jupiter' }],
  [domain.heloSpecialUse, CLIENT, 'printer.local', { helo: 'printer.local', domain: 'local' }],
  [domain.heloNumericTld, CLIENT, 'mail.example.1', { helo: 'mail.example.1' }],
  [domain.heloPublicSuffix, CLIENT, 'co.uk', { helo: 'co.uk' }],
  [addressMatches, CLIENT, 'text.org', { detail: 'no A record' }],
  [
    addressMatches,
    CLIENT,
    'near.org',
    { addresses: '192.0.2.77 203.0.113.1', neighbour: '192.0.2.77', network: '/24' },
  ],
  [addressMatches, CLIENT, 'far.org', { addresses: '203.0.113.1 203.0.113.2' }],
  [addressMatches, CLIENT, 'mx.host.org', { addresses: '192.0.2.9' }],
  [nameExists, CLIENT, 'far.org', { addresses: '203.0.113.1 203.0.113.2' }],
  [nameExists, CLIENT, 'mx.host.org', { addresses: '192.0.2.9' }],
  [nameExists, CLIENT, 'private.org', { helo: 'private.org', addresses: '10.0.0.5' }],
  [
    nameExists,
    CLIENT,
    'text.org',
    { helo: 'text.org', type: 'A', txt: 'mobile host', literal: '[192.0.2.9]' },
  ],
  [nameExists, CLIENT, 'records.org', { helo: 'records.org', type: 'A' }],
  [nameExists, CLIENT, 'gone.host.org', { helo: 'gone.host.org', type: 'A' }],
  [nameExists, CLIENT, 'mail.unheard-of.org', { helo: 'mail.unheard-of.org', domain: 'unheard-of.org' }],
  [alias, CLIENT, 'alias.org', { helo: 'alias.org', target: 'near.org' }],
  [reverseLookup, CLIENT, 'mx.host.org', { names: 'mx.host.org', organisation: 'host.org' }],
  [reverseLookup, CLIENT, 'near.org', { names: 'mx.host.org' }],
  [reverseLookup, '192.0.2.8', 'near.org', { names: 'forged.org' }],
  [reverseLookup, '192.0.2.7', 'near.org', {}],
  [otherReverseName, CLIENT, 'near.org', { helo: 'near.org', names: 'mx.host.org' }],
  [genericReverseName, CLIENT, 'near.org', {}],
  [
    csa,
    CLIENT,
    'csa.org',
    {
      helo: 'csa.org',
      status: 'ok',
      detail: '192.0.2.9 is an address of csa.org',
      record: '_client._smtp.csa.org SRV 1 2 0 csa.org',
    },
  ],
  [
    csa,
    CLIENT,
    'no-csa.org',
    {
      helo: 'no-csa.org',
      status: 'fail',
      detail: 'host name not authorized',
      record: '_client._smtp.no-csa.org SRV 1 1 0 no-csa.org',
    },
  ],
  [csa, CLIENT, 'far.org', {}],
  [
    auth,
    CLIENT,
    'mail.ours.org',
    { helo: 'mail.ours.org', domain: 'ours.org', record: 'helo=192.0.2.0/28', matched: '192.0.2.0/28' },
  ],
  [
    auth,
    CLIENT,
    'mail.other.org',
    {
      helo: 'mail.other.org',
      domain: 'other.org',
      record: 'helo=198.51.100.1',
      matched: 'helo=',
      detail: '192.0.2.9 is not in helo= of other.org',
    },
  ],
  [
    auth,
    CLIENT,
    'mail.all.org',
    {
      helo: 'mail.all.org',
      domain: 'all.org',
      record: 'helo=0.0.0.0/0',
      matched: '0.0.0.0/0',
      toowide: 'the record passes more than a /8 of IPv4',
    },
  ],
  [auth, CLIENT, 'far.org', {}],
  [
    spf,
    CLIENT,
    'denies.org',
    {
      helo: 'denies.org',
      mechanism: '-all of denies.org',
      record: 'v=spf1 ip4:198.51.100.1 -all',
      lookups: '0',
    },
  ],
  [
    spf,
    CLIENT,
    'permits.org',
    {
      helo: 'permits.org',
      mechanism: 'ip4:192.0.2.0/24 of permits.org',
      record: 'v=spf1 ip4:192.0.2.0/24 -all',
      lookups: '0',
    },
  ],
  [spf, CLIENT, 'far.org', {}],
  [
    literal.literalSyntax,
    CLIENT,
    '[192.0.2]',
    { helo: '[192.0.2]', problem: 'no address inside the brackets', literal: '[192.0.2.9]' },
  ],
  [literal.literal, CLIENT, '[192.0.2.9]', { helo: '[192.0.2.9]', address: '192.0.2.9' }],
  [literal.literal, CLIENT, '[192.0.2.9]x', {}],
  [literal.literalPrivate, CLIENT, '[10.0.0.5]', { helo: '[10.0.0.5]' }],
  [literal.literalMatches, CLIENT, '[203.0.113.1]', { helo: '[203.0.113.1]' }],
])('$name of %s saying %j sees what it says', async (check, client, helo, wanted) => {
  expect((await run(check, client, helo, ZONE)).evidence).toEqual(wanted);
});

it.each<[client: string, names: readonly string[]]>([
  [CLIENT, ['mx.host.org']],
  ['192.0.2.8', []],
  ['192.0.2.7', []],
])('the names that lead back to %s are %j', async (client, names) => {
  const { outcomes } = await assessed(client, 'near.org', ZONE);
  expect(verifiedNames(outcomes)).toEqual(names);
});
