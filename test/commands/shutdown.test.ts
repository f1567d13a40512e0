/** The end of the program as its user sees it, in a process of its own whose output nobody reads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { connectPeer, type Peer } from '../support/milter-peer.ts';
import * as mta from '../support/mta.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly peer: Peer;
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>;
  readonly stderr: () => string;
}

/** Reads the banner, then stops reading. */
async function startUnread(...args: string[]): Promise<Started> {
  const child = spawn(
    process.execPath,
    [
      at('dist/cli.js'),
      ...['--listen', 'inet:127.0.0.1:0', '--dns-zone', at('examples/senders.zone'), '--no-auth-results'],
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.push(child);
  const ended = new Promise<readonly [number | null, string | null]>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve([code, signal]);
    });
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let banner = '';
  const port = await new Promise<number>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      banner += chunk.toString();
      const found = /inet:127\.0\.0\.1:(\d+)/.exec(banner)?.[1];
      if (found === undefined) return;
      child.stdout.removeAllListeners('data');
      child.stdout.pause();
      resolve(Number(found));
    });
  });
  return { child, peer: await connectPeer(port), ended, stderr: () => stderr };
}

/** Fills the pipe: each message makes a log line with the longest values that a line can have. */
async function fillLog({ peer }: Started): Promise<void> {
  const MESSAGES = 1500;
  const long = Buffer.concat([mta.mail(`${'s'.repeat(200)}@x`), mta.rcpt(`${'r'.repeat(200)}@y`)]);
  const hello = [mta.optneg(), mta.connect('203.0.113.50'), mta.helo(`x ${'y'.repeat(200)}`)];
  await peer.ask(Buffer.concat([...hello, ...Array.from({ length: MESSAGES }, () => long)]), 2 * MESSAGES);
}

it.each([
  ['once', 1],
  ['twice', 2],
])('SIGTERM %s ends it though nobody reads its log, and it says how much is lost', async (_, signals) => {
  const started = await startUnread('--grace', '100ms');
  await fillLog(started);
  for (let i = 0; i < signals; i++) {
    started.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(await started.ended).toEqual([0, null]);
  await vi.waitFor(() => {
    expect(started.stderr()).toMatch(
      /^helo-milter: nobody is reading the log; [1-9]\d* lines of it are lost$/m,
    );
  });
});

it('SIGTERM ends it though a peer does not read its replies', async () => {
  const started = await startUnread('--grace', '100ms');
  const { socket } = started.peer;
  socket.pause();
  socket.write(Buffer.concat([mta.optneg(), mta.connect('203.0.113.50'), mta.helo('Jupiter')]));
  const round = Buffer.concat(
    Array.from({ length: 200 }, () => Buffer.concat([mta.mail('s@x'), mta.rcpt('r@y')])),
  );
  // Until neither side accepts any more bytes.
  while (socket.writableLength < 4_000_000) {
    if (socket.write(round)) await new Promise((resolve) => setImmediate(resolve));
  }
  started.child.stdout?.resume();
  await new Promise((resolve) => setTimeout(resolve, 200));
  started.child.kill('SIGTERM');
  expect(await started.ended).toEqual([0, null]);
});
