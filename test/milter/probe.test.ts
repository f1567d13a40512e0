import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MilterServer, probe } from '../../src/milter/index.ts';

let directory: string;
let path: string;
let milter: MilterServer;
let server: Server;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'probe-'));
  path = join(directory, 's');
});

afterEach(async () => {
  await milter.close();
  server.close();
  rmSync(directory, { recursive: true });
});

async function serve(options: { maxConnections?: number; hold?: boolean } = {}): Promise<void> {
  milter = new MilterServer({ newSession: () => ({}), onError: () => undefined, ...options });
  server = createServer();
  await milter.listen(path);
}

/** A server that is not a milter: says this to whoever connects. */
async function say(text: string): Promise<void> {
  milter = new MilterServer({ newSession: () => ({}), onError: () => undefined });
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (text !== '') socket.write(text);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

const ask = (timeoutMs = 2000): Promise<string | null> => probe({ kind: 'unix', path }, { timeoutMs });

it('finds nothing wrong with a milter, and leaves nothing behind', async () => {
  await serve();
  expect(await ask()).toBeNull();
  await vi.waitFor(() => {
    expect(milter.connections).toBe(0);
  });
});

it('over TCP as well', async () => {
  await serve();
  expect(await probe(await milter.listen('inet:127.0.0.1:0'), { timeoutMs: 2000 })).toBeNull();
});

it('does not hold it against a milter that it is full', async () => {
  await serve({ maxConnections: 0 });
  expect(await ask()).toBeNull();
});

it('hears when nothing is read', async () => {
  await serve({ hold: true });
  expect(await ask(50)).toBe(`unix:${path}: does not answer`);
});

it.each([
  ['220 mx.example.org ESMTP\r\n', 'does not speak milter', 2000],
  ['\0\0\0\u0001c', 'does not speak milter', 2000],
  ['', 'does not answer', 50],
])('of a server that says %j', async (text, wanted, timeoutMs) => {
  await say(text);
  expect(await ask(timeoutMs)).toBe(`unix:${path}: ${wanted}`);
});

it('of a socket that is gone', async () => {
  await serve();
  await milter.close();
  expect(await ask()).toBe(`unix:${path}: ENOENT`);
  expect(await probe({ kind: 'unix', path }, { timeoutMs: 50, hidden: true })).toBeNull();
  expect(await probe({ kind: 'fd', fd: 3 }, { timeoutMs: 50 })).toBeNull();
});
