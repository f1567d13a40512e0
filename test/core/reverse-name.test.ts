import { expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { holdsAddress } from '../../src/core/reverse-name.ts';

it.each<[string, string, boolean]>([
  // decimal, in order and reversed, with and without zeros
  ['192.0.2.60', '192-0-2-60.dyn.isp.net', true],
  ['192.0.2.60', '60.2.0.192.isp.net', true],
  ['192.0.2.60', 'host-2-60.isp.net', true],
  ['192.0.2.60', 'h060x002.isp.net', true],
  ['192.0.2.60', 'ip192000002060.isp.net', true],
  ['192.0.2.60', '3221226044.isp.net', true],
  ['54.240.8.29', 'a8-29.smtp-out.amazonses.com', true],
  // hexadecimal
  ['192.0.2.60', 'c000023c.isp.net', true],
  ['192.0.2.60', '3c0200c0.isp.net', true],
  ['192.0.2.60', 'c0-00-02-3c.isp.net', true],
  ['203.0.113.77', 'ip-CB00714D.isp.net', true],
  // one number is not enough, nor is one octet twice
  ['192.0.2.60', 'vm60.hoster.net', false],
  ['192.0.2.60', 'vm60-60.hoster.net', false],
  ['192.0.2.60', 'mail.example.org', false],
  ['40.107.22.87', 'mail-am6eur05on2087.outbound.protection.outlook.com', false],
  // a registered name is its owner's, whatever it looks like
  ['163.44.5.1', 'mail5.163.com', false],
  ['192.0.2.60', '192-0-2-60.com', false],
  // IPv6: two groups
  ['2001:db8:a:b::25', '2001-db8-a-b--25.isp.net', true],
  ['2001:db8:a:b::25', '5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.0.0.0.a.0.0.0.8.b.d.0.1.0.0.2.isp.net', true],
  ['2001:db8:a:b:1234:5678:9abc:def0', 'x123456789abcdef0.isp.net', true],
  ['2001:db8:a:b::25', 'mx25.isp.net', false],
  ['2001:db8:a:b::25', 'mail.example.org', false],
  ['192.0.2.60', '', false],
])('%s is in %s: %s', (ip, name, held) => {
  const address = parseIp(ip);
  if (address === null) throw new Error(ip);
  expect(holdsAddress(name, address)).toBe(held);
});
