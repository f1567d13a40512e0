import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { createOurselves } from '../../src/policy/our-names.ts';

type Macros = Readonly<Record<string, string>>;
const own = { ourNames: ['dest.org'], ourAddresses: [] };

function told(ourselves: ReturnType<typeof createOurselves>, macros: Macros): ReturnType<typeof ourselves> {
  return ourselves({ macro: (name) => macros[name] });
}

describe('ourselves', () => {
  it.each<[string, Macros, string[], string[]]>([
    ['nothing', {}, ['dest.org'], []],
    ['a name', { j: 'MX.Dest.Test.' }, ['dest.org', 'mx.dest.test'], []],
    ['an address', { daemon_addr: '192.0.2.1' }, ['dest.org'], ['192.0.2.1']],
    ['an address in brackets', { daemon_addr: '[192.0.2.1]' }, ['dest.org'], ['192.0.2.1']],
    ['an IPv6 address', { if_addr: 'IPv6:2001:DB8:0::1' }, ['dest.org'], ['2001:db8::1']],
    ['both of that', { daemon_addr: '[IPv6:2001:db8::1]' }, ['dest.org'], ['2001:db8::1']],
    [
      'the one of the service first',
      { daemon_addr: '192.0.2.1', if_addr: '192.0.2.2' },
      ['dest.org'],
      ['192.0.2.1'],
    ],
    ['no address', { daemon_addr: '?' }, ['dest.org'], []],
  ])('the MTA tells %s', (_, macros, names, addresses) => {
    const { ourNames, ourAddresses } = told(
      createOurselves(() => own),
      macros,
    );
    expect(ourNames).toEqual(names);
    expect(ourAddresses.map(({ text }) => text)).toEqual(addresses);
  });

  it('is kept while nobody says otherwise', () => {
    let configured: Parameters<typeof createOurselves>[0] extends () => infer T ? T : never = own;
    const ourselves = createOurselves(() => configured);
    const first = told(ourselves, { j: 'mx.dest.test', daemon_addr: '192.0.2.1' });
    expect(told(ourselves, { j: 'mx.dest.test', daemon_addr: '192.0.2.1' })).toBe(first);
    expect(told(ourselves, { j: 'mx2.dest.test', daemon_addr: '192.0.2.1' }).ourNames).toContain(
      'mx2.dest.test',
    );
    expect(told(ourselves, { j: 'mx2.dest.test' }).ourAddresses).toEqual([]);
    const address = parseIp('192.0.2.9');
    configured = { ourNames: [], ourAddresses: address === null ? [] : [address] };
    expect(told(ourselves, {}).ourAddresses).toHaveLength(1);
  });
});
