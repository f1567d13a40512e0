/**
 * The page that shows decisions as they are made, for a browser on this host. It holds people's addresses, so
 * it is given to nobody whom another site has sent: neither by its own name for our address (DNS rebinding)
 * nor from within one of its pages. No request changes anything.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { History } from '../decisions/history.ts';
import type { PageData } from '../report/page-data.ts';
import { assemblePage } from '../report/page.ts';
import { type Page, PLAIN, type Route } from './http-server.ts';
import { Watcher } from './watcher.ts';

export interface LivePageOptions {
  readonly history: History;
  /** What is in force now; another object after a reload. */
  readonly data: () => PageData;
  /** As the build has made it. */
  readonly template: string;
  /** After so many milliseconds a browser that does not read is dropped. */
  readonly stallMs?: number;
}

/** Browsers at once. A scraper of the metrics must still find a connection. */
export const MAX_WATCHERS = 8;
/** Milliseconds between two looks at what is new, and looks between two signs of life. */
const LOOK_MS = 100;
const BEAT_LOOKS = 50;

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
};
/** Stands where a page from a file has its report. */
const PLAIN_TEXT =
  '<p>Decisions are shown here as they are made, by a program in the browser. ' +
  'A report in plain words is made by <code>helo-milter report</code>.</p>';

/** The page with what is in force, and a name for that. */
interface Made {
  readonly data: PageData;
  readonly force: string;
  readonly body: Buffer;
}

export class LivePage {
  readonly routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ['/', (request) => refusal(request, 'page') ?? this.#page()],
    ['/events', (request, response) => refusal(request, 'events') ?? this.#watch(request, response)],
  ]);
  readonly #options: LivePageOptions;
  /** Tells this run of the service from others, whose numbers of records mean something else. */
  readonly #boot = randomBytes(8).toString('hex');
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | null = null;
  #looks = 0;
  #made: Made | null = null;
  #forces = 0;

  constructor(options: LivePageOptions) {
    this.#options = options;
  }

  /** Browsers that watch now. */
  get watchers(): number {
    return this.#watchers.size;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #page(): Page {
    return { status: 200, type: 'text/html; charset=utf-8', headers: HEADERS, body: this.#inForce().body };
  }

  /** The page with what is in force; made once, so that many readers share its octets. */
  #inForce(): Made {
    const data = this.#options.data();
    if (this.#made?.data === data) return this.#made;
    const force = `${this.#boot}.${++this.#forces}`;
    const parts = { report: PLAIN_TEXT, data: { ...data, live: force }, decisions: [], connects: true };
    return (this.#made = { data, force, body: Buffer.from(assemblePage(this.#options.template, parts)) });
  }

  #watch(request: IncomingMessage, response: Parameters<Route>[1]): Page | null {
    response.writeHead(200, {
      ...HEADERS,
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    if (request.method === 'HEAD') {
      response.end();
      return null;
    }
    // The page cannot read the status of a stream that does not begin.
    if (this.#watchers.size >= MAX_WATCHERS) {
      response.end('event: full\ndata: {}\n\n');
      return null;
    }
    // Silence on our side is no fault of the client's; one that does not read is dropped by its watcher.
    request.socket.setTimeout(0);
    const { history, stallMs } = this.#options;
    const watcher = new Watcher({
      ...{ response, history, boot: this.#boot },
      from: this.#after(request),
      ...(stallMs === undefined ? {} : { stallMs }),
    });
    this.#watchers.add(watcher);
    response.on('close', () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    });
    watcher.tellForce(this.#inForce().force);
    watcher.pump();
    this.#timer ??= setInterval(() => {
      this.#look();
    }, LOOK_MS);
    return null;
  }

  /** What is new, for all. */
  #look(): void {
    const { force } = this.#inForce();
    const isBeat = ++this.#looks % BEAT_LOOKS === 0;
    for (const watcher of this.#watchers) {
      watcher.tellForce(force);
      if (isBeat) watcher.tell('beat', {});
      watcher.pump();
    }
  }

  /** Where the client goes on: after the event that it names, if that was of this run. */
  #after({ url = '', headers }: IncomingMessage): number {
    const asked = /[?&]after=([0-9a-f]{16}\.\d{1,15})(?:&|$)/.exec(url)?.[1];
    const given = asked ?? String(headers['last-event-id'] ?? '');
    const [boot, number = ''] = given.split('.');
    const { first, next } = this.#options.history;
    const isOurs = boot === this.#boot && /^\d{1,15}$/.test(number);
    return isOurs ? Math.min(Number(number), next) : first;
  }
}

/** Null if the page may be given. */
function refusal({ headers }: IncomingMessage, what: 'page' | 'events'): Page | null {
  const { host = '', origin } = headers;
  const isOurName = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host);
  const site = headers['sec-fetch-site'] ?? 'none';
  const isFollowed = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  const isOwn = site === 'none' || site === 'same-origin' || (what === 'page' && isFollowed);
  if (isOurName && isOwn && (origin === undefined || origin === `http://${host}`)) return null;
  const body = 'this page is for a browser on this host: ask for it as localhost or by a loopback address\n';
  return { status: 403, type: PLAIN, headers: HEADERS, body };
}
