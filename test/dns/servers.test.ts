import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serversOf } from '../../src/dns/servers.ts';

let directory: string;
let resolvConf: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'servers-'));
  resolvConf = join(directory, 'resolv.conf');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('who is believed to have validated an answer', () => {
  it.each([
    ['127.0.0.1', '', true],
    ['127.0.0.53', '', true],
    ['::1', '', true],
    ['192.0.2.1', '', false],
    ['2001:db8::1', '', false],
    ['192.0.2.1', 'options trust-ad', true],
  ])('%s of the system, %j: %s', (address, options, trusted) => {
    writeFileSync(resolvConf, `nameserver ${address}\n${options}\n`);
    const { upstreams } = serversOf({ servers: [], timeoutMs: 3000, now: () => 0, resolvConf })();
    expect(upstreams.map((each) => each.trusted)).toEqual([trusted]);
  });

  it('a named server only on loopback, whatever the file says', () => {
    writeFileSync(resolvConf, 'options trust-ad\n');
    const servers = ['192.0.2.1', '[::1]:5353'];
    const { upstreams } = serversOf({ servers, timeoutMs: 3000, now: () => 0, resolvConf })();
    expect(upstreams.map((each) => each.trusted)).toEqual([false, true]);
  });
});

it('changes with the file', () => {
  let now = 0;
  writeFileSync(resolvConf, 'nameserver 192.0.2.1\n');
  const next = serversOf({ servers: [], timeoutMs: 3000, now: () => now, resolvConf });
  const [old] = next().upstreams;
  writeFileSync(resolvConf, 'nameserver 192.0.2.2\noptions trust-ad\n');
  now = 999;
  expect(next().upstreams).toEqual([old]);
  now = 1000;
  const [fresh] = next().upstreams;
  expect([old?.trusted, fresh?.trusted]).toEqual([false, true]);
});

describe('the order', () => {
  it('is that of the file, and rotates where it says so', () => {
    let now = 0;
    writeFileSync(resolvConf, 'nameserver 192.0.2.1\nnameserver 192.0.2.2\n');
    const next = serversOf({ servers: [], timeoutMs: 3000, now: () => now, resolvConf });
    const [first, second] = next().upstreams;
    expect(next().upstreams).toEqual([first, second]);
    writeFileSync(resolvConf, 'nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions rotate attempts:3\n');
    now = 1000;
    const { upstreams, attempts } = next();
    expect(attempts).toBe(3);
    expect(upstreams[0]).not.toBe(first);
    expect(next().upstreams).toEqual([...upstreams].reverse());
    expect(next().upstreams).toEqual(upstreams);
  });

  it('has silent servers last, until they answer', () => {
    const next = serversOf({ servers: ['192.0.2.1', '192.0.2.2'], timeoutMs: 3000, now: () => 10 });
    const [first, second] = next().upstreams;
    first?.missed(5);
    expect(next().upstreams).toEqual([second, first]);
    first?.answered(20);
    expect(next().upstreams).toEqual([first, second]);
  });
});

describe('how long a server is waited for', () => {
  const one = (): NonNullable<ReturnType<ReturnType<typeof serversOf>>['upstreams'][0]> => {
    const [upstream] = serversOf({ servers: ['192.0.2.1', '192.0.2.2'], timeoutMs: 3000, now: () => 10 })()
      .upstreams;
    if (upstream === undefined) throw new Error('no server');
    return upstream;
  };

  it('is its share of the time at first', () => {
    expect(one().waitMs).toBe(1000);
  });

  it('follows its round trips, within bounds', () => {
    const upstream = one();
    for (let i = 0; i < 50; i++) upstream.answered(1);
    expect(upstream.waitMs).toBe(50);
    for (let i = 0; i < 50; i++) upstream.answered(200);
    expect(upstream.waitMs).toBeGreaterThanOrEqual(200);
    expect(upstream.waitMs).toBeLessThan(240);
    for (let i = 0; i < 50; i++) upstream.answered(5000);
    expect(upstream.waitMs).toBe(1000);
  });

  it('does not tell of a slow domain: a server that answered others is not silent', () => {
    const upstream = one();
    upstream.answered(20);
    upstream.missed(5);
    expect(upstream.silent).toBe(false);
  });
});
