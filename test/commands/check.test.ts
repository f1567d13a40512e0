/** Colour in what `check` prints; what it prints is tested with the command line. */
import { expect, it } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { Screen } from '../../src/commands/paint.ts';
import { extendedError, message, opt, questionOf, soa } from '../support/dns-bytes.ts';
import { startRawDns } from '../support/raw-dns.ts';
import { fakeTerminal } from '../support/terminal.ts';

async function check(screen?: Screen, helo = 'server.local'): Promise<string> {
  let out = '';
  await runCommandLine(
    ['check', '203.0.113.9', helo, '--weight', 'iprev-none=6', '--dns-zone', 'examples/senders.zone'],
    '1.2.3',
    fakeTerminal({ write: (text) => (out += text), ...(screen === undefined ? {} : { screen }) }),
  );
  return out;
}

it('paints dispositions and findings, and changes nothing else', async () => {
  const plain = await check();
  const seen = await check({ colour: true, columns: 80 });
  expect(plain).not.toContain('\x1b');
  expect(await check({ colour: false, columns: 80 })).toBe(plain);
  expect(seen).toContain('\x1b[31mreject  \x1b[39m');
  expect(seen).toMatch(/\n {2}\x1b\[36mhelo-special-use\x1b\[39m: /);
  expect(seen.replaceAll(/\x1b\[\d+m/g, '')).toBe(plain);
});

async function checkWith(...options: readonly string[]): Promise<string> {
  let out = '';
  const args = ['check', '--no-config', '203.0.113.9', 'gone.sender.org', ...options];
  await runCommandLine(args, '1.2.3', fakeTerminal({ write: (text) => (out += text) }));
  return out;
}

it('says a finding of many checks once', async () => {
  const server = await startRawDns(({ query }, reply) => {
    reply(message({ id: query.readUInt16BE(0), question: questionOf(query), flags: 0x8182 }));
  });
  const out = await checkWith('--dns-server', server.server);
  await server.close();
  expect(out.match(/^ {2}dns-temperror: /gm)).toHaveLength(1);
});

it('says why a top-level domain that is denied counts as unanswered', async () => {
  const server = await startRawDns(({ query }, reply) => {
    reply(message({ id: query.readUInt16BE(0), question: questionOf(query), flags: 0x8183 }));
  });
  const out = await checkWith('--dns-server', server.server);
  await server.close();
  expect(out).toMatch(
    /^ {2}org +NS +nxdomain\n {2}\(org NS: a resolver that denies a public top-level domain /m,
  );
});

it('says of a client without a reverse name that it has none, in words', async () => {
  expect(await check()).toMatch(/^ {2}reverse name \(iprev\) {2}no reverse name {2}iprev-none$/m);
});

it('tells what the resolver says of its answers: validated, or why not', async () => {
  const server = await startRawDns(({ query }, reply) => {
    const asked = questionOf(query);
    const isAddress = asked.subarray(-4).equals(Buffer.from([0, 1, 0, 1]));
    const common = { id: query.readUInt16BE(0), question: asked };
    reply(
      isAddress
        ? message({ ...common, flags: 0x8182, additionals: [opt([extendedError(7, 'of 2020')])] })
        : message({ ...common, flags: 0x81a3, authorities: [soa('org', 900, 700)] }),
    );
  });
  const run = async (...flags: readonly string[]): Promise<string> => {
    let out = '';
    const terminal = fakeTerminal({ write: (text) => (out += text) });
    const args = ['check', '192.0.2.1', 'mail.example.org', '--dns-server', server.server, ...flags];
    await runCommandLine(args, '1.2.3', terminal);
    return out;
  };
  const text = await run();
  expect(text).toMatch(/mail\.example\.org +A +temperror +bogus \(Signature Expired: of 2020\)$/m);
  expect(text).toMatch(/mail\.example\.org +AAAA +nxdomain +\(TTL 700, DNSSEC\)$/m);
  const { dns } = JSON.parse(await run('--json')) as { dns: readonly Record<string, unknown>[] };
  expect(dns).toContainEqual({
    name: 'mail.example.org',
    type: 'A',
    status: 'temperror',
    records: ['bogus'],
    ttl: null,
    errors: [{ code: 7, text: 'of 2020' }],
  });
  expect(dns.find(({ type }) => type === 'AAAA')).toMatchObject({ ttl: 700, authenticated: true });
  await server.close();
});

it.each([
  ['xn--a.example.org', /a host of example\.org; xn--a is a fake A-label \(RFC 5890 §2\.3\.2\.1\)$/m],
  ['xn--bcher-kva0.example.org', /; xn--bcher-kva0 is a fake A-label/],
  ['xn--bcher-kva.example.org', /a host of example\.org$/m],
  ['XN--BCHER-KVA.example.org', /a host of example\.org$/m],
  ['xn--ls8h.example.org', /a host of example\.org$/m],
])('says of %s whether it is what it looks like', async (helo, wanted) => {
  expect(await check(undefined, helo)).toMatch(wanted);
});
