import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { mtaSelfReader, ourselves } from '../../src/policy/our-names.ts';

type Macros = Readonly<Record<string, string>>;

function told(read: ReturnType<typeof mtaSelfReader>, macros: Macros): ReturnType<typeof read> {
  return read({ macro: (name) => macros[name] });
}

describe('the MTA tells', () => {
  it.each<[string, Macros, string | null, string | null]>([
    ['nothing', {}, null, null],
    ['a name', { j: 'MX.Dest.Test.' }, 'mx.dest.test', null],
    ['an address', { daemon_addr: '192.0.2.1' }, null, '192.0.2.1'],
    ['an address in brackets', { daemon_addr: '[192.0.2.1]' }, null, '192.0.2.1'],
    ['an IPv6 address', { if_addr: 'IPv6:2001:DB8:0::1' }, null, '2001:db8::1'],
    ['both of that', { daemon_addr: '[IPv6:2001:db8::1]' }, null, '2001:db8::1'],
    ['the one of the service first', { daemon_addr: '192.0.2.1', if_addr: '192.0.2.2' }, null, '192.0.2.1'],
    ['no address', { daemon_addr: '?' }, null, null],
  ])('%s', (_, macros, name, address) => {
    const self = told(mtaSelfReader(), macros);
    expect([self.name, self.address?.text ?? null]).toEqual([name, address]);
  });

  it('the same again, which is kept until it says otherwise', () => {
    const read = mtaSelfReader();
    const first = told(read, { j: 'mx.dest.test', daemon_addr: '192.0.2.1' });
    expect(told(read, { j: 'mx.dest.test', daemon_addr: '192.0.2.1' })).toBe(first);
    expect(told(read, { j: 'mx2.dest.test', daemon_addr: '192.0.2.1' }).name).toBe('mx2.dest.test');
    expect(told(read, { j: 'mx2.dest.test' }).address).toBeNull();
    expect(told(read, {}).name).toBeNull();
  });
});

it('what is ours is what the operator set and what the MTA tells', () => {
  const [own, other] = ['192.0.2.9', '192.0.2.1'].map((text) => parseIp(text) ?? expect.fail());
  if (own === undefined || other === undefined) expect.fail();
  const set = { ourNames: ['dest.org'], ourAddresses: [own] };
  expect(ourselves(set, { name: null, address: null })).toEqual(set);
  expect(ourselves(set, { name: 'mx.dest.test', address: other })).toEqual({
    ourNames: ['dest.org', 'mx.dest.test'],
    ourAddresses: [own, other],
  });
});
