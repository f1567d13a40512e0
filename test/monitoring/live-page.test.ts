/** The live page over HTTP: who gets it, what streams, and what strangers cannot do to us. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { History } from '../../src/decisions/history.ts';
import { RECORD_END } from '../../src/decisions/record-end.ts';
import { type HttpServer, startHttpServer } from '../../src/monitoring/http-server.ts';
import { LivePage, MAX_WATCHERS } from '../../src/monitoring/live-page.ts';
import type { PageData } from '../../src/report/page-data.ts';

const TEMPLATE = 'a "@@CONNECT@@" b @@REPORT@@ c @@DATA@@ d @@DECISIONS@@ e';
const MIB = 1024 * 1024;

describe('the live page', () => {
  let server: HttpServer | null = null;
  let live: LivePage | null = null;
  let history = new History(MIB, String, () => 0);
  let data = { version: '1' } as PageData;
  const open: Socket[] = [];
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    live?.close();
    await server?.close();
    server = null;
  });

  async function start(maxBytes = MIB, stallMs = 60_000): Promise<number> {
    history = new History(maxBytes, String, () => 0);
    data = { version: '1' } as PageData;
    live = new LivePage({ history, data: () => data, template: TEMPLATE, stallMs });
    server = await startHttpServer({
      address: { host: '127.0.0.1', port: 0, loopback: true },
      pages: new Map([...live.routes, ['/other', () => ({ status: 200 as const, type: 'x', body: 'ok' })]]),
      timeoutMs: 5000,
      onError: (error) => expect.unreachable(String(error)),
    });
    return Number(/:(\d+)$/.exec(server.authority)?.[1]);
  }

  interface Client {
    readonly socket: Socket;
    readonly text: () => string;
    readonly closed: Promise<void>;
  }

  function ask(
    port: number,
    path: string,
    headers: readonly string[] = ['Host: 127.0.0.1'],
    method = 'GET',
  ): Client {
    const socket = connect(port, '127.0.0.1');
    open.push(socket);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write(`${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
    return { socket, text: () => text, closed };
  }

  async function answered(...args: Parameters<typeof ask>): Promise<string> {
    const client = ask(...args);
    await client.closed;
    return client.text();
  }

  /** Records that a client has got, without the frames of chunked encoding. */
  const records = ({ text }: Client): string[] =>
    text()
      .split(/\r\n[0-9a-f]+\r\n/)
      .join('')
      .match(new RegExp(`[^\n${RECORD_END}]+(?=${RECORD_END})`, 'g'))
      ?.map((each) => each.replace(/^data: /, '')) ?? [];

  const SITE = 'Sec-Fetch-Site: cross-site';
  const FOLLOWED = [SITE, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
  it.each<[string, string, readonly string[], number]>([
    ['by address', '/', ['Host: 127.0.0.1:9892'], 200],
    ['by another address of loopback', '/', ['Host: 127.9.9.9'], 200],
    ['by name', '/', ['Host: LocalHost:1'], 200],
    ['by IPv6', '/', ['Host: [::1]:9892'], 200],
    ["by a stranger's name for us", '/', ['Host: evil.test:9892'], 403],
    ['by a name that begins like ours', '/', ['Host: localhost.evil.test'], 403],
    ['by an address that begins like ours', '/', ['Host: 127.0.0.1.evil.test'], 403],
    ['by a name with our port in it', '/', ['Host: evil.test#127.0.0.1'], 403],
    ['by an outer address', '/', ['Host: 192.0.2.1'], 403],
    ['without a name', '/', ['Host:'], 403],
    ['through a link on another site', '/', ['Host: localhost', ...FOLLOWED], 200],
    [
      'in a frame of another site',
      '/',
      ['Host: localhost', SITE, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'],
      403,
    ],
    [
      'as a script of another site',
      '/',
      ['Host: localhost', SITE, 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: script'],
      403,
    ],
    ['for another origin', '/', ['Host: localhost', 'Origin: http://evil.test'], 403],
    ['for no origin', '/', ['Host: localhost', 'Origin: null'], 403],
    ["events by a stranger's name", '/events', ['Host: evil.test'], 403],
    ['events for another site', '/events', ['Host: localhost', SITE], 403],
    ['events through a link', '/events', ['Host: localhost', ...FOLLOWED], 403],
    [
      'events for another port of this host',
      '/events',
      ['Host: localhost:1', 'Sec-Fetch-Site: same-site', 'Origin: http://localhost:2'],
      403,
    ],
  ])('is asked for %s', async (_, path, headers, status) => {
    const said = await answered(await start(), path, headers);
    expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(said).not.toMatch(/^Access-Control-/im);
    expect(said).toMatch(/^Content-Security-Policy: frame-ancestors 'none'\r$/m);
    expect(said).toMatch(/^Cross-Origin-Resource-Policy: same-origin\r$/m);
    expect(said.includes('"version"')).toBe(status === 200);
    // Others are answered as ever.
    expect(await answered(await start(), '/other', headers)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('takes no %s', async (method) => {
    const port = await start();
    for (const path of ['/', '/events'])
      expect(await answered(port, path, ['Host: localhost', 'Content-Length: 0'], method)).toMatch(
        /^HTTP\/1\.1 405 /,
      );
  });

  it('may connect to itself, and names what is in force', async () => {
    const port = await start();
    const said = await answered(port, '/');
    expect(said).toContain('a "connect-src \'self\'; " b');
    expect(said).toMatch(/"version":"1","live":"[0-9a-f]{16}\.1"/);
    expect(await answered(port, '/events', ['Host: localhost'], 'HEAD')).toMatch(/text\/event-stream/);
  });

  it('streams what is there and what comes, and goes on where a client was', async () => {
    const port = await start();
    history.add('one');
    const first = ask(port, '/events');
    await expect.poll(() => first.text()).toContain('event: current');
    history.add('two');
    await expect.poll(() => records(first)).toEqual(['one', 'two']);
    const [, id = ''] = /id: ([0-9a-f]{16}\.1)\n/.exec(first.text()) ?? [];
    for (const [path, headers] of [
      [`/events?after=${id}`, []],
      ['/events', [`Last-Event-ID: ${id}`]],
    ] as const) {
      const again = ask(port, path, ['Host: localhost', ...headers]);
      await expect.poll(() => records(again)).toEqual(['two']);
    }
    // Of another run of the service, or of nobody: from the beginning.
    for (const after of [`${'0'.repeat(16)}.1`, 'x', `${id}9999999999999999`]) {
      const other = ask(port, `/events?after=${after}`);
      await expect.poll(() => records(other)).toEqual(['one', 'two']);
    }
    expect(live?.watchers).toBe(6);
  });

  it('says what has come and gone, and what is in force anew', async () => {
    const port = await start(128 * 1024);
    history.add('gone');
    const { text } = ask(port, '/events');
    await expect.poll(text).toContain('event: current');
    for (let i = 0; i < 300; i++) history.add('x'.repeat(1000));
    const missed = history.first - 1;
    await expect.poll(text).toContain(`event: missed\ndata: {"decisions":${missed}}`);
    data = { version: '2' } as PageData;
    await expect.poll(text).toMatch(/event: force\ndata: \{"force":"[0-9a-f]{16}\.2"\}/);
  });

  it('sends no more than one batch to a client that does not read, and drops it', async () => {
    const port = await start(64 * MIB, 1000);
    // More than the system takes for a socket.
    for (let i = 0; i < 24_000; i++) history.add('x'.repeat(1000));
    const before = process.memoryUsage.rss();
    const lazy = Array.from({ length: MAX_WATCHERS }, () => {
      const socket = connect(port, '127.0.0.1');
      open.push(socket);
      socket.on('error', () => undefined);
      socket.pause();
      socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return socket;
    });
    await expect.poll(() => live?.watchers).toBeGreaterThan(0);
    expect(lazy.length).toBe(MAX_WATCHERS);
    // Others get what they ask for meanwhile.
    expect(await answered(port, '/other')).toMatch(/ok$/);
    await expect.poll(() => live?.watchers, { timeout: 60_000 }).toBe(0);
    expect(process.memoryUsage.rss() - before).toBeLessThan(40 * MIB);
    // Who reads gets all of it.
    let read = 0;
    const diligent = ask(port, '/events');
    diligent.socket.on('data', (chunk: Buffer) => {
      for (const octet of chunk) if (octet === RECORD_END.charCodeAt(0)) read++;
    });
    await expect.poll(() => read, { timeout: 60_000 }).toBe(24_000);
  });

  it('has a bounded number of clients, and tells the others', async () => {
    const port = await start();
    const clients = Array.from({ length: MAX_WATCHERS }, () => ask(port, '/events'));
    for (const { text } of clients) await expect.poll(text).toContain('event: current');
    expect(await answered(port, '/events')).toContain('event: full');
    expect(await answered(port, '/other')).toMatch(/ok$/);
    clients[0]?.socket.destroy();
    await expect.poll(() => live?.watchers).toBe(MAX_WATCHERS - 1);
    const next = ask(port, '/events');
    await expect.poll(() => next.text()).toContain('event: current');
  });
});
