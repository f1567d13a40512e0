import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseResolvConf, type ResolvConf, watchResolvConf } from '../../src/dns/resolv-conf.ts';

const DEFAULTS: ResolvConf = {
  servers: ['127.0.0.1'],
  timeoutMs: 5000,
  attempts: 2,
  rotate: false,
  trustAd: false,
};

describe('resolv.conf', () => {
  it.each<[string, string, Partial<ResolvConf>]>([
    ['nothing', '', {}],
    ['a server', 'nameserver 192.0.2.53\n', { servers: ['192.0.2.53'] }],
    [
      'three of four servers',
      'nameserver 192.0.2.1\nnameserver\t2001:db8::1  \nnameserver fe80::1%lo\nnameserver 192.0.2.4',
      { servers: ['192.0.2.1', '2001:db8::1', 'fe80::1%lo'] },
    ],
    ['what is no address', 'nameserver ns.example.org\nnameserver\n', {}],
    ['comments, and lines that are indented', '# nameserver 192.0.2.1\n; x\n nameserver 192.0.2.2\n', {}],
    [
      'options of several lines',
      'options timeout:1 rotate\noptions attempts:3 trust-ad edns0 unknown:7\n',
      { timeoutMs: 1000, attempts: 3, rotate: true, trustAd: true },
    ],
    ['numbers out of bounds', 'options timeout:999 attempts:99\n', { timeoutMs: 30_000, attempts: 5 }],
    ['zeros', 'options timeout:0 attempts:0\n', { timeoutMs: 1000, attempts: 1 }],
    ['what is no number', 'options timeout:x attempts:\n', {}],
    [
      'line ends of another system',
      'nameserver 192.0.2.1\r\noptions rotate\r\n',
      { servers: ['192.0.2.1'], rotate: true },
    ],
  ])('with %s', (_, text, wanted) => {
    expect(parseResolvConf(text)).toEqual({ ...DEFAULTS, ...wanted });
  });
});

describe('the file', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'resolv-'));
    path = join(directory, 'resolv.conf');
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is read again when it has changed, and looked at once a second', () => {
    let now = 0;
    const read = watchResolvConf(() => now, path);
    expect(read()).toEqual(DEFAULTS);
    writeFileSync(path, 'nameserver 192.0.2.1\n');
    now = 999;
    expect(read().servers).toEqual(['127.0.0.1']);
    now = 1000;
    const first = read();
    expect(first.servers).toEqual(['192.0.2.1']);
    // Replaced, as DHCP clients do, by a file with the same text.
    writeFileSync(`${path}.new`, 'nameserver 192.0.2.1\n');
    renameSync(`${path}.new`, path);
    now = 2000;
    expect(read()).toBe(first);
    rmSync(path);
    now = 3000;
    expect(read()).toBe(first);
    writeFileSync(path, 'nameserver 192.0.2.2\n');
    now = 4000;
    expect(read().servers).toEqual(['192.0.2.2']);
  });
});
