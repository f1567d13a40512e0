import { describe, expect, it } from 'vitest';
import { genericReverseName, otherReverseName } from '../../../src/core/checks/reverse-name.ts';
import { assessed, outcome, run } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const PTR = '7.100.51.198.in-addr.arpa';
const IP = '198.51.100.7';
/** These are the client's reverse names, and lead back to it. */
const named = (...names: string[]): Zone => ({
  [PTR]: { PTR: names },
  ...Object.fromEntries(names.map((name) => [name.toLowerCase(), { A: [IP] }])),
});
const FALSE: Zone = { [PTR]: { PTR: ['mail.example.org'] }, 'mail.example.org': { A: ['203.0.113.1'] } };

it.each<[string, string, Zone, string | null, string]>([
  ['its one name', 'mail.example.org', named('mail.example.org'), IP, 'pass'],
  ['its name in capitals', 'MAIL.Example.org.', named('Mail.example.ORG'), IP, 'pass'],
  ['one of several', 'mail.example.org', named('a.example.org', 'mail.example.org'), IP, 'pass'],
  ['another of its organisation', 'mx.example.org', named('mail.example.org'), IP, 'iprev-other-name'],
  ['a stranger', 'mail.example.com', named('a.example.org', 'b.example.org'), IP, 'iprev-other-name'],
  ['no reverse name', 'mail.example.org', {}, IP, 'none'],
  ['a false reverse name', 'mail.example.org', FALSE, IP, 'none'],
  ['its literal', `[${IP}]`, named('mail.example.org'), IP, 'none'],
  ['no host name', 'this is Jupiter', named('mail.example.org'), IP, 'none'],
  ['no HELO', '', named('mail.example.org'), IP, 'none'],
  ['a silent reverse zone', 'mail.example.org', { [PTR]: 'temperror' }, IP, 'dns-temperror'],
  [
    'a name that may be its own, beside one that is',
    'mail.example.org',
    { ...named('a.example.org', 'mail.example.org'), 'mail.example.org': 'temperror' },
    IP,
    'dns-temperror',
  ],
  [
    'none of its names, one of which stays unknown',
    'mx.example.org',
    { ...named('a.example.org', 'mail.example.org'), 'mail.example.org': 'temperror' },
    IP,
    'iprev-other-name',
  ],
  ['a client without address', 'mail.example.org', {}, null, 'none'],
])('a client that gives %s: %5$s', async (_, helo, zone, ip, wanted) => {
  expect(await outcome(otherReverseName, ip, helo, zone)).toBe(wanted);
});

describe('a reverse name', () => {
  const looks = async (helo: string, zone: Zone): Promise<string> => {
    const { finding, result } = await run(genericReverseName, IP, helo, zone);
    return finding === null ? result : `${finding.id} ${finding.evidence['pattern'] ?? ''}`;
  };

  it.each<[string[], string]>([
    [['mail.example.org'], 'pass'],
    [['7.100.51.198.isp.net'], 'iprev-generic reversed decimal'],
    [['dyn-198-51-100-7.isp.net'], 'iprev-generic decimal'],
    [['c6336407.isp.net'], 'iprev-generic hexadecimal'],
    [['p100x7.isp.net'], 'iprev-generic parts of the address'],
    [['host17.adsl.isp.net'], 'iprev-generic adsl'],
    [['dynamic-pool.isp.net'], 'iprev-generic dynamic'],
    [['dhcp12.isp.net'], 'iprev-generic dhcp'],
    // Its owner has chosen the domain, whatever words are in it.
    [['mail.dsl.net'], 'pass'],
    [['198-51-100-7.net'], 'pass'],
    [['vm60.example.org'], 'pass'],
    [['pool-3.mail.example.org'], 'pass'],
    // A name of its own beside that of the provider.
    [['198-51-100-7.isp.net', 'mail.example.org'], 'pass'],
    [['198-51-100-7.isp.net', 'dsl.isp.net'], 'iprev-generic decimal'],
  ])('%j: %s', async (names, wanted) => {
    expect(await looks('mail.example.org', named(...names))).toBe(wanted);
  });

  it.each<[string, Zone, string]>([
    ['that is missing', {}, 'none'],
    ['that does not lead back', FALSE, 'none'],
    ['that DNS does not give', { [PTR]: 'temperror' }, 'dns-temperror servfail'],
    [
      'like that of an access line, beside a proper one that stays unknown',
      { ...named('198-51-100-7.isp.net', 'mail.example.org'), 'mail.example.org': 'temperror' },
      'dns-temperror servfail',
    ],
    [
      'like that of an access line, beside another such one that stays unknown',
      { ...named('198-51-100-7.isp.net', 'dsl.isp.net'), 'dsl.isp.net': 'temperror' },
      'iprev-generic ',
    ],
    [
      'of its own, beside one that stays unknown',
      { ...named('mail.example.org', 'b.example.org'), 'b.example.org': 'temperror' },
      'pass',
    ],
  ])('%s', async (_, zone, wanted) => {
    const { finding, result } = await run(genericReverseName, IP, 'mail.example.org', zone);
    expect(finding === null ? result : `${finding.id} ${finding.evidence['detail'] ?? ''}`).toBe(wanted);
  });

  it('counts whatever the HELO is', async () => {
    expect(await looks(`[${IP}]`, named('198-51-100-7.isp.net'))).toBe('iprev-generic decimal');
  });
});

it('asks DNS nothing that is not asked for the reverse name anyway', async () => {
  const { dns } = await assessed(IP, 'mx.example.org', named('mail.example.org', '198-51-100-7.isp.net'));
  const asked = dns.map(({ name, type }) => `${name} ${type}`);
  expect(asked).toContain(`${PTR} PTR`);
  expect(new Set(asked).size).toBe(asked.length);
});
