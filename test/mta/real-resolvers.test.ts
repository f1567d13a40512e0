/**
 * Our resolver against a real name server (NSD) and a real validating resolver (unbound), by themselves and
 * together.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import { createStubResolver } from '../../src/dns/stub-resolver.ts';
import { type Nsd, startNsd, withSystemPath } from './kit/nsd.ts';
import { describeWith } from './kit/present.ts';
import { startUnbound, type Unbound } from './kit/unbound.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const LONG = Array.from(
  { length: 60 },
  (_, i) => `long IN TXT "${String(i).padStart(4, '0')}${'x'.repeat(200)}"`,
);
const RECORDS = `
mail IN A 198.51.100.7
mail IN AAAA 2001:db8::7
@ IN MX 10 mail
@ IN TXT "v=spf1 " "a -all"
_client._smtp.mail IN SRV 1 2 0 mail
alias IN CNAME mail
dangling IN CNAME gone
chain IN CNAME alias
loop1 IN CNAME loop2
loop2 IN CNAME loop1
*.wild IN A 198.51.100.8
d IN DNAME mail-farm.example.com.
xn--a IN A 198.51.100.9
user\\@x+y/z IN A 198.51.100.10
-edge- IN A 198.51.100.11
two\\032words IN A 198.51.100.12
dot\\.ted IN A 198.51.100.13
${LONG.join('\n')}
`;

/** What both must say about the same zone, including the TTL of a "no". */
const QUESTIONS: readonly [
  name: string,
  type: RecordType,
  wanted: Answer<RecordType> | Record<string, unknown>,
][] = [
  ['mail.example.org', 'A', { status: 'found', records: ['198.51.100.7'] }],
  ['MAIL.Example.org', 'AAAA', { status: 'found', records: ['2001:db8::7'] }],
  ['example.org', 'MX', { status: 'found', records: [{ preference: 10, exchange: 'mail.example.org' }] }],
  ['example.org', 'TXT', { status: 'found', records: ['v=spf1 a -all'] }],
  ['example.org', 'NS', { status: 'found', records: ['ns.example.org'] }],
  ['example.org', 'SOA', { status: 'found', records: [{ mname: 'ns.example.org' }] }],
  [
    '_client._smtp.mail.example.org',
    'SRV',
    { status: 'found', records: [{ priority: 1, weight: 2, port: 0, target: 'mail.example.org' }] },
  ],
  ['chain.example.org', 'A', { status: 'found', records: ['198.51.100.7'] }],
  ['alias.example.org', 'CNAME', { status: 'found', records: ['mail.example.org'] }],
  ['x.wild.example.org', 'A', { status: 'found', records: ['198.51.100.8'] }],
  ['a.d.example.org', 'A', { status: 'found', records: ['198.51.100.20'] }],
  ['xn--a.example.org', 'A', { status: 'found', records: ['198.51.100.9'] }],
  ['user@x+y/z.example.org', 'A', { status: 'found', records: ['198.51.100.10'] }],
  ['-edge-.example.org', 'A', { status: 'found', records: ['198.51.100.11'] }],
  ['two words.example.org', 'A', { status: 'found', records: ['198.51.100.12'] }],
  ['dot.ted.example.org', 'A', { status: 'nxdomain', ttl: 60 }],
  ['gone.example.org', 'A', { status: 'nxdomain', ttl: 60 }],
  ['dangling.example.org', 'A', { status: 'nxdomain', ttl: 60 }],
  ['mail.example.org', 'MX', { status: 'nodata', ttl: 60 }],
  ['wild.example.org', 'A', { status: 'nodata', ttl: 60 }],
  ['alias.example.org', 'TXT', { status: 'nodata', ttl: 60 }],
  ['loop1.example.org', 'A', { status: 'temperror' }],
];

function ask(servers: readonly string[], name: string, type: RecordType): Promise<Answer<RecordType>> {
  return createStubResolver({ servers, timeoutMs: 20_000, now: () => performance.now() }).lookup(name, type);
}

