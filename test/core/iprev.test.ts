import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { iprev } from '../../src/core/iprev.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const REVERSE = '1.2.0.192.in-addr.arpa';
const client = parseIp('192.0.2.1');

async function judge(zone: Zone): Promise<string> {
  if (client === null) throw new Error('no client');
  const { result, verified } = await iprev(client, zoneResolver(zone));
  return [result, ...verified].join(' ');
}

describe('iprev (RFC 8601 §3)', () => {
  it.each<[string, Zone, string]>([
    [
      'a name that leads back',
      { [REVERSE]: { PTR: ['Mail.Example.ORG'] }, 'mail.example.org': { A: ['192.0.2.1'] } },
      'pass mail.example.org',
    ],
    [
      'one name of two',
      {
        [REVERSE]: { PTR: ['a.org', 'b.org'] },
        'a.org': { A: ['192.0.2.9'] },
        'b.org': { A: ['192.0.2.9', '192.0.2.1'] },
      },
      'pass b.org',
    ],
    ['a name that leads elsewhere', { [REVERSE]: { PTR: ['a.org'] }, 'a.org': { A: ['192.0.2.9'] } }, 'fail'],
    ['a name that does not exist', { [REVERSE]: { PTR: ['a.org'] } }, 'fail'],
    ['no name', {}, 'permerror'],
    [
      'an alias in the reverse tree (RFC 2317)',
      {
        [REVERSE]: { CNAME: ['1.0-25.2.0.192.in-addr.arpa'] },
        '1.0-25.2.0.192.in-addr.arpa': { PTR: ['a.org'] },
        'a.org': { A: ['192.0.2.1'] },
      },
      'pass a.org',
    ],
    ['trouble with PTR', { [REVERSE]: 'temperror' }, 'temperror'],
    ['trouble with the only name', { [REVERSE]: { PTR: ['a.org'] }, 'a.org': 'temperror' }, 'temperror'],
    [
      'trouble with one name while another leads back',
      { [REVERSE]: { PTR: ['a.org', 'b.org'] }, 'a.org': 'temperror', 'b.org': { A: ['192.0.2.1'] } },
      'pass b.org',
    ],
    ['names that cannot be asked', { [REVERSE]: { PTR: ['', 'a b', 'a\0.org', 'a\\.org', '-'] } }, 'fail'],
    ['an address that is none', { [REVERSE]: { PTR: ['a.org'] }, 'a.org': { A: ['nonsense'] } }, 'fail'],
  ])('%s', async (_, zone, wanted) => {
    expect(await judge(zone)).toBe(wanted);
  });

  it('follows ten names only, each once', async () => {
    if (client === null) throw new Error('no client');
    const many = Array.from({ length: 1000 }, (_, i) => `h${i + 1}.org`);
    const resolver = zoneResolver({ [REVERSE]: { PTR: ['h0.org', 'H0.org', ...many] } });
    const { names } = await iprev(client, resolver);
    expect(names).toHaveLength(10);
    expect(resolver.queries).toHaveLength(1 + 10);
  });

  it('follows the same names in whatever order a server gives them, those of the HELO’s owner first', async () => {
    if (client === null) throw new Error('no client');
    const own = ['z1.sender.org', 'z2.sender.org'];
    const names = [...Array.from({ length: 30 }, (_, i) => `h${i}.other.org`), ...own];
    const zone = { 'z2.sender.org': { A: ['192.0.2.1'] } };
    for (let turn = 0; turn < names.length; turn++) {
      const rotated = [...names.slice(turn), ...names.slice(0, turn)];
      const resolver = zoneResolver({ ...zone, [REVERSE]: { PTR: rotated } });
      const told = await iprev(client, resolver, 'sender.org');
      expect(told.verified).toEqual(['z2.sender.org']);
      expect(told.names.slice(0, 3)).toEqual([...own, 'h0.other.org']);
    }
  });

  it('says which names stay unknown beside those that lead back', async () => {
    if (client === null) throw new Error('no client');
    const zone: Zone = {
      [REVERSE]: { PTR: ['B.org', 'c.org', 'a.org'] },
      'a.org': { A: ['192.0.2.1'] },
      'b.org': 'temperror',
    };
    const { result, trouble, unanswered } = await iprev(client, zoneResolver(zone));
    expect({ result, trouble, unanswered }).toEqual({
      result: 'pass',
      trouble: null,
      unanswered: [{ name: 'b.org', question: 'b.org A', detail: 'servfail' }],
    });
  });

  it('asks AAAA for an IPv6 client', async () => {
    const address = parseIp('2001:db8::1');
    if (address === null) throw new Error('no client');
    const name = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;
    const resolver = zoneResolver({ [name]: { PTR: ['a.org'] }, 'a.org': { AAAA: ['2001:DB8:0::1'] } });
    expect((await iprev(address, resolver)).verified).toEqual(['a.org']);
  });
});
