import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { type PublishedRecord, quotedText, recordsFor } from '../../src/advice/records.ts';
import { stateOf } from '../../src/advice/record-states.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const addresses = ['192.0.2.1', '2001:db8::1'].map(parseIp).filter((address) => address !== null);
const records = recordsFor('mail.org', addresses);
const BOTH = { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] };
const srv = (weight: number, target: string): Zone[string] => ({
  SRV: [{ priority: 1, weight, port: 0, target }],
});

function record(owner: string, type: PublishedRecord['type']): PublishedRecord {
  const found = records.find((each) => each.owner === owner && each.type === type);
  if (found === undefined) throw new Error(`no ${owner} ${type}`);
  return found;
}

const SPF = record('mail.org', 'TXT');
const CSA = record('_client._smtp.mail.org', 'SRV');
const AUTH = record('_auth.mail.org', 'TXT');

describe('stateOf', () => {
  it.each<[string, PublishedRecord, Zone, string, string[]]>([
    [
      'an address',
      record('mail.org', 'A'),
      { 'mail.org': { A: ['192.0.2.9', '192.0.2.1'] } },
      'ok',
      ['192.0.2.9', '192.0.2.1'],
    ],
    [
      'an address spelt otherwise',
      record('mail.org', 'AAAA'),
      { 'mail.org': { AAAA: ['2001:DB8:0::1'] } },
      'ok',
      ['2001:DB8:0::1'],
    ],
    [
      'another address',
      record('mail.org', 'A'),
      { 'mail.org': { A: ['192.0.2.9'] } },
      'different',
      ['192.0.2.9'],
    ],
    ['nonsense', record('mail.org', 'A'), { 'mail.org': { A: ['x'] } }, 'different', ['x']],
    ['no record', record('mail.org', 'A'), { 'mail.org': { TXT: ['x'] } }, 'missing', []],
    ['no name', record('mail.org', 'A'), {}, 'missing', []],
    ['trouble', record('mail.org', 'A'), { 'mail.org': 'temperror' }, 'unknown', []],
    [
      'a reverse name',
      record('1.2.0.192.in-addr.arpa', 'PTR'),
      { '1.2.0.192.in-addr.arpa': { PTR: ['Mail.ORG'] } },
      'ok',
      ['mail.org.'],
    ],
    [
      'SPF as we write it',
      SPF,
      { 'mail.org': { TXT: ['x', 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all'] } },
      'ok',
      ['v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all'],
    ],
    [
      'SPF that is as good',
      SPF,
      { 'mail.org': { ...BOTH, TXT: ['v=spf1 a -all'] } },
      'ok',
      ['v=spf1 a -all'],
    ],
    [
      'SPF that permits one of two',
      SPF,
      { 'mail.org': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] } },
      'different',
      ['v=spf1 ip4:192.0.2.1 -all'],
    ],
    [
      'SPF that permits everybody',
      SPF,
      { 'mail.org': { TXT: ['v=spf1 +all'] } },
      'different',
      ['v=spf1 +all'],
    ],
    [
      'SPF twice',
      SPF,
      { 'mail.org': { ...BOTH, TXT: ['v=spf1 a -all', 'v=spf1 a'] } },
      'different',
      ['v=spf1 a -all', 'v=spf1 a'],
    ],
    ['SPF that cannot be asked for', SPF, { 'mail.org': { TXT: 'temperror' } }, 'unknown', []],
    ['a text for something else', SPF, { 'mail.org': { TXT: ['google-site=x'] } }, 'missing', []],
    [
      'CSA',
      CSA,
      { 'mail.org': BOTH, '_client._smtp.mail.org': srv(2, 'MAIL.org') },
      'ok',
      ['1 2 0 mail.org.'],
    ],
    [
      'CSA by another target',
      CSA,
      { 'hosts.org': BOTH, '_client._smtp.mail.org': srv(2, 'hosts.org') },
      'ok',
      ['1 2 0 hosts.org.'],
    ],
    [
      'another CSA',
      CSA,
      { 'mail.org': BOTH, '_client._smtp.mail.org': srv(1, 'mail.org') },
      'different',
      ['1 1 0 mail.org.'],
    ],
    [
      'CSA without addresses',
      CSA,
      { '_client._smtp.mail.org': srv(2, 'mail.org') },
      'different',
      ['1 2 0 mail.org.'],
    ],
    ['no CSA', CSA, {}, 'missing', []],
    ['_auth', AUTH, { 'mail.org': BOTH, '_auth.mail.org': { TXT: ['helo=A'] } }, 'ok', ['helo=A']],
    [
      '_auth without the host',
      AUTH,
      { '_auth.mail.org': { TXT: ['helo=192.0.2.9'] } },
      'different',
      ['helo=192.0.2.9'],
    ],
  ])('of %s', async (_, wanted, zone, state, found) => {
    expect(await stateOf(wanted, 'mail.org', addresses, zoneResolver(zone))).toMatchObject({
      state,
      records: found,
    });
  });
});

it('texts are cut into strings of 255 octets, and their quotes escaped', () => {
  expect(quotedText('a "b" \\c')).toBe('"a \\"b\\" \\\\c"');
  expect(quotedText('x'.repeat(300))).toBe(`"${'x'.repeat(255)}" "${'x'.repeat(45)}"`);
  expect(quotedText('')).toBe('""');
});
