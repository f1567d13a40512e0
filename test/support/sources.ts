/** The sources of the metrics, without a service. */
import { findings } from '../../src/core/checks/index.ts';
import { Metrics } from '../../src/monitoring/metrics.ts';
import type { MetricSources } from '../../src/monitoring/prometheus.ts';

export function makeSources(changes: Partial<MetricSources> = {}): MetricSources {
  return {
    metrics: new Metrics(findings.keys(), () => 0),
    lookups: () => ({ hit: 0, miss: 0, joined: 0 }),
    cached: () => 0,
    cachedBytes: () => 0,
    refusedAnswers: () => 0,
    regulars: () => 0,
    connections: () => 0,
    isDnsIll: () => false,
    deadlineMs: () => 6000,
    lostLines: () => 0,
    store: () => null,
    build: { version: '1.2.3', node: 'v20.0.0' },
    ...changes,
  };
}
