import { expect, it } from 'vitest';
import { parsePrefix } from '../../src/core/ip.ts';
import type { ConnectInfo } from '../../src/milter/index.ts';
import { ConnectedClient } from '../../src/session/connected-client.ts';
import { RULES } from '../support/service.ts';
import { context } from '../support/session.ts';

const network = (text: string): NonNullable<ReturnType<typeof parsePrefix>> =>
  parsePrefix(text) ?? expect.fail();
const from = (address: string | null, hostname = 'a.test'): ConnectInfo => ({
  hostname,
  family: address === null ? 'unknown' : address.includes(':') ? 'inet6' : 'inet',
  address,
  port: null,
});

it.each<[string, string | null, string | null, string | null]>([
  ['a stranger', '198.51.100.7', '198.51.100.7', null],
  ['this host', '127.0.0.1', '127.0.0.1', 'loopback'],
  ['a trusted network', '192.0.2.1', '192.0.2.1', 'trusted'],
  ['one behind our NAT64', '2001:db8:64::c633:6407', '198.51.100.7', null],
  ['one whose address behind our NAT64 is trusted', '2001:db8:64::c000:201', '192.0.2.1', 'trusted'],
  ['one trusted as the MTA sees it', '2001:db8:64::cb00:7101', '203.0.113.1', 'trusted'],
  ['one without an address', null, null, null],
])('%s: %s is %s, exempt: %s', (_, address, ip, exempt) => {
  const rules = {
    ...RULES,
    trusted: [network('192.0.2.0/24'), network('2001:db8:64::cb00:7100/120')],
    nat64: [network('2001:db8:64::/96')],
  };
  const client = new ConnectedClient(from(address), context(), rules, 5);
  expect([client.ip?.text ?? null, client.exempt, client.connectedAt]).toEqual([ip, exempt, 5]);
});

it.each([
  ['root@localhost', 'local'],
  ['[unknown]', null],
])('with the macro _ as %s at MAIL, a client without an address is exempt: %s', (told, exempt) => {
  const client = new ConnectedClient(from(null, 'localhost'), context(), RULES, 0);
  expect(client.exempt).toBeNull();
  client.lookAgain(context({ _: told }));
  expect(client.exempt).toBe(exempt);
});