describeWith(['nsd', 'unbound', 'ldns-signzone'], 'real name servers', () => {
  let workdir: string;
  let nsd: Nsd;
  let unbound: Unbound;

  beforeAll(async () => {
    workdir = makeWorkdir();
    const signed = sign(workdir, 'signed.test');
    const bogus = sign(workdir, 'bogus.test');
    nsd = await startNsd(workdir, {
      'example.org': RECORDS,
      'example.com': 'a.mail-farm IN A 198.51.100.20\n',
      'signed.test': signed.records,
      // The address is not the one that was signed.
      'bogus.test': bogus.records.replaceAll('198.51.100.30', '198.51.100.66'),
    });
    unbound = await startUnbound(workdir, {
      zones: ['example.org', 'example.com', 'signed.test', 'bogus.test'],
      upstream: nsd.server,
      anchors: [...signed.anchors, ...bogus.anchors],
    });
  });

  afterAll(async () => {
    await unbound.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  it.each(QUESTIONS)('NSD on %s %s', async (name, type, wanted) => {
    expect(await ask([nsd.server], name, type)).toMatchObject(wanted);
  });

  it.each(QUESTIONS)('unbound on %s %s', async (name, type, wanted) => {
    const answer = await ask([unbound.server], name, type);
    const { ttl } = { ttl: null, ...wanted };
    // The TTL of a cached answer goes down.
    const left = 'ttl' in answer && ttl !== null ? Math.min(answer.ttl ?? -1, ttl) : ttl;
    expect(answer).toMatchObject({ ...wanted, ...(ttl === null ? {} : { ttl: left }) });
    expect(left ?? 1).toBeGreaterThanOrEqual(0);
  });

  it('an answer of 12 kB comes over TCP, from both', async () => {
    for (const { server } of [nsd, unbound]) {
      const answer = await ask([server], 'long.example.org', 'TXT');
      expect(
        answer.status === 'found'
          ? answer.records.map((text) => JSON.stringify(text).slice(1, 5)).sort()
          : [],
      ).toEqual(LONG.map((_, i) => String(i).padStart(4, '0')));
    }
  });

  it('unbound says which answers it has validated, of names that exist and that do not', async () => {
    const told = async (name: string): Promise<unknown> => {
      const { status, authenticated } = await ask([unbound.server], name, 'A');
      return [status, authenticated];
    };
    expect(await told('mail.signed.test')).toEqual(['found', true]);
    expect(await told('gone.signed.test')).toEqual(['nxdomain', true]);
    expect(await told('mail.example.org')).toEqual(['found', undefined]);
    expect(await ask([nsd.server], 'mail.signed.test', 'A')).not.toHaveProperty('authenticated');
  });

  it('unbound says why it does not answer, and nobody makes it a timeout', async () => {
    const answer = await ask([unbound.server], 'mail.bogus.test', 'A');
    expect(answer).toMatchObject({ status: 'temperror', detail: 'bogus' });
    expect(answer.errors?.[0]?.code).toBeGreaterThanOrEqual(6);
    expect(answer.errors?.[0]?.code).toBeLessThanOrEqual(12);
  });

  it('either may be first, and either may be silent', async () => {
    for (const servers of [
      [nsd.server, unbound.server],
      [unbound.server, nsd.server],
    ]) {
      expect(await ask(servers, 'mail.example.org', 'A')).toMatchObject({ records: ['198.51.100.7'] });
    }
    // In unbound's cache, so that it can answer alone.
    await ask([unbound.server], 'mail.example.org', 'A');
    nsd.silence(true);
    try {
      expect(await ask([nsd.server, unbound.server], 'mail.example.org', 'A')).toMatchObject({
        records: ['198.51.100.7'],
      });
    } finally {
      nsd.silence(false);
    }
  });
});

/** The records of a zone with its signatures, without its SOA, and its keys as trust anchors. */
function sign(workdir: string, zone: string): { records: string; anchors: readonly string[] } {
  const directory = join(workdir, zone);
  mkdirSync(directory);
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { cwd: directory, env: withSystemPath(), encoding: 'utf8' }).trim();
  const key = run('ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', zone);
  const head = `$ORIGIN ${zone}.\n$TTL 300\n@ IN SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 60\n@ IN NS ns.${zone}.\n`;
  writeFileSync(join(directory, 'zone'), `${head}ns IN A 127.0.0.1\nmail IN A 198.51.100.30\n`);
  run('ldns-signzone', 'zone', key);
  return {
    records: readFileSync(join(directory, 'zone.signed'), 'utf8')
      .split('\n')
      // startNsd writes these two itself, literally.
      .filter((line) => !/\sIN\s+(?:SOA|NS)\s/.test(line))
      .join('\n'),
    anchors: readFileSync(join(directory, `${key}.key`), 'utf8')
      .split('\n')
      .filter((line) => line.includes('DNSKEY'))
      .map((line) => line.replace(/\s*;.*$/, '').replaceAll('\t', ' ')),
  };
}
