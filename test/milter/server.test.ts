import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  AddressError,
  type MilterSession,
  MilterServer,
  type MilterServerOptions,
} from '../../src/milter/index.ts';
import { connectPeer, type Peer } from '../support/milter-peer.ts';
import * as mta from '../support/mta.ts';

let directory: string;
let servers: MilterServer[];
let sockets: Socket[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'milter-'));
  servers = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) await server.close();
  rmSync(directory, { recursive: true });
});

function newServer(session: MilterSession = {}, options: Partial<MilterServerOptions> = {}): MilterServer {
  const server = new MilterServer({ newSession: () => session, onError: () => undefined, ...options });
  servers.push(server);
  return server;
}

async function listenInet(server: MilterServer, host = '127.0.0.1'): Promise<number> {
  const address = await server.listen(`inet:${host}:0`);
  if (address.kind !== 'inet') throw new Error('not an inet socket');
  return address.port;
}

async function peer(where: number | string): Promise<Peer> {
  const made = await connectPeer(where);
  sockets.push(made.socket);
  return made;
}

const hello = Buffer.concat([mta.optneg(), mta.connect('192.0.2.1'), mta.helo('a.example.org')]);

describe('listen', () => {
  it('serves TCP and says which port it got', async () => {
    const { ask, closed } = await peer(await listenInet(newServer({ helo: () => 'tempfail' })));
    expect((await ask(hello, 3)).slice(1)).toEqual(['c', 't']);
    await ask(mta.quit, 3);
    await closed;
  });

  it.each([
    [undefined, '660'],
    [0o600, '600'],
    [0o666, '666'],
  ])('serves a unix socket with mode %o', async (mode, wanted) => {
    const path = join(directory, 's');
    await newServer().listen(`unix:${path}`, mode === undefined ? {} : { mode });
    expect((statSync(path).mode & 0o777).toString(8)).toBe(wanted);
    expect((await (await peer(path)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
  });

  it('serves several sockets at once', async () => {
    const server = newServer();
    const port = await listenInet(server);
    await server.listen(`local:${join(directory, 's')}`);
    await (await peer(port)).ask(hello, 3);
    await (await peer(join(directory, 's'))).ask(hello, 3);
    expect(server.connections).toBe(2);
  });

  it('replaces a unix socket that nobody serves', async () => {
    const path = join(directory, 's');
    // A server that is killed leaves its file behind; renaming the file away and back has the same effect.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    const { renameSync } = await import('node:fs');
    renameSync(path, `${path}.kept`);
    await new Promise<void>((resolve) =>
      dead.close(() => {
        resolve();
      }),
    );
    renameSync(`${path}.kept`, path);
    await newServer().listen(path);
    expect((await (await peer(path)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
  });

  it('leaves a unix socket alone that somebody serves', async () => {
    const path = join(directory, 's');
    await newServer().listen(path);
    await expect(newServer().listen(path)).rejects.toThrow(AddressError);
    expect((await (await peer(path)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(directory, 'file');
    writeFileSync(path, 'precious');
    await expect(newServer().listen(path)).rejects.toThrow(/no socket/);
    expect(existsSync(path)).toBe(true);
  });

  it('says why a port cannot be had', async () => {
    const port = await listenInet(newServer());
    await expect(newServer().listen(`inet:127.0.0.1:${port}`)).rejects.toThrow(/EADDRINUSE/);
  });

  it('says why a path cannot be had', async () => {
    await expect(newServer().listen(join(directory, 'no', 'where'))).rejects.toThrow(
      `unix:${join(directory, 'no', 'where')} cannot be made: there is no directory ${join(directory, 'no')}`,
    );
  });
});

describe('connections', () => {
  it('ends at the end of the stream, without QUIT, and tells the session once', async () => {
    let closes = 0;
    const server = newServer({ close: () => closes++ });
    const { socket, ask } = await peer(await listenInet(server));
    await ask(hello, 3);
    socket.end();
    await vi.waitFor(() => {
      expect(server.connections).toBe(0);
    });
    expect(closes).toBe(1);
  });

  it('survives a reset', async () => {
    const server = newServer();
    const port = await listenInet(server);
    const { socket, ask } = await peer(port);
    await ask(hello, 3);
    socket.resetAndDestroy();
    await vi.waitFor(() => {
      expect(server.connections).toBe(0);
    });
    expect((await (await peer(port)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
  });

  it('beyond the limit are closed at once', async () => {
    const server = newServer({}, { maxConnections: 1 });
    const port = await listenInet(server);
    const first = await peer(port);
    await first.ask(hello, 3);
    await (
      await peer(port)
    ).closed;
    expect(server.connections).toBe(1);
  });

  it('that say nothing for long are closed', async () => {
    const server = newServer({}, { idleTimeoutMs: 20 });
    const { ask, closed } = await peer(await listenInet(server));
    await ask(hello, 3);
    await closed;
    await vi.waitFor(() => {
      expect(server.connections).toBe(0);
    });
  });

  it('of hostile peers harm nobody', async () => {
    const errors: unknown[] = [];
    const server = newServer({}, { onError: (error) => errors.push(error) });
    const port = await listenInet(server);
    const good = await peer(port);
    const bad = await peer(port);
    bad.socket.write('GET / HTTP/1.1\r\n\r\n');
    await bad.closed;
    expect((await good.ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
    expect(errors).toHaveLength(1);
  });
});

describe('close', () => {
  it('lets open sessions finish within the grace time', async () => {
    const server = newServer({ helo: () => 'tempfail' });
    const port = await listenInet(server);
    const { ask, closed } = await peer(port);
    await ask(mta.optneg(), 1);
    const stopped = server.close({ graceMs: 10_000 });
    expect((await ask(Buffer.concat([mta.connect('192.0.2.1'), mta.helo('x')]), 3)).slice(1)).toEqual([
      'c',
      't',
    ]);
    await ask(mta.quit, 3);
    await closed;
    await stopped;
  });

  it('takes no new connection', async () => {
    const server = newServer();
    const port = await listenInet(server);
    await server.close();
    const refused = await new Promise<string | undefined>((resolve) => {
      dial(port, '127.0.0.1').once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      });
    });
    expect(refused).toBe('ECONNREFUSED');
  });

  it('answers what is still asked with continue, then closes', async () => {
    const server = newServer({ helo: () => new Promise(() => undefined) });
    const { ask, closed } = await peer(await listenInet(server));
    await ask(hello, 2);
    const stopped = server.close({ graceMs: 10 });
    expect((await ask(Buffer.alloc(0), 3)).slice(1)).toEqual(['c', 'c']);
    await closed;
    await stopped;
    expect(server.connections).toBe(0);
  });

  it('removes its unix socket', async () => {
    const path = join(directory, 's');
    const server = newServer();
    await server.listen(path);
    await server.close();
    expect(existsSync(path)).toBe(false);
  });
});

describe('hold', () => {
  it('reads nothing before admit', async () => {
    let sessions = 0;
    const server = new MilterServer({
      newSession: () => {
        sessions++;
        return {};
      },
      onError: () => undefined,
      hold: true,
    });
    servers.push(server);
    const { ask, socket } = await peer(await listenInet(server));
    socket.write(hello);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sessions).toBe(0);
    server.admit();
    expect((await ask(Buffer.alloc(0), 3)).slice(1)).toEqual(['c', 'c']);
    expect(sessions).toBe(1);
    const [port] = [await listenInet(server)];
    expect((await (await peer(port)).ask(hello, 3)).slice(1)).toEqual(['c', 'c']);
  });

  it('closes those who wait when it is closed', async () => {
    const server = newServer({}, { hold: true });
    const { closed } = await peer(await listenInet(server));
    await vi.waitFor(() => server.close());
    await closed;
  });
});
