/** Every example is run as its user runs it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as mta from './support/mta.ts';

const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

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
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  socket.write(
    Buffer.concat([
      mta.optneg(),
      mta.helo('mail.x.org'),
      mta.mail('s@x'),
      mta.rcpt('TRAP@x.org'),
      mta.rcpt('r@x.org'),
      mta.macros('E', { i: 'Q1' }),
      mta.endOfMessage,
    ]),
  );
  while (mta.replies(received).length < 7) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(mta.replies(received).slice(1)).toEqual([
    'c',
    'c',
    'y550 5.7.1 no mail to trap@x.org|',
    'c',
    'i||||X-Tiny-Milter|HELO had 10 octets|',
    'a',
  ]);
  socket.destroy();
  const gone = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  expect(await gone).toBe(0);
  expect(printed).toContain('accepted Q1');
});
