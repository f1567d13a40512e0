/** The metrics by their public names, and the page that documents them. `npm run docs` writes the page. */
import { describe, expect, it } from 'vitest';
import { makeMetricsPage, METRICS, type MetricRow } from '../../src/monitoring/prometheus.ts';
import { makeSources } from '../support/sources.ts';
import { expectPage } from '../support/generated.ts';

const PAGE = new URL('../../docs/metrics.md', import.meta.url);

const STORE = { ailment: null, calls: new Map<string, number>(), outages: 0, invalid: 0, assessments: 0 };

describe('the page of /metrics', () => {
  it('has what was counted', async () => {
    const sources = makeSources({
      lookups: () => ({ hit: 5, miss: 3, joined: 1 }),
      cached: () => 2,
      cachedBytes: () => 8192,
      refusedAnswers: () => 6,
      regulars: () => 8,
      connections: () => 7,
      isDnsIll: () => true,
    });
    const { metrics } = sources;
    metrics.verdicts.count('reject');
    metrics.questions.get('PTR')?.count('nxdomain');
    for (const ms of [0.5, 2, 2, 3000, 60_000]) metrics.assessmentDuration.add(ms);
    metrics.late = 4;
    const registry = makeMetricsPage(sources);
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      '# TYPE helo_milter_verdicts_total counter',
      'helo_milter_verdicts_total{disposition="accept"} 0',
      'helo_milter_verdicts_total{disposition="reject"} 1',
      'helo_milter_cache_lookups_total{result="hit"} 5',
      'helo_milter_cache_addresses 2',
      'helo_milter_cache_bytes 8192',
      'helo_milter_dns_answers_refused_total 6',
      'helo_milter_regulars_known 8',
      'helo_milter_sessions 7',
      'helo_milter_outage_brake 1',
      'helo_milter_last_reload_successful 1',
      'helo_milter_deadline_seconds 6',
      'helo_milter_deadline_exceeded_total 4',
      'helo_milter_dns_questions_total{type="PTR",result="nxdomain"} 1',
      '# TYPE helo_milter_assessment_duration_seconds histogram',
      'helo_milter_assessment_duration_seconds_bucket{le="0.001"} 1',
      'helo_milter_assessment_duration_seconds_bucket{le="0.0025"} 3',
      'helo_milter_assessment_duration_seconds_bucket{le="5"} 4',
      'helo_milter_assessment_duration_seconds_bucket{le="25"} 4',
      'helo_milter_assessment_duration_seconds_bucket{le="+Inf"} 5',
      'helo_milter_assessment_duration_seconds_count 5',
      'helo_milter_build_info{version="1.2.3",node="v20.0.0"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    const sum = lines.find((line) => line.startsWith('helo_milter_assessment_duration_seconds_sum '));
    expect(Number(sum?.split(' ')[1])).toBeCloseTo(63.0045);
    registry.clear();
  });

  it('says the same when asked again, and twice at once', async () => {
    const sources = makeSources();
    sources.metrics.verdicts.count('accept');
    const registry = makeMetricsPage(sources);
    const ours = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith('helo_milter_'));
    const [first, second] = await Promise.all([ours(), ours()]);
    expect(second).toEqual(first);
    expect(await ours()).toEqual(first);
    expect(first).toContain('helo_milter_verdicts_total{disposition="accept"} 1');
    registry.clear();
  });

  it.each<[string, string | null | undefined, string[]]>([
    ['where there is none', undefined, []],
    ['that answers', null, ['helo_milter_store_up 1']],
    ['that does not', 'no answer', ['helo_milter_store_up 0']],
  ])('tells of a store %s', async (_, ailment, samples) => {
    const registry = makeMetricsPage(
      makeSources({ store: () => (ailment === undefined ? null : { ...STORE, ailment }) }),
    );
    // Twice, since prom-client keeps what it was told.
    await registry.metrics();
    const text = await registry.metrics();
    expect(text.match(/^helo_milter_store_up.*$/gm) ?? []).toEqual(samples);
    expect(text).toContain('# TYPE helo_milter_store_up gauge');
    registry.clear();
  });

  it('has the process, but not what lists every socket', async () => {
    const registry = makeMetricsPage(makeSources());
    const text = await registry.metrics();
    for (const name of [
      'process_resident_memory_bytes',
      'process_open_fds',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(text).toContain(`# TYPE ${name} `);
    expect(text).not.toMatch(/nodejs_active_/);
    registry.clear();
  });
});

describe.each(METRICS)('$name', (row) => {
  it('has a name and a text as Prometheus wants them', () => {
    expect(row.name).toMatch(/^helo_milter_[a-z]+(?:_[a-z]+)*$/);
    expect(row.name.endsWith('_total')).toBe(row.type === 'counter');
    if (row.type === 'histogram') expect(row.name).toMatch(/_seconds$/);
    expect(row.help).toMatch(/^[^\n]{15,}[^.\n]$/);
    expect(METRICS.filter(({ name }) => name === row.name)).toHaveLength(1);
  });

  it('has few series, each with the labels it says', () => {
    const samples = row.type === 'histogram' ? [] : [...row.read(makeSources({ store: () => STORE }))];
    expect(samples.length > 0).toBe(row.type !== 'histogram');
    if (row.type === 'histogram') expect(row.labels).toEqual([]);
    expect(samples.length).toBeLessThanOrEqual(64);
    for (const [labels, value] of samples) {
      expect(Object.keys(labels)).toEqual(row.labels);
      expect(value).toBeTypeOf('number');
    }
  });
});

/** The values of each label, if they fit on a line. */
function labelsOf(row: MetricRow): string {
  if (row.type === 'histogram') return '';
  const samples = [...row.read(makeSources())];
  return row.labels
    .map((label) => {
      if (row.name === 'helo_milter_build_info') return `\`${label}\``;
      const values = [...new Set(samples.map(([labels]) => labels[label] ?? ''))];
      return `\`${label}\`: ${values.length > 20 ? 'the ids of [findings.md](findings.md) and of your own checks' : values.join(', ')}`;
    })
    .join('; ');
}

function page(): string {
  const rows = METRICS.map((row) => `| \`${row.name}\` | ${row.type} | ${row.help} | ${labelsOf(row)} |`);
  return `# Metrics

What helo-milter reports to Prometheus. Generated; do not edit.

\`helo-milter --http 127.0.0.1:9892\` serves three pages, to GET and HEAD:

- \`/metrics\`: the numbers below, in the text format of Prometheus.
- \`/healthz\`: 200 while the process is alive.
- \`/readyz\`: 200 while it can do all of its work, else 503 and one line that says why not: DNS does not answer, the outage
  brake is on, there is more to ask than can be asked at once (for several client networks), or the service is stopping. If
  no mail has had an answer from DNS for ten seconds, it asks for the name servers of \`arpa\` itself, at most once in five
  seconds. Without the store of a farm it says \`degraded\`, and why, with 200: mail is not affected.

With \`--http-page\` there is also the live page at \`/\`, for browsers on this host: [page.md](page.md).

There is no password and no TLS, so only a loopback address is accepted unless \`--http-public\` is given. No label holds a
client, a HELO name or a domain, so the number of series is bounded, whatever strangers say. Without \`--http\` none of this
costs anything.

[scrape.yml](../examples/prometheus/scrape.yml) makes Prometheus fetch them, [alerts.yml](../examples/prometheus/alerts.yml)
says when to look and what to do, and [helo-milter.json](../examples/grafana/helo-milter.json) is a dashboard for Grafana.
The alerts of the store are silent where there is no \`--store\`.

| metric | type | what it counts | labels |
| --- | --- | --- | --- |
${rows.join('\n')}

A word that is in none of these lists counts as \`other\`. One decision is one \`decision\` line in the log. There are also the
\`process_*\` and \`nodejs_*\` metrics of prom-client: memory, CPU, open files, event-loop lag, garbage collection.
`;
}

it('docs/metrics.md is up to date', () => {
  expectPage(PAGE, page());
});
