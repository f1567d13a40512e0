/**
 * Hostile peers, over real sockets: others are served, memory is bounded, and every peer that is turned away
 * is counted.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type MilterSession,
  MilterServer,
  type MilterServerOptions,
  TURNED_AWAY,
  TurnedAwayError,
} from '../../src/milter/index.ts';
import { Link } from '../../src/milter/link.ts';
import { MAX_SET } from '../../src/milter/macros.ts';
import { Turns } from '../../src/milter/turns.ts';
import { connectPeer, type Peer } from '../support/milter-peer.ts';
import * as mta from '../support/mta.ts';
import { quietly } from '../support/quietly.ts';

let servers: MilterServer[];
let peers: Peer[];
let errors: string[];

beforeEach(() => {
  servers = [];
  peers = [];
  errors = [];
});

afterEach(async () => {
  for (const { socket } of peers) socket.destroy();
  for (const server of servers) await server.close();
});

async function listen(
  session: MilterSession,
  options: Partial<MilterServerOptions> = {},
): Promise<{ server: MilterServer; port: number }> {
  const server = new MilterServer({
    newSession: () => session,
    onError: (error, source) =>
      errors.push(
        error instanceof TurnedAwayError ? `${source} ${error.reason}` : `${source} ${String(error)}`,
      ),
    ...options,
  });
  servers.push(server);
  const address = await server.listen('inet:127.0.0.1:0');
  if (address.kind !== 'inet') throw new Error('not an inet socket');
  return { server, port: address.port };
}

async function peer(port: number): Promise<Peer> {
  const made = await connectPeer(port);
  peers.push(made);
  return made;
}

const hello = Buffer.concat([mta.optneg(), mta.connect('192.0.2.1'), mta.helo('a.example.org')]);
const unknowns = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => mta.packet('U', 'X\0')));

describe('a peer that pipelines without end', () => {
  it.each<[string, () => 'continue' | Promise<'continue'>]>([
    ['at once', () => 'continue'],
    ['by promises', () => Promise.resolve('continue')],
  ])('does not keep others waiting until it is done, answered %s', async (_, unknown) => {
    let taken = 0;
    const { port } = await listen({
      helo: () => 'continue',
      unknown: () => {
        taken++;
        // Like a session that does something.
        const until = performance.now() + 0.02;
        while (performance.now() < until);
        return unknown();
      },
    });
    const bad = await peer(port);
    const good = await peer(port);
    const FLOOD = 10_000;
    bad.socket.write(Buffer.concat([hello, unknowns(FLOOD)]));
    await vi.waitFor(() => {
      expect(taken).toBeGreaterThan(0);
    });
    expect((await good.ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
    expect(taken).toBeLessThan(FLOOD);
    expect(await bad.ask(Buffer.alloc(0), FLOOD + 3)).toHaveLength(FLOOD + 3);
  });
});

describe('peers that fill memory', () => {
  const MAX = 2_000_000;
  const HALF = mta.packet('U', `${'x'.repeat(300_000)}\0`).subarray(0, 200_000);

  it.each<[string, Buffer]>([
    ['half packets', HALF],
    ['names', mta.helo('x'.repeat(400_000))],
  ])('with %s stay below one bound together, and cost nobody else the session', async (_, bytes) => {
    const { server, port } = await listen({ helo: () => 'continue' }, { maxBufferedBytes: MAX });
    const good = await peer(port);
    await good.ask(hello, 3);
    let most = 0;
    for (let i = 0; i < 40; i++) {
      const bad = await peer(port);
      bad.socket.write(Buffer.concat([mta.optneg(), bytes]));
      await vi.waitFor(() => {
        // Its bytes have come in, or a peer was turned away to make room.
        expect(server.turnedAway.buffers + Math.floor(server.bufferedBytes / 200_000)).toBeGreaterThan(i / 3);
      });
      most = Math.max(most, server.bufferedBytes);
    }
    expect(most).toBeLessThanOrEqual(MAX);
    expect(server.turnedAway.buffers).toBeGreaterThan(0);
    expect(errors).toEqual(Array.from({ length: server.turnedAway.buffers }, () => 'turned-away buffers'));
    expect((await good.ask(mta.helo('b.example.org'), 4)).slice(1)).toEqual(['c', 'c', 'c']);
    // And those that come while it is full.
    expect((await (await peer(port)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
    // All memory is given back.
    for (const { socket } of peers) socket.destroy();
    await vi.waitFor(() => {
      expect(server.bufferedBytes).toBe(0);
    });
  });
});

describe('macros without end', () => {
  it('are kept as far as their bound, whatever the stage', async () => {
    const { server, port } = await listen({ helo: () => 'continue' });
    const bad = await peer(port);
    const sets = Array.from('CHMRTLNBE', (stage) => mta.macros(stage, { i: 'x'.repeat(60_000) }));
    // The command after them, which shows that they have come, clears none of them.
    await bad.ask(Buffer.concat([mta.optneg(), ...sets, mta.packet('U', 'X\0')]), 2);
    await vi.waitFor(() => {
      expect(server.bufferedBytes).toBe(sets.length * MAX_SET);
    });
  });
});

describe('a peer that does not read', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'limits-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A peer that sends until nothing is read any more. Kernels buffer less for a unix socket than for TCP. */
  async function clogged(server: MilterServer): Promise<{ bad: Peer; sent: number }> {
    const path = join(directory, 's');
    await server.listen(path);
    const bad = await connectPeer(path);
    peers.push(bad);
    bad.socket.pause();
    bad.socket.write(hello);
    const bytes = unknowns(2000);
    let sent = 0;
    while (bad.socket.writableLength < 1_000_000) {
      bad.socket.write(bytes);
      sent += 2000;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { bad, sent };
  }

  it('is not heard, and gets all its replies once it reads', async () => {
    let taken = 0;
    const { server, port } = await listen({
      helo: () => 'continue',
      unknown: () => {
        taken++;
        return 'continue';
      },
    });
    const { bad, sent } = await clogged(server);
    expect((await (await peer(port)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
    expect(taken).toBeLessThan(sent);
    expect(server.bufferedBytes).toBeLessThan(1_000_000);
    bad.socket.resume();
    await vi.waitFor(
      () => {
        expect(taken).toBe(sent);
      },
      { timeout: 25_000 },
    );
    expect(await bad.ask(mta.helo('end'), sent + 4)).toHaveLength(sent + 4);
    expect(errors).toEqual([]);
  });

  it('holds what it has not read', () => {
    // Nothing is sent before it is connected, which it will never be.
    const socket = createConnection(join(directory, 'nobody'));
    const link = new Link(
      socket,
      { newSession: () => ({}), onError: () => undefined, replyOnError: 'continue', wishes: {} } as never,
      { changed: () => undefined, closed: () => undefined, shed: () => undefined, turns: new Turns() },
    );
    expect(link.holds).toBe(0);
    expect(link.write(Buffer.alloc(100_000))).toBe(false);
    expect(link.holds).toBe(100_000);
    socket.destroy();
  });

  it('is closed after a while, told and counted', async () => {
    const { server } = await listen(
      { helo: () => 'continue', unknown: () => 'continue' },
      { unreadTimeoutMs: 100 },
    );
    await clogged(server);
    await vi.waitFor(() => {
      expect([server.turnedAway.unread, server.connections]).toEqual([1, 0]);
    });
    expect(errors).toEqual(['turned-away unread']);
  });

  it('does not keep the server from closing', async () => {
    const { server } = await listen({ helo: () => 'continue', unknown: () => 'continue' });
    await clogged(server);
    await server.close();
    await vi.waitFor(() => {
      expect(server.connections).toBe(0);
    });
  });
});

describe('connections that find no place', () => {
  it('are told and counted where as many are open as may be', async () => {
    const { server, port } = await listen({ helo: () => 'continue' }, { maxConnections: 1 });
    await (await peer(port)).ask(hello, 3);
    for (let i = 0; i < 3; i++) await (await peer(port)).closed;
    expect(server.turnedAway).toEqual({ connections: 3, descriptors: 0, buffers: 0, unread: 0 });
    expect(errors).toEqual(Array.from({ length: 3 }, () => 'turned-away connections'));
  });

  interface Report {
    readonly port: number;
    readonly connections: number;
    readonly turnedAway: Readonly<Record<string, number>>;
    readonly heard: number;
    readonly kinds: readonly string[];
    readonly free: number;
  }

  const OUT_OF_FILES = expect.stringMatching(
    /^turned-away milter-turned-away descriptors: .*it may open 64 files: raise "ulimit -n" or LimitNOFILE=/,
  ) as string;

  /** A server in a process that may open 64 files, and what it says when it is given a line. */
  function fewDescriptors(): {
    ask: (line?: string) => Promise<Report>;
    port: Promise<number>;
    end: () => void;
  } {
    const script = fileURLToPath(new URL('../fixtures/few-descriptors.mjs', import.meta.url));
    const child = spawn('sh', ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    quietly(child.stdin);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<Report> => JSON.parse(String((await lines.next()).value)) as Report;
    return {
      port: next().then(({ port }) => port),
      ask: (line = '') => {
        child.stdin.write(`${line}\n`);
        return next();
      },
      end: () => child.kill('SIGKILL'),
    };
  }

  it('are told and counted before the descriptors of the process are used up', async () => {
    const few = fewDescriptors();
    try {
      const port = await few.port;
      const all = await Promise.all(Array.from({ length: 100 }, () => peer(port)));
      const fates = await Promise.all(
        all.map(({ ask, closed }) =>
          Promise.race([ask(hello, 3).then(() => 'served'), closed.then(() => 'closed')]),
        ),
      );
      const served = fates.filter((fate) => fate === 'served').length;
      const report = await few.ask();
      expect(report).toMatchObject({
        connections: served,
        turnedAway: { connections: 0, descriptors: 100 - served, buffers: 0, unread: 0 },
        heard: 100 - served,
        kinds: [OUT_OF_FILES],
      });
      expect(served).toBeGreaterThan(8);
      expect(served).toBeLessThan(48);
      // The descriptors left for DNS questions, logs and files.
      expect(report.free).toBeGreaterThanOrEqual(12);
      for (const { socket } of all) socket.destroy();
      await vi.waitFor(async () => {
        expect((await few.ask()).connections).toBe(0);
      });
      const later = await peer(port);
      expect((await later.ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
    } finally {
      few.end();
    }
  });

  it('are told where other code of the process has used up all descriptors, and the system drops them', async () => {
    const few = fewDescriptors();
    try {
      await few.port;
      expect((await few.ask('hoard')).turnedAway).toMatchObject({ descriptors: 0 });
      await vi.waitFor(async () => {
        const { turnedAway, kinds } = await few.ask();
        expect(turnedAway['descriptors']).toBeGreaterThan(0);
        expect(kinds).toEqual([OUT_OF_FILES]);
      });
    } finally {
      few.end();
    }
  });

  it('are told where the system itself says that it cannot accept them', async () => {
    const listening = vi.spyOn(Server.prototype, 'listen');
    const { server, port } = await listen({ helo: () => 'continue' });
    const [listener] = listening.mock.contexts;
    listening.mockRestore();
    // Node has no other way to tell a failed accept(2); whatever it is, the service goes on.
    for (const code of ['EMFILE', 'ENFILE', 'ECONNABORTED'])
      (listener as Server).emit('error', Object.assign(new Error(`accept ${code}`), { code }));
    expect(server.turnedAway).toEqual({ connections: 0, descriptors: 2, buffers: 0, unread: 0 });
    expect(errors).toEqual(['turned-away descriptors', 'turned-away descriptors']);
    await (await peer(port)).ask(hello, 3);
  });

  it('have reasons that others may know', () => {
    expect(TURNED_AWAY).toEqual(['connections', 'descriptors', 'buffers', 'unread']);
  });
});

describe('idle connections', () => {
  it('are told by a clock that nobody sets', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    try {
      const { server, port } = await listen({ helo: () => 'continue' });
      const { ask } = await peer(port);
      await ask(hello, 3);
      vi.setSystemTime(Date.now() + 365 * 86_400_000);
      vi.advanceTimersByTime(3_600_000);
      expect(server.connections).toBe(1);
      expect((await ask(mta.helo('b'), 4)).slice(1)).toEqual(['c', 'c', 'c']);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('options that cannot be', () => {
  it.each<[string, Partial<MilterServerOptions>]>([
    ['an answer that is none', { replyOnError: 'reject' as never }],
    ['a macro that cannot be told', { macros: { connect: ['a\0b'] } }],
  ])('%s: said where they are given', async (_, options) => {
    expect(() => new MilterServer({ newSession: () => ({}), onError: () => undefined, ...options })).toThrow(
      RangeError,
    );
    const { server, port } = await listen({ helo: () => 'reject' });
    expect(() => {
      server.change(options);
    }).toThrow(RangeError);
    expect((await (await peer(port)).ask(hello, 3)).slice(1)).toEqual(['c', 'r']);
  });
});
