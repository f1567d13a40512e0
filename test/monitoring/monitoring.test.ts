import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import { createLog } from '../../src/log/log.ts';
import { type Monitoring, type MonitoringOptions, startMonitoring } from '../../src/monitoring/monitoring.ts';
import { UsageError } from '../../src/errors.ts';
import { version } from '../../src/system/version.ts';
import { makeSources } from '../support/sources.ts';

describe('monitoring', () => {
  let monitoring: Monitoring | null = null;
  let logged = '';
  afterEach(async () => {
    await monitoring?.close();
    monitoring = null;
    logged = '';
  });

  async function start(
    changes: Partial<MonitoringOptions> = {},
    answer: Answer<RecordType> = { status: 'nxdomain', ttl: null },
  ): Promise<void> {
    monitoring = await startMonitoring({
      ...makeSources(),
      overloaded: () => false,
      address: { host: '127.0.0.1', port: 0, loopback: true },
      resolver: { lookup: <T extends RecordType>() => Promise.resolve(answer as Answer<T>) },
      log: createLog((line) => (logged += line)),
      now: () => 0,
      nodeVersion: process.version,
      page: null,
      ...changes,
    });
  }

  async function get(path: string): Promise<[status: number, type: string | null, body: string]> {
    const response = await fetch(`http://${monitoring?.authority ?? ''}${path}`);
    return [response.status, response.headers.get('content-type'), await response.text()];
  }

  const PLAIN = 'text/plain; charset=utf-8';

  it('is alive and ready', async () => {
    await start();
    expect(await get('/healthz')).toEqual([200, PLAIN, 'ok\n']);
    expect(await get('/readyz')).toEqual([200, PLAIN, 'ok\n']);
    expect((await get('/'))[0]).toBe(404);
  });

  it('is degraded, and ready, without the store of a farm', async () => {
    const store = { ailment: 'no answer', calls: new Map(), outages: 1, invalid: 0, assessments: 0 };
    await start({ store: () => store });
    expect(await get('/readyz')).toEqual([
      200,
      PLAIN,
      'degraded: without the store of the farm (no answer)\n',
    ]);
  });

  it('serves the metrics, its own version among them', async () => {
    await start();
    const [status, type, body] = await get('/metrics');
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toContain(`helo_milter_build_info{version="${version}",node="${process.version}"} 1`);
    expect(logged).toBe('');
  });

  it('is alive but not ready without DNS', async () => {
    await start({}, { status: 'temperror', detail: 'timeout' });
    expect(await get('/readyz')).toEqual([503, PLAIN, 'dns: the resolver does not answer (timeout)\n']);
    expect((await get('/healthz'))[0]).toBe(200);
  });

  it('is alive but not ready while it stops', async () => {
    await start();
    monitoring?.stopping();
    expect(await get('/readyz')).toEqual([503, PLAIN, 'stopping: no new sessions are taken\n']);
    expect((await get('/metrics'))[0]).toBe(200);
  });

  it('logs and counts what goes wrong, and goes on', async () => {
    const sources = makeSources();
    await start({
      ...sources,
      cached: () => {
        throw new Error('boom');
      },
    });
    expect(await get('/metrics')).toEqual([500, PLAIN, 'internal error\n']);
    expect(logged).toBe('warning http detail=boom\n');
    expect([...sources.metrics.errors]).toContainEqual(['http', 1]);
    expect((await get('/healthz'))[0]).toBe(200);
  });

  it('refuses a port in use in one sentence', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const refused = start({ address: { host: '127.0.0.1', port, loopback: true } });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(
      /^--http: cannot listen on 127\.0\.0\.1 port \d+: [^\n]*EADDRINUSE/,
    );
    await new Promise((resolve) => other.close(resolve));
  });
});
