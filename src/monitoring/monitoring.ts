/**
 * What a program that watches us may ask for: `/metrics`, `/healthz` and `/readyz`; and the live page, for an
 * administrator. Loaded only with `--http`.
 */
import type { Resolver } from '../core/resolver.ts';
import { type HttpServer, PLAIN, type Route, startHttpServer } from './http-server.ts';
import { LivePage, type LivePageOptions } from './live-page.ts';
import type { Log } from '../log/log.ts';
import type { HttpAddress } from '../config/values.ts';
import { makeMetricsPage, type MetricSources } from './prometheus.ts';
import { Readiness } from './readiness.ts';
import { describeError, OptionError } from '../errors.ts';
import { pageTemplate } from '../system/page-template.ts';
import { version } from '../system/version.ts';

export interface MonitoringOptions extends Omit<MetricSources, 'build'> {
  readonly address: HttpAddress;
  /** The resolver of the assessments, watched by the metrics and the brake. */
  readonly resolver: Resolver;
  /** There are more DNS questions than we ask at a time. */
  readonly overloaded: () => boolean;
  readonly log: Log;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** The version of the Node that runs us, as it gives it. */
  readonly nodeVersion: string;
  /** Null without a live page. */
  readonly page: Pick<LivePageOptions, 'history' | 'data'> | null;
}

export interface Monitoring {
  /** `127.0.0.1:9892` */
  readonly authority: string;
  /** The service takes no new sessions: it is no longer ready, but still watched. */
  stopping(): void;
  close(): Promise<void>;
}

const HTTP_TIMEOUT_MS = 5_000;

/** Rejects with UsageError if it cannot listen. */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { address, resolver, metrics, isDnsIll, overloaded, log, now, nodeVersion } = options;
  const page = makeMetricsPage({ ...options, build: { version, node: nodeVersion } });
  const readiness = new Readiness({ resolver, lastHeard: () => metrics, isDnsIll, overloaded, now });
  const live = options.page === null ? null : await livePage(options.page);
  const pages = new Map<string, Route>([
    ...(live?.routes ?? []),
    ['/metrics', async () => ({ status: 200, type: page.contentType, body: await page.metrics() })],
    ['/healthz', () => ({ status: 200, type: PLAIN, body: 'ok\n' })],
    [
      '/readyz',
      async () => {
        const obstacle = await readiness.obstacle();
        // Without the store each host can do all of its work, but alone.
        const alone = options.store()?.ailment ?? null;
        const ok = alone === null ? 'ok' : `degraded: without the store of the farm (${alone})`;
        return { status: obstacle === null ? 200 : 503, type: PLAIN, body: `${obstacle ?? ok}\n` };
      },
    ],
  ]);
  const onError = (error: unknown): void => {
    metrics.errors.count('http');
    log.tell('http', { detail: describeError(error) });
  };
  let server: HttpServer;
  try {
    server = await startHttpServer({ address, pages, timeoutMs: HTTP_TIMEOUT_MS, onError });
  } catch (error) {
    const where = `${address.host} port ${address.port}`;
    throw new OptionError('--http', `cannot listen on ${where}: ${describeError(error)}`);
  }
  return {
    authority: server.authority,
    stopping: () => {
      readiness.stop();
    },
    close: async () => {
      live?.close();
      await server.close();
      page.clear();
    },
  };
}

/** Rejects with UsageError if there is no page to serve. */
async function livePage(page: Pick<LivePageOptions, 'history' | 'data'>): Promise<LivePage> {
  try {
    return new LivePage({ ...page, template: await pageTemplate() });
  } catch (error) {
    throw new OptionError('--http-page', describeError(error));
  }
}
