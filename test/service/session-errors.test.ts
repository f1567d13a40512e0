/**
 * What is logged and counted about connections that are turned away, peers that break the protocol, and our
 * own failures.
 */
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from '../../src/log/log.ts';
import { TURNED_AWAY, TurnedAwayError, type TurnedAwayReason } from '../../src/milter/index.ts';
import { makeMetricsPage } from '../../src/monitoring/prometheus.ts';
import { sessionErrors } from '../../src/service/session-errors.ts';
import { makeSources } from '../support/sources.ts';

interface Line {
  readonly level: string;
  readonly event: string;
}

function ears(): {
  readonly hear: ReturnType<typeof sessionErrors>;
  readonly lines: Line[];
  /** The samples of a metric that are not zero. */
  readonly counted: (metric: string) => Promise<string[]>;
} {
  const lines: Line[] = [];
  const options: LogOptions = { format: 'json', now: () => 0 };
  const log = createLog((line) => lines.push(JSON.parse(line) as Line), options);
  const sources = makeSources();
  const hear = sessionErrors(log, sources.metrics);
  const registry = makeMetricsPage(sources);
  const counted = async (metric: string): Promise<string[]> =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${metric}{`) && !line.endsWith(' 0'))
      .map((line) => line.slice(metric.length));
  return { hear, lines, counted };
}

const time = '1970-01-01T00:00:00.000Z';

describe('a connection that is turned away', () => {
  const LEVELS: Readonly<Record<TurnedAwayReason, string>> = {
    connections: 'error',
    descriptors: 'error',
    buffers: 'warning',
    unread: 'warning',
  };

  it.each(TURNED_AWAY)('for want of %s is told and counted', async (reason) => {
    const { hear, lines, counted } = ears();
    hear(new TurnedAwayError(reason, 'no room'), 'turned-away');
    expect(lines).toEqual([{ time, level: LEVELS[reason], event: 'turned-away', reason, detail: 'no room' }]);
    expect(await counted('helo_milter_connections_turned_away_total')).toEqual([`{reason="${reason}"} 1`]);
    expect(await counted('helo_milter_errors_total')).toEqual([]);
  });

  it.each(TURNED_AWAY)(
    'for want of %s again and again is counted each time, and told once',
    async (reason) => {
      const { hear, lines, counted } = ears();
      for (let i = 0; i < 100; i++) hear(new TurnedAwayError(reason, 'no room'), 'turned-away');
      expect(lines).toHaveLength(1);
      expect(await counted('helo_milter_connections_turned_away_total')).toEqual([
        `{reason="${reason}"} 100`,
      ]);
    },
  );

  it('is told where nobody looks at metrics', () => {
    const events: string[] = [];
    const log = createLog((line) => events.push(line));
    sessionErrors(log, null)(new TurnedAwayError('unread', 'no room'), 'turned-away');
    expect(events).toEqual(['warning turned-away reason=unread detail="no room"\n']);
  });
});

describe('another error', () => {
  it.each([
    ['protocol', 'warning'],
    ['mail', 'error'],
  ] as const)('of %s is a %s', async (at, level) => {
    const { hear, lines, counted } = ears();
    hear(new Error('broken'), at);
    expect(lines).toMatchObject([{ time, level, event: 'session', at }]);
    expect(await counted('helo_milter_connections_turned_away_total')).toEqual([]);
  });
});
