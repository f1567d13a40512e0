import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { probeMilter } from '../../src/doctor/probe.ts';
import { MilterServer, parseSocketAddress } from '../../src/milter/index.ts';

const now = (): number => performance.now();
let close: () => Promise<unknown> = () => Promise.resolve();

afterEach(async () => {
  await close();
  close = () => Promise.resolve();
});

/** A server that writes something and then does as told. */
async function stranger(greeting: string, then: 'close' | 'stay'): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(greeting);
    if (then === 'close') socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => new Promise((resolve) => server.close(resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? `inet:127.0.0.1:${address.port}` : '';
}

it.each(['inet:127.0.0.1:0', 'unix'])('finds a milter at %s, and begins no session', async (where) => {
  let sessions = 0;
  const errors: unknown[] = [];
  const server = new MilterServer({
    newSession: () => {
      sessions++;
      return { connect: () => expect.fail('a session began') };
    },
    onError: (error) => errors.push(error),
  });
  const directory = mkdtempSync(join(tmpdir(), 'hm-'));
  const address = await server.listen(where === 'unix' ? `unix:${directory}/s` : where);
  close = async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  };
  const found = await probeMilter(address, 2000, now);
  expect(found?.outcome).toMatchObject({ kind: 'answers', version: 6 });
  expect(found?.outcome.kind === 'answers' && found.outcome.ms).toBeGreaterThanOrEqual(0);
  expect(sessions).toBeLessThanOrEqual(1);
  expect(errors).toEqual([]);
});

it.each<[greeting: string, then: 'close' | 'stay', wanted: object]>([
  ['220 mx.dest.test ESMTP\r\n', 'stay', { kind: 'stranger' }],
  ['', 'close', { kind: 'stranger' }],
  ['\0\0\0\x01c', 'stay', { kind: 'stranger' }],
  ['', 'stay', { kind: 'unreachable', detail: 'timeout' }],
])('what says %j and will %s', async (greeting, then, wanted) => {
  const found = await probeMilter(parseSocketAddress(await stranger(greeting, then)), 300, now);
  expect(found?.outcome).toEqual(wanted);
});

it.each([
  ['unix:/no/such/socket', 'ENOENT'],
  ['inet:127.0.0.1:1', 'ECONNREFUSED'],
])('nobody at %s', async (where, detail) => {
  expect((await probeMilter(parseSocketAddress(where), 2000, now))?.outcome).toEqual({
    kind: 'unreachable',
    detail,
  });
});

it.each(['fd:3', 'inet:127.0.0.1:0'])('has no way to %s', async (where) => {
  expect(await probeMilter(parseSocketAddress(where), 2000, now)).toBeNull();
});
