/** Every example is run as its user runs it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommandLine } from '../src/commands/command-line.ts';
import type { Finding } from '../src/core/check.ts';
import { makeClient } from '../src/core/client.ts';
import { deliver, MilterClient } from '../src/milter/index.ts';
import { loadOperatorChecks } from '../src/service/operator-checks.ts';
import { type Zone, zoneResolver } from './support/zone.ts';
import { fakeTerminal } from './support/terminal.ts';

const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

it('every program among the examples is run, here or in test/embed.test.ts', () => {
  const tests = ['examples', 'embed'].map((name) =>
    readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8'),
  );
  const programs = readdirSync(example('.')).filter((name) => name.endsWith('.mjs'));
  expect(programs.filter((name) => !tests.some((text) => text.includes(`${name}'`)))).toEqual([]);
  expect(programs.length).toBeGreaterThan(3);
});

it('tiny-milter.mjs is thirty lines and works', async () => {
  expect(readFileSync(example('tiny-milter.mjs'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(
    35,
  );
  const child = spawn(process.execPath, [example('tiny-milter.mjs'), 'inet:127.0.0.1:0', 'trap@x.org']);
  let printed = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const found = /port: (\d+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      reject(new Error(chunk.toString()));
    });
  });
  const client = await MilterClient.open(`inet:127.0.0.1:${port}`);
  expect(await client.helo('mail.x.org')).toBe('continue');
  client.macros('mail', { i: 'Q1' });
  expect(await deliver(client, { sender: 's@x', recipients: ['TRAP@x.org', 'r@x.org'] })).toMatchObject({
    recipients: [{ code: 550, enhancedCode: '5.7.1', lines: ['no mail to trap@x.org'] }, 'continue'],
    final: 'accept',
    changes: [{ type: 'insertHeader', index: 0, name: 'X-Tiny-Milter', value: 'HELO had 10 octets' }],
  });
  client.close();
  const gone = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  expect(await gone).toBe(0);
  expect(printed).toContain('accepted Q1');
});

async function judged(name: string, ip: string, zone: Zone): Promise<string> {
  const {
    checks: [check],
  } = await loadOperatorChecks([example(name)], { checks: [], findings: [] }, 1000);
  if (check === undefined) throw new Error('no check');
  const answer: unknown = await check.run(makeClient(ip, 'mail.example.org'), zoneResolver(zone));
  if (typeof answer === 'string') return answer;
  const { id, evidence } = answer as Finding;
  return `${id} ${JSON.stringify(evidence)}`;
}

it.each([
  ['192.0.2.2', 'even-address {"octet":"2"}'],
  ['192.0.2.1', 'pass'],
  ['2001:db8::10', 'even-address {"octet":"16"}'],
  ['2001:db8::1', 'pass'],
])('even-address.mjs on %s: %s', async (ip, wanted) => {
  expect(await judged('even-address.mjs', ip, {})).toBe(wanted);
});

const LIST: Zone = {
  '1.2.0.192.dnsbl.example.org': { A: ['127.0.0.2'], TXT: ['see https://dnsbl.example.org'] },
  '3.2.0.192.dnsbl.example.org': { A: ['127.0.0.2'] },
  '4.2.0.192.dnsbl.example.org': { A: ['203.0.113.1'] },
  '5.2.0.192.dnsbl.example.org': 'temperror',
  [`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.dnsbl.example.org`]: { A: ['127.0.0.4'] },
};

it.each([
  ['192.0.2.1', 'client-listed {"text":"see https://dnsbl.example.org"}'],
  ['192.0.2.2', 'pass'],
  ['192.0.2.3', 'client-listed {"text":"no reason given"}'],
  ['192.0.2.4', 'pass'],
  ['192.0.2.5', 'none'],
  ['2001:db8::1', 'client-listed {"text":"no reason given"}'],
])('dns-list.mjs on %s: %s', async (ip, wanted) => {
  expect(await judged('dns-list.mjs', ip, LIST)).toBe(wanted);
});

it('the check in docs/checks.md is sound, and does what the page says', async () => {
  const page = readFileSync(new URL('../docs/checks.md', import.meta.url), 'utf8');
  const file = join(mkdtempSync(join(tmpdir(), 'docs-')), 'partner.mjs');
  writeFileSync(file, /```js\n(.*?)```/s.exec(page)?.[1] ?? '');
  const {
    checks: [partner],
  } = await loadOperatorChecks([file], { checks: [], findings: [] }, 1000);
  const zone = zoneResolver({
    '_partner.no.org': { TXT: ['no'] },
    '_partner.yes.org': { TXT: ['since 2020'] },
  });
  const said = ['no.org', 'yes.org', 'other.org', '[192.0.2.1]'].map(async (helo) =>
    partner?.run(makeClient('192.0.2.1', helo), zone),
  );
  expect(await Promise.all(said)).toEqual([{ id: 'no-partner', evidence: {} }, 'pass', 'none', 'none']);
  rmSync(dirname(file), { recursive: true });
});

it('an example check refuses in the product', async () => {
  const written: string[] = [];
  const write = (text: string): void => void written.push(text);
  const terminal = fakeTerminal({ write, writeError: write });
  const args = [
    'check',
    '192.0.2.2',
    '[192.0.2.2]',
    '--check',
    example('even-address.mjs'),
    '--weight',
    'even-address=10',
  ];
  expect(
    await runCommandLine([...args, '--dns-server', '127.0.0.1:9', '--deadline', '300ms'], '1', terminal),
  ).toBe(0);
  expect(written.join('')).toContain('reject    score 10: even-address 10');
});
