import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { type PublishedRecord, recordsFor, stateOf } from '../../src/advice/records.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const addresses = ['192.0.2.1', '2001:db8::1'].map(parseIp).filter((address) => address !== null);
const records = recordsFor('mail.org', addresses);

function record(owner: string, type: PublishedRecord['type']): PublishedRecord {
  const found = records.find((each) => each.owner === owner && each.type === type);
  if (found === undefined) throw new Error(`no ${owner} ${type}`);
  return found;
}

describe('stateOf', () => {
  it.each<[string, PublishedRecord, Zone, string]>([
    ['an address', record('mail.org', 'A'), { 'mail.org': { A: ['192.0.2.9', '192.0.2.1'] } }, 'ok'],
    [
      'an address spelt otherwise',
      record('mail.org', 'AAAA'),
      { 'mail.org': { AAAA: ['2001:DB8:0::1'] } },
      'ok',
    ],
    ['another address', record('mail.org', 'A'), { 'mail.org': { A: ['192.0.2.9'] } }, 'different'],
    ['nonsense', record('mail.org', 'A'), { 'mail.org': { A: ['x'] } }, 'different'],
    ['no record', record('mail.org', 'A'), { 'mail.org': { TXT: ['x'] } }, 'missing'],
    ['no name', record('mail.org', 'A'), {}, 'missing'],
    ['trouble', record('mail.org', 'A'), { 'mail.org': 'temperror' }, 'unknown'],
    [
      'a reverse name',
      record('1.2.0.192.in-addr.arpa', 'PTR'),
      { '1.2.0.192.in-addr.arpa': { PTR: ['Mail.ORG'] } },
      'ok',
    ],
    [
      'SPF',
      record('mail.org', 'TXT'),
      { 'mail.org': { TXT: ['x', 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all'] } },
      'ok',
    ],
    ['another SPF', record('mail.org', 'TXT'), { 'mail.org': { TXT: ['v=spf1 -all'] } }, 'different'],
    [
      'a text for something else',
      record('mail.org', 'TXT'),
      { 'mail.org': { TXT: ['google-site=x'] } },
      'missing',
    ],
    [
      'CSA',
      record('_client._smtp.mail.org', 'SRV'),
      { '_client._smtp.mail.org': { SRV: [{ priority: 1, weight: 2, port: 0, target: 'MAIL.org' }] } },
      'ok',
    ],
    [
      'another CSA',
      record('_client._smtp.mail.org', 'SRV'),
      { '_client._smtp.mail.org': { SRV: [{ priority: 1, weight: 1, port: 0, target: 'mail.org' }] } },
      'different',
    ],
  ])('of %s', async (_, wanted, zone, state) => {
    expect(await stateOf(wanted, zoneResolver(zone))).toBe(state);
  });
});
