/** Real packets to a scripted server, for each kind of server there is. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createStubResolver } from '../../src/dns/stub-resolver.ts';
import { observeServer, questions, type ServerFacts } from '../../src/doctor/resolver.ts';
import { type DnsStub, type Script, startDnsStub } from '../support/dns-stub.ts';

const SOUND: Readonly<Record<string, Script>> = {
  'example.com A': [{ name: 'example.com', type: 'A', ttl: 60, data: '192.0.2.1' }],
  'dnssec-failed.org A': 'servfail',
  '4.0.41.198.in-addr.arpa PTR': [
    { name: '4.0.41.198.in-addr.arpa', type: 'PTR', ttl: 60, data: 'a.root-servers.net' },
  ],
};
const address = (name: string): Script => [{ name, type: 'A', ttl: 60, data: '192.0.2.99' }];
let stub: DnsStub;

beforeEach(async () => {
  stub = await startDnsStub(SOUND);
});

afterEach(async () => {
  await stub.close();
});

async function observe(script: Readonly<Record<string, Script>>): Promise<ServerFacts> {
  stub.script({ ...SOUND, ...script });
  const now = (): number => performance.now();
  const resolver = createStubResolver({ servers: [stub.server], timeoutMs: 600, now });
  return observeServer(
    stub.server,
    resolver,
    questions(() => 'c0ffee', 'dnssec-failed.org'),
    now,
  );
}

it.each<[title: string, script: Readonly<Record<string, Script>>, wanted: Partial<ServerFacts>]>([
  ['sound', {}, { fault: null, invented: [], validates: true, reverse: 'found' }],
  ['not validating', { 'dnssec-failed.org A': address('dnssec-failed.org') }, { validates: false }],
  ['silent about what is signed wrongly', { 'dnssec-failed.org A': 'silence' }, { validates: null }],
  ['without the name that is signed wrongly', { 'dnssec-failed.org A': 'nxdomain' }, { validates: null }],
  [
    'wildcards',
    { 'c0ffee.com A': address('c0ffee.com') },
    { invented: [{ name: 'c0ffee.com', address: '192.0.2.99' }] },
  ],
  [
    'wildcards below .invalid',
    { 'c0ffee.invalid A': address('c0ffee.invalid') },
    { invented: [{ name: 'c0ffee.invalid', address: '192.0.2.99' }] },
  ],
  ['no reverse names', { '4.0.41.198.in-addr.arpa PTR': 'nxdomain' }, { reverse: 'nxdomain' }],
  ['broken reverse names', { '4.0.41.198.in-addr.arpa PTR': 'servfail' }, { reverse: 'temperror' }],
  ['silent', { 'example.com A': 'silence' }, { fault: 'timeout', medianMs: null, validates: null }],
  ['refusing', { 'example.com A': 'refused' }, { fault: 'refused' }],
  ['cut off from the world', { 'example.com A': 'nxdomain' }, { fault: 'nxdomain for example.com' }],
])('%s', async (_, script, wanted) => {
  expect(await observe(script)).toMatchObject(wanted);
});

it('measures how far away the server is', async () => {
  const far = { delayMs: 40, then: SOUND['example.com A'] ?? 'nxdomain' } as const;
  const { medianMs: away } = await observe({ 'example.com A': far });
  expect(away).toBeGreaterThanOrEqual(38);
  // On a busy machine a local server seems far away too, but not for ever.
  await vi.waitFor(
    async () => {
      expect((await observe({})).medianMs).toBeLessThan(38);
    },
    { timeout: 25_000 },
  );
});

it('asks a dead server once', async () => {
  await observe({ 'example.com A': 'servfail' });
  expect(stub.questions).toEqual(['example.com A']);
});
