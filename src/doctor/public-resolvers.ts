/** Public resolvers, from the pages on which their operators announce them. */
import { parseIp } from '../core/ip.ts';

const PUBLIC: readonly (readonly [operator: string, source: string, addresses: readonly string[]])[] = [
  [
    'Google Public DNS',
    'developers.google.com/speed/public-dns/docs/using',
    ['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844'],
  ],
  [
    'Cloudflare 1.1.1.1',
    'developers.cloudflare.com/1.1.1.1/ip-addresses',
    [
      ...['1.1.1.1', '1.0.0.1', '1.1.1.2', '1.0.0.2', '1.1.1.3', '1.0.0.3'],
      ...['2606:4700:4700::1111', '2606:4700:4700::1001', '2606:4700:4700::1112', '2606:4700:4700::1002'],
      ...['2606:4700:4700::1113', '2606:4700:4700::1003'],
    ],
  ],
  [
    'Quad9',
    'quad9.net/service/service-addresses-and-features',
    [
      ...['9.9.9.9', '149.112.112.112', '9.9.9.10', '149.112.112.10', '9.9.9.11', '149.112.112.11'],
      ...['2620:fe::fe', '2620:fe::9', '2620:fe::10', '2620:fe::fe:10', '2620:fe::11', '2620:fe::fe:11'],
    ],
  ],
  [
    'OpenDNS',
    'opendns.com/setupguide',
    ['208.67.222.222', '208.67.220.220', '2620:119:35::35', '2620:119:53::53'],
  ],
  [
    'AdGuard DNS',
    'adguard-dns.io/en/public-dns.html',
    [
      '94.140.14.14',
      '94.140.15.15',
      '94.140.14.140',
      '94.140.14.141',
      '2a10:50c0::ad1:ff',
      '2a10:50c0::ad2:ff',
    ],
  ],
  ['CleanBrowsing', 'cleanbrowsing.org/filters', ['185.228.168.9', '185.228.169.9']],
  ['Control D', 'controld.com/free-dns', ['76.76.2.0', '76.76.10.0']],
  ['Yandex DNS', 'dns.yandex.com', ['77.88.8.8', '77.88.8.1']],
  ['AliDNS', 'alidns.com', ['223.5.5.5', '223.6.6.6']],
  ['Hurricane Electric', 'dns.he.net', ['74.82.42.42', '2001:470:20::2']],
];

const OPERATORS: ReadonlyMap<string, string> = new Map(
  PUBLIC.flatMap(([operator, , addresses]) =>
    addresses.map((address): [string, string] => [parseIp(address)?.text ?? address, operator]),
  ),
);

/**
 * The operator of the resolver at `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, if it is public; else null.
 */
export function publicOperator(server: string): string | null {
  const bare = parseIp(server) === null ? server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') : server;
  return OPERATORS.get(parseIp(bare)?.text ?? bare) ?? null;
}
