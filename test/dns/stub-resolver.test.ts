import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RecordType, Resolver } from '../../src/core/resolver.ts';
import { ServerAddressError } from '../../src/dns/server-address.ts';
import { createStubResolver } from '../../src/dns/stub-resolver.ts';
import { type DnsStub, type Script, startDnsStub } from '../support/dns-stub.ts';

const stubs: DnsStub[] = [];
afterEach(async () => {
  await Promise.all(stubs.splice(0).map((stub) => stub.close()));
});

async function stub(table: Readonly<Record<string, Script>>): Promise<DnsStub> {
  const made = await startDnsStub(table);
  stubs.push(made);
  return made;
}

function resolverOf(servers: readonly string[], timeoutMs = 2000): Resolver {
  return createStubResolver({ servers, timeoutMs, now: () => performance.now() });
}

/** An address where nobody listens. */
async function nobody(): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
  return `127.0.0.1:${port}`;
}

const a = (data: string, ttl = 60): Script => [{ name: '*', type: 'A', ttl, data }];

describe('answers', () => {
  it.each<[string, RecordType, Script, unknown]>([
    [
      'A with the least TTL',
      'A',
      [
        { name: 'x.org', type: 'A', ttl: 60, data: '192.0.2.1' },
        { name: 'x.org', type: 'A', ttl: 30, data: '192.0.2.2' },
      ],
      { status: 'found', records: ['192.0.2.1', '192.0.2.2'], ttl: 30 },
    ],
    [
      'AAAA',
      'AAAA',
      [{ name: 'x.org', type: 'AAAA', ttl: 60, data: '2001:db8::1' }],
      { status: 'found', records: ['2001:db8::1'], ttl: 60 },
    ],
    [
      'PTR',
      'PTR',
      [{ name: 'x.org', type: 'PTR', ttl: 61, data: 'mail.x.org' }],
      { status: 'found', records: ['mail.x.org'], ttl: 61 },
    ],
    [
      'MX',
      'MX',
      [{ name: 'x.org', type: 'MX', ttl: 62, data: { preference: 10, exchange: 'm.x.org' } }],
      { status: 'found', records: [{ preference: 10, exchange: 'm.x.org' }], ttl: 62 },
    ],
    [
      'NS',
      'NS',
      [{ name: 'x.org', type: 'NS', ttl: 63, data: 'ns.x.org' }],
      { status: 'found', records: ['ns.x.org'], ttl: 63 },
    ],
    [
      'CNAME',
      'CNAME',
      [{ name: 'x.org', type: 'CNAME', ttl: 64, data: 'y.org' }],
      { status: 'found', records: ['y.org'], ttl: 64 },
    ],
    [
      'SRV',
      'SRV',
      [{ name: 'x.org', type: 'SRV', ttl: 65, data: { priority: 1, weight: 2, port: 0, target: 'y.org' } }],
      { status: 'found', records: [{ priority: 1, weight: 2, port: 0, target: 'y.org' }], ttl: 65 },
    ],
    [
      'SOA',
      'SOA',
      [
        {
          name: 'x.org',
          type: 'SOA',
          ttl: 66,
          data: {
            mname: 'ns.x.org',
            rname: 'h.x.org',
            serial: 1,
            refresh: 1,
            retry: 1,
            expire: 1,
            minimum: 1,
          },
        },
      ],
      { status: 'found', records: [{ mname: 'ns.x.org' }], ttl: 66 },
    ],
    [
      'TXT, its strings joined',
      'TXT',
      [{ name: 'x.org', type: 'TXT', ttl: 67, data: ['v=spf1 ', '-all'] }],
      { status: 'found', records: ['v=spf1 -all'], ttl: 67 },
    ],
    [
      'a name behind an alias',
      'A',
      [
        { name: 'x.org', type: 'CNAME', ttl: 90, data: 'y.org' },
        { name: 'y.org', type: 'A', ttl: 60, data: '192.0.2.1' },
      ],
      { status: 'found', records: ['192.0.2.1'], ttl: 60, alias: 'y.org' },
    ],
    ['nodata', 'A', [], { status: 'nodata', ttl: null }],
    [
      'an alias to a name without the type',
      'A',
      [{ name: 'x.org', type: 'CNAME', data: 'y.org' }],
      { status: 'nodata', ttl: null, alias: 'y.org' },
    ],
    ['nxdomain', 'A', 'nxdomain', { status: 'nxdomain', ttl: null }],
    ['SERVFAIL', 'A', 'servfail', { status: 'temperror', detail: 'servfail' }],
    ['REFUSED', 'A', 'refused', { status: 'temperror', detail: 'refused' }],
    ['NOTIMP', 'A', 'notimp', { status: 'temperror', detail: 'notimp' }],
  ])('%s', async (_, type, script, wanted) => {
    const { server } = await stub({ 'x.org': script, 'y.org': [] });
    expect(await resolverOf([server]).lookup('x.org', type)).toEqual(wanted);
  });

  it('over TCP where UDP is truncated', async () => {
    const { server, questions } = await stub({ '*': { truncated: a('192.0.2.1') } });
    expect(await resolverOf([server]).lookup('x.org', 'A')).toMatchObject({
      status: 'found',
      records: ['192.0.2.1'],
    });
    expect(questions).toContain('x.org A tcp');
  });

  it.each<[string, Script]>([
    ['silence', 'silence'],
    ['answers with a wrong id', 'wrong-id'],
    ['garbage', 'garbage'],
    ['truncation with broken TCP', { truncated: 'no-tcp' }],
    ['truncation with silent TCP', { truncated: 'silence' }],
    ['an answer that comes too late', { delayMs: 5000, then: a('192.0.2.1') }],
  ])('%s is an unknown, in time', async (_, script) => {
    const { server } = await stub({ '*': script });
    const started = performance.now();
    expect(await resolverOf([server], 600).lookup('x.org', 'A')).toMatchObject({ status: 'temperror' });
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('a second question', () => {
  it.each<[string, Script]>([
    ['an address', a('192.0.2.9', 3600)],
    ['nodata', []],
    ['nxdomain', 'nxdomain'],
  ])('reaches the server whatever it said before: %s', async (_, before) => {
    const server = await stub({ '*': before });
    const resolver = resolverOf([server.server]);
    await resolver.lookup('x.org', 'A');
    server.script({ '*': a('192.0.2.1') });
    expect(await resolver.lookup('X.org', 'A')).toMatchObject({ records: ['192.0.2.1'] });
    expect(server.questions).toEqual(['x.org A', 'x.org A']);
  });
});

describe('the gate on names', () => {
  it.each(['', 'x\0.org', 'a\\.org', 'grüße.org', 'x'.repeat(64), `${'a.'.repeat(130)}org`])(
    '%j is never asked',
    async (name) => {
      const { server, questions } = await stub({ '*': a('192.0.2.1') });
      expect(await resolverOf([server]).lookup(name, 'A')).toEqual({ status: 'nxdomain', ttl: null });
      expect(questions).toEqual([]);
    },
  );
});

describe('several servers', () => {
  it('a dead first one is asked first once, and then again when it is back', async () => {
    const dead = await stub({ '*': 'silence' });
    const good = await stub({ '*': a('192.0.2.1') });
    const resolver = resolverOf([dead.server, good.server], 800);
    expect(await resolver.lookup('x.org', 'A')).toMatchObject({ status: 'found' });
    expect(good.questions).toEqual(['x.org A']);
    // If the dead server were still waited for, each answer would come as late as the first.
    good.script({ '*': a('192.0.2.2') });
    dead.script({ '*': a('192.0.2.3') });
    const answered: unknown[] = [];
    await vi.waitFor(
      async () => {
        answered.push(await resolver.lookup(`h${answered.length}.org`, 'A'));
        expect(answered.at(-1)).toMatchObject({ records: ['192.0.2.3'] });
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(answered[0]).toMatchObject({ records: ['192.0.2.2'] });
  });

  it('a closed port is passed over', async () => {
    const good = await stub({ '*': a('192.0.2.1') });
    expect(await resolverOf([await nobody(), good.server]).lookup('x.org', 'A')).toMatchObject({
      status: 'found',
    });
  });

  it.each<Script>(['servfail', 'refused', 'notimp'])(
    '%s from the first is asked of the second',
    async (script) => {
      const [first, second] = [await stub({ '*': script }), await stub({ '*': a('192.0.2.1') })];
      expect(await resolverOf([first.server, second.server]).lookup('x.org', 'A')).toMatchObject({
        status: 'found',
      });
    },
  );

  it('a no from the first is a no', async () => {
    const [first, second] = [await stub({ '*': 'nxdomain' }), await stub({ '*': a('192.0.2.1') })];
    expect(await resolverOf([first.server, second.server]).lookup('x.org', 'A')).toMatchObject({
      status: 'nxdomain',
    });
    expect(second.questions).toEqual([]);
  });

  it('all dead is an unknown within the time of one question', async () => {
    const [first, second] = [await stub({ '*': 'silence' }), await stub({ '*': 'silence' })];
    const started = performance.now();
    expect(await resolverOf([first.server, second.server], 500).lookup('x.org', 'A')).toMatchObject({
      status: 'temperror',
    });
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('load', () => {
  it('joins equal questions under way', async () => {
    const { server, questions } = await stub({ '*': { delayMs: 30, then: a('192.0.2.1') } });
    const resolver = resolverOf([server]);
    await Promise.all([
      resolver.lookup('x.org', 'A'),
      resolver.lookup('X.ORG', 'A'),
      resolver.lookup('x.org', 'AAAA'),
    ]);
    expect(questions.sort()).toEqual(['x.org A', 'x.org AAAA']);
  });

  it('answers all where more is asked than goes at once', async () => {
    const { server, questions } = await stub({ '*': { delayMs: 100, then: a('192.0.2.1') } });
    const resolver = resolverOf([server], 20_000);
    const answers = Array.from({ length: 450 }, (_, i) => resolver.lookup(`h${i}.org`, 'A'));
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set(['found']));
    expect(questions).toHaveLength(450);
  });

  it('answers overload where too many wait, or too long', async () => {
    const { server } = await stub({ '*': 'silence' });
    const resolver = resolverOf([server], 300);
    const answers = await Promise.all(
      Array.from({ length: 7_000 }, (_, i) => resolver.lookup(`h${i}.org`, 'A')),
    );
    const details = answers.map((answer) => (answer.status === 'temperror' ? answer.detail : answer.status));
    // Each place is taken once at most: nobody gets a second turn within the time limit.
    expect(details.filter((detail) => detail === 'timeout').length).toBeLessThan(3_000);
    expect(new Set(details)).toEqual(new Set(['timeout', 'overload']));
  });
});

describe('the address of a server', () => {
  it.each(['127.0.0.1', '127.0.0.1:5353', '[::1]:5353', '[::1]', '::1', '2001:db8::53'])(
    'takes %s',
    (server) => {
      expect(() => resolverOf([server])).not.toThrow();
    },
  );

  it.each([
    '',
    'localhost',
    '127.0.0.1:0',
    '127.0.0.1:70000',
    '127.0.0.1:x',
    '256.0.0.1',
    '[::1',
    'a:b:c',
    '[192.0.2.1.5]:53',
  ])('refuses %j', (server) => {
    expect(() => resolverOf([server])).toThrow(ServerAddressError);
  });

  it('none means those of the system', () => {
    expect(() => resolverOf([])).not.toThrow();
  });
});
