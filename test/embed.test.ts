/** The example of an SMTP server that judges its clients. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SmtpClient } from './mta/kit/smtp-client.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const page = readFileSync(at('docs/core.md'), 'utf8');

describe('examples/embed-smtp-server.mjs', () => {
  let child: ChildProcess;
  let port: number;
  beforeAll(async () => {
    child = spawn(
      process.execPath,
      [at('examples/embed-smtp-server.mjs'), '0', at('examples/senders.zone')],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    port = await new Promise<number>((resolve, reject) => {
      let printed = '';
      child.once('exit', () => {
        reject(new Error(printed));
      });
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        const found = /listening on (\d+)/.exec(printed)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
    });
  }, 60_000);
  afterAll(() => {
    child.kill('SIGKILL');
  });

  it.each<[title: string, ip: string, helo: string, recipient: string, reply: RegExp]>([
    ['takes mail of a host that says its own name', '198.51.100.61', 'mx1.pool.example.net', 'u', /^250 /],
    [
      'refuses a name that is not there, in our words',
      '192.0.2.66',
      'nowhere.example.net',
      'u',
      /^550 5\.7\.1 \[helo-nxdomain\] HELO nowhere\.example\.net.*; ask postmaster@mx\.example\.org \(ref \w+\)$/,
    ],
    [
      'refuses a text that is no name',
      '192.0.2.66',
      'Jupiter',
      'u',
      /^550 5\.7\.1 \[helo-not-fqdn\] HELO jupiter/,
    ],
    ['takes mail to the postmaster from anybody', '192.0.2.66', 'Jupiter', 'postmaster', /^250 /],
    ['takes mail of this host', '127.0.0.1', 'Jupiter', 'u', /^250 /],
  ])('%s', async (_, ip, helo, recipient, reply) => {
    const client = await SmtpClient.connect(port, undefined, `PROXY TCP4 ${ip} 127.0.0.1 4711 25\r\n`);
    await client.say(`EHLO ${helo}`);
    expect((await client.say('MAIL FROM:<s@sender.example>')).text).toMatch(/^250 /);
    expect((await client.say(`RCPT TO:<${recipient}@mx.example.org>`)).text).toMatch(reply);
    client.close();
  });

  it('is the one that docs/core.md shows, with what it says', async () => {
    expect(page).toContain('examples/embed-smtp-server.mjs');
    const [, shown = '', helo = ''] = /^(550 .* HELO ([\w.]+)[^…]*)… \(ref/m.exec(page) ?? [];
    const client = await SmtpClient.connect(port, undefined, 'PROXY TCP4 192.0.2.66 127.0.0.1 4711 25\r\n');
    await client.say(`EHLO ${helo}`);
    await client.say('MAIL FROM:<s@sender.example>');
    const { text } = await client.say('RCPT TO:<u@mx.example.org>');
    client.close();
    expect(shown).not.toBe('');
    expect(text.slice(0, shown.length)).toBe(shown);
  });
});
