import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, type Page, startHttpServer } from '../../src/monitoring/http-server.ts';

const PAGES: [string, () => Page | Promise<Page>][] = [
  ['/a', () => ({ status: 200, type: 'text/plain', body: 'grüße\n' })],
  ['/ill', () => Promise.resolve({ status: 503, type: 'text/plain', body: 'ill\n' })],
  ['/broken', () => Promise.reject(new Error('secret'))],
  [
    '/throws',
    () => {
      throw new Error('secret');
    },
  ],
];

describe('the HTTP server', () => {
  let server: HttpServer | null = null;
  const errors: string[] = [];
  afterEach(async () => {
    await server?.close();
    server = null;
    errors.length = 0;
  });

  async function start(host = '127.0.0.1'): Promise<number> {
    server = await startHttpServer({
      address: { host, port: 0, loopback: true },
      pages: new Map(PAGES),
      timeoutMs: 400,
      onError: (error) => errors.push(String(error)),
    });
    return Number(/:(\d+)$/.exec(server.authority)?.[1]);
  }

  /** Everything that the server answers to these bytes until it closes. */
  async function raw(port: number, text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write(text);
    await new Promise((resolve) => socket.once('close', resolve));
    return received;
  }

  it.each<[string, string, number, RegExp]>([
    ['GET', '/a', 200, /\r\n\r\ngr\xc3\xbc\xc3\x9fe\n$/],
    ['GET', '/a?x=1', 200, /\r\n\r\ngr/],
    ['HEAD', '/a', 200, /Content-Length: 8\r\n[\s\S]*\r\n\r\n$/],
    ['GET', '/ill', 503, /\r\n\r\nill\n$/],
    ['HEAD', '/ill', 503, /\r\n\r\n$/],
    ['GET', '/', 404, /not found/],
    ['GET', '/A', 404, /not found/],
    ['GET', '/a/', 404, /not found/],
    ['GET', '/../a', 404, /not found/],
    ['GET', '//a', 404, /not found/],
    ['GET', 'http://x/a', 404, /not found/],
    ['POST', '/nowhere', 404, /not found/],
    ['POST', '/a', 405, /Allow: GET, HEAD\r\n/],
    ['DELETE', '/a', 405, /Allow: GET, HEAD\r\n/],
    ['OPTIONS', '/a', 405, /Allow: GET, HEAD\r\n/],
    ['PROPFIND', '/a', 405, /Allow: GET, HEAD\r\n/],
  ])('%s %s is answered %i', async (method, path, status, wanted) => {
    const said = await raw(await start(), `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(said).toMatch(wanted);
    expect(said).toContain('Cache-Control: no-store\r\n');
    expect(said).toContain('Connection: close\r\n');
    expect(errors).toEqual([]);
  });

  it.each(['/broken', '/throws'])('%s is 500, logged, and tells nothing', async (path) => {
    const said = await raw(await start(), `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(said).toMatch(/^HTTP\/1\.1 500 [\s\S]*\r\n\r\ninternal error\n$/);
    expect(said).not.toContain('secret');
    expect(errors).toEqual(['Error: secret']);
  });

  it.each([
    ['rubbish', '\x00\xff\r\n\r\n', 400],
    ['no host', 'GET /a HTTP/1.1\r\n\r\n', 400],
    ['a huge header', `GET /a HTTP/1.1\r\nX: ${'marker'.repeat(4000)}\r\n\r\n`, 431],
    ['a huge path', `GET /${'marker'.repeat(4000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    [
      'smuggling',
      'GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a body', 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\nmarker', 405],
    ['an unknown path', 'GET /marker<script> HTTP/1.1\r\nHost: marker\r\nX-A: marker\r\n\r\n', 404],
  ])('%s: %i, and nothing of it comes back', async (_, text, status) => {
    const port = await start();
    const said = await raw(port, text);
    expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(said).not.toContain('marker');
    expect(await raw(port, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('answers one request of a connection, however many are sent at once', async () => {
    const said = await raw(await start(), 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000));
    expect(said.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(1);
    expect(said.match(/gr\xc3\xbc\xc3\x9fe/g)).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('gives up on who is slow to ask', async () => {
    const started = Date.now();
    const said = await raw(await start(), 'GET /a HTTP/1.1\r\nHo');
    expect(said).toMatch(/^HTTP\/1\.1 408 /);
    expect(Date.now() - started).toBeLessThan(3000);
  });

  it('takes few connections at a time', async () => {
    const port = await start();
    const sockets = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'));
    const closed = sockets.map(
      (socket) =>
        new Promise<boolean>((resolve) => {
          socket.on('error', () => undefined);
          socket.once('close', () => {
            resolve(true);
          });
          setTimeout(resolve, 200, false);
        }),
    );
    expect((await Promise.all(closed)).filter(Boolean)).toHaveLength(8);
    for (const socket of sockets) socket.destroy();
  });

  it('closes with connections open', async () => {
    const port = await start();
    const socket = connect(port, '127.0.0.1');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    await server?.close();
    await gone;
    expect(await startedAgain(port)).toBe(true);
  });

  async function startedAgain(port: number): Promise<boolean> {
    server = await startHttpServer({
      address: { host: '127.0.0.1', port, loopback: true },
      pages: new Map(),
      timeoutMs: 400,
      onError: () => undefined,
    });
    return server.authority === `127.0.0.1:${port}`;
  }

  it('says where it listens as a URL has it', async () => {
    await start('::1');
    expect(server?.authority).toMatch(/^\[::1\]:\d+$/);
  });

  it('rejects where the port is in use', async () => {
    const port = await start();
    await expect(
      startHttpServer({
        address: { host: '127.0.0.1', port, loopback: true },
        pages: new Map(),
        timeoutMs: 400,
        onError: () => undefined,
      }),
    ).rejects.toThrow(/EADDRINUSE/);
  });
});
