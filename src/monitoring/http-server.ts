/**
 * A few read-only pages over HTTP, for programs that watch us. Nothing from a request is ever written back,
 * and whatever goes wrong here stays here: the mail side is not affected.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HttpAddress } from '../config/values.ts';

export interface Page {
  readonly status: 200 | 403 | 503;
  /** Media type. */
  readonly type: string;
  readonly body: string | Buffer;
  /** More of them, besides those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the answer; null if it has taken the response over, which then goes on by itself. */
export type Route = (
  request: IncomingMessage,
  response: ServerResponse,
) => Page | null | Promise<Page | null>;

export interface HttpServerOptions {
  readonly address: HttpAddress;
  /** By path. If a page rejects, the answer is 500. */
  readonly pages: ReadonlyMap<string, Route>;
  /** Milliseconds for the head of a request, and for all of it; a silent connection has twice that. */
  readonly timeoutMs: number;
  /** Called when a page or the socket failed. Must not throw. */
  readonly onError: (error: unknown) => void;
}

export interface HttpServer {
  /** Where it listens, with the chosen port, as written in a URL: `127.0.0.1:9892`. */
  readonly authority: string;
  /** Closes the socket and all connections. */
  close(): Promise<void>;
}

/** A scraper has one or two connections, a browser that watches another one. */
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8192;

/** Listens. Rejects with the system's error. */
export async function startHttpServer({
  address,
  pages,
  timeoutMs,
  onError,
}: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      connectionsCheckingInterval: timeoutMs / 5,
    },
    (request, response) => {
      void answer(request, response, pages, onError);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 50;
  // Requests that are sent without waiting for an answer cost nothing to send, and much to answer.
  server.maxRequestsPerSocket = 1;
  server.setTimeout(2 * timeoutMs);
  const { host, port } = address;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      server.on('error', onError);
      resolve();
    });
  });
  return {
    authority: `${host.includes(':') ? `[${host}]` : host}:${portOf(server) ?? port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: HttpServerOptions['pages'],
  onError: HttpServerOptions['onError'],
): Promise<void> {
  const { method, url } = request;
  // What a stranger does to the connection is not worth a log line.
  response.on('error', () => undefined);
  // No body is read, and there is no second request.
  response.shouldKeepAlive = false;
  const send = (status: number, type: string, body: string | Buffer, headers: Page['headers'] = {}): void => {
    response.writeHead(status, {
      ...headers,
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
    });
    response.end(method === 'HEAD' ? undefined : body);
  };
  const page = pages.get(/^[^?#]*/.exec(url ?? '')?.[0] ?? '');
  if (page === undefined) {
    send(404, PLAIN, `not found; there is ${[...pages.keys()].join(', ')}\n`);
    return;
  }
  if (method !== 'GET' && method !== 'HEAD') {
    send(405, PLAIN, 'method not allowed\n');
    return;
  }
  try {
    const made = await page(request, response);
    if (made !== null) send(made.status, made.type, made.body, made.headers);
  } catch (error) {
    onError(error);
    if (!response.headersSent) send(500, PLAIN, 'internal error\n');
  }
}

export const PLAIN = 'text/plain; charset=utf-8';

function portOf(server: Server): number | undefined {
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : undefined;
}
