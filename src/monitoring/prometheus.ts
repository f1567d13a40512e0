/**
 * The numbers under their public names: one row per metric, from which `/metrics` and docs/metrics.md are
 * made. Names and labels are public API, as finding ids are. Values are read when the page is requested.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Durations, Metrics, Tally } from './metrics.ts';

/** Where the numbers come from. */
export interface MetricSources {
  readonly metrics: Metrics;
  /** Assessments asked for, by what the cache had. */
  readonly lookups: () => Readonly<Record<'hit' | 'miss' | 'joined', number>>;
  /** Addresses in the cache. */
  readonly cached: () => number;
  /** Bytes that they take, approximately. */
  readonly cachedBytes: () => number;
  /** DNS answers that were dropped because the assessments under way held too much memory. */
  readonly refusedAnswers: () => number;
  /** Clients and names known by their mail, regular or not yet. */
  readonly regulars: () => number;
  /** SMTP connections open now. */
  readonly connections: () => number;
  /** The outage brake is on. */
  readonly isDnsIll: () => boolean;
  /** `--deadline` in milliseconds. */
  readonly deadlineMs: () => number;
  /** Lines that the log lost because nobody took them. */
  readonly lostLines: () => number;
  /** The store of the farm; null if there is none. */
  readonly store: () => StoreNumbers | null;
  readonly build: Readonly<Record<'version' | 'node', string>>;
}

export interface StoreNumbers {
  /** Null while it answers, else why it is not asked. */
  readonly ailment: string | null;
  /** By what became of them. */
  readonly calls: ReadonlyMap<string, number>;
  readonly outages: number;
  readonly invalid: number;
  /** Assessments that were taken from it. */
  readonly assessments: number;
}

const STORE_RESULTS = ['ok', 'timeout', 'error', 'busy', 'alone'] as const;

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface Doc {
  readonly name: `helo_milter_${string}`;
  readonly help: string;
  readonly labels: readonly string[];
}

export type MetricRow = Doc &
  (
    | { readonly type: 'counter' | 'gauge'; readonly read: (sources: MetricSources) => Iterable<Sample> }
    | { readonly type: 'histogram'; readonly read: (sources: MetricSources) => Durations }
  );

type Read<T> = (sources: MetricSources) => T;

function tally(name: Doc['name'], label: string, help: string, of: Read<Tally>): MetricRow {
  const read = (sources: MetricSources): Sample[] =>
    [...of(sources)].map(([word, n]) => [{ [label]: word }, n]);
  return { name, help, labels: [label], type: 'counter', read };
}

function number(type: 'counter' | 'gauge', name: Doc['name'], help: string, of: Read<number>): MetricRow {
  return { name, help, labels: [], type, read: (sources) => [[{}, of(sources)]] };
}

function histogram(name: Doc['name'], help: string, read: Read<Durations>): MetricRow {
  return { name, help, labels: [], type: 'histogram', read };
}

export const METRICS: readonly MetricRow[] = [
  tally(
    'helo_milter_verdicts_total',
    'disposition',
    'Verdicts by what the policy says, whatever was done',
    ({ metrics }) => metrics.verdicts,
  ),
  tally(
    'helo_milter_actions_total',
    'action',
    'Decisions by what was done, after exemptions, --observe, --enforce-percent and --tempfail-limit',
    ({ metrics }) => metrics.actions,
  ),
  tally(
    'helo_milter_refusals_total',
    'cause',
    'Rejects and tempfails, by the finding that weighed most',
    ({ metrics }) => metrics.causes,
  ),
  tally(
    'helo_milter_ramps_total',
    'state',
    'Rejects that rest on a finding with a --ramp: within it the client was told to come again, over it refused for good',
    ({ metrics }) => metrics.ramps,
  ),
  tally(
    'helo_milter_stream_limit_total',
    'state',
    'Decisions on mail that is let in otherwise, in a stream with a --stream-limit: over it the client was told to come again later',
    ({ metrics }) => metrics.streamLimits,
  ),
  number(
    'gauge',
    'helo_milter_regulars_known',
    'Pairs of client and name whose accepted mail is counted for --regulars, regular or not yet; there is room for 50000',
    ({ regulars }) => regulars(),
  ),
  number(
    'counter',
    'helo_milter_regulars_let_in_total',
    'Decisions that accept for no other reason than that the client is a regular',
    ({ metrics }) => metrics.regulars,
  ),
  tally(
    'helo_milter_self_tests_total',
    'result',
    'Answers to mail for --self-test-recipient, by what is done about mail of the client; limited: its network had asked too often',
    ({ metrics }) => metrics.selfTests,
  ),
  tally(
    'helo_milter_exemptions_total',
    'kind',
    'Decisions in which the verdict did not count, by reason; tempfail-limit: the budget of tempfails was used up',
    ({ metrics }) => metrics.exemptions,
  ),
  tally(
    'helo_milter_findings_total',
    'finding',
    'Findings in verdicts, including those of weight zero',
    ({ metrics }) => metrics.findings,
  ),
  tally('helo_milter_streams_total', 'stream', 'Verdicts by stream', ({ metrics }) => metrics.streams),
  tally(
    'helo_milter_correspondence_total',
    'strength',
    'Verdicts by the strongest proof that the name belongs to the client',
    ({ metrics }) => metrics.correspondences,
  ),
  tally(
    'helo_milter_shadow_verdicts_total',
    'disposition',
    'What --shadow-policy would have said',
    ({ metrics }) => metrics.shadowVerdicts,
  ),
  {
    name: 'helo_milter_cache_lookups_total',
    help: 'HELOs by what the cache had: hit, miss, or joined if another session was already asking',
    labels: ['result'],
    type: 'counter',
    read: ({ lookups }) => Object.entries(lookups()).map(([result, n]) => [{ result }, n] as const),
  },
  number('gauge', 'helo_milter_cache_addresses', 'Client addresses in the cache', ({ cached }) => cached()),
  number(
    'gauge',
    'helo_milter_cache_bytes',
    'Approximate memory that the cache takes; see --cache-memory',
    (sources) => sources.cachedBytes(),
  ),
  number(
    'counter',
    'helo_milter_dns_answers_refused_total',
    'DNS answers that were dropped because the assessments under way held too much memory; dns-temperror, detail memory',
    ({ refusedAnswers }) => refusedAnswers(),
  ),
  histogram(
    'helo_milter_assessment_duration_seconds',
    'Time from HELO until the assessment was there, for HELOs that were not in the cache',
    ({ metrics }) => metrics.assessmentDuration,
  ),
  histogram(
    'helo_milter_wait_duration_seconds',
    'How long the MTA had to wait for an assessment that was not ready at the command that needs it',
    ({ metrics }) => metrics.waitDuration,
  ),
  number('gauge', 'helo_milter_deadline_seconds', 'The --deadline of an assessment', ({ deadlineMs }) => {
    return deadlineMs() / 1000;
  }),
  number(
    'counter',
    'helo_milter_deadline_exceeded_total',
    'HELOs whose assessment was cut short by --deadline; what it did not learn is dns-temperror',
    ({ metrics }) => metrics.late,
  ),
  {
    name: 'helo_milter_dns_questions_total',
    help: 'DNS questions by type and answer, including the probes of /readyz',
    labels: ['type', 'result'],
    type: 'counter',
    read: ({ metrics }) =>
      [...metrics.questions].flatMap(([type, results]) =>
        [...results].map(([result, n]) => [{ type, result }, n] as const),
      ),
  },
  histogram(
    'helo_milter_dns_duration_seconds',
    'How long a DNS question took, failover included',
    ({ metrics }) => metrics.dnsDuration,
  ),
  tally(
    'helo_milter_dns_errors_total',
    'kind',
    'Questions that DNS did not answer, by what happened at the last server asked; overload: too many at once; share: more than one network may ask',
    ({ metrics }) => metrics.dnsErrors,
  ),
  number(
    'counter',
    'helo_milter_overloaded_verdicts_total',
    'Verdicts for which some questions were not asked because there were too many at once; dns=overload or dns=share in the log',
    ({ metrics }) => metrics.overloaded,
  ),
  number(
    'gauge',
    'helo_milter_outage_brake',
    '1 while nothing that rests on DNS is refused',
    ({ isDnsIll }) => {
      return isDnsIll() ? 1 : 0;
    },
  ),
  number(
    'counter',
    'helo_milter_outages_total',
    'How often the outage brake was pulled',
    ({ metrics }) => metrics.outages,
  ),
  {
    name: 'helo_milter_store_up',
    help: '1 while the store of the farm answers, 0 while it does not; absent without --store',
    labels: [],
    type: 'gauge',
    read: ({ store }) => {
      const numbers = store();
      return numbers === null ? [] : [[{}, numbers.ailment === null ? 1 : 0]];
    },
  },
  {
    name: 'helo_milter_store_calls_total',
    help: 'Questions to the store of the farm, by what became of them: busy: too many were under way; alone: not asked, because it did not answer before',
    labels: ['result'],
    type: 'counter',
    read: ({ store }) =>
      STORE_RESULTS.map((result) => [{ result }, store()?.calls.get(result) ?? 0] as const),
  },
  number(
    'counter',
    'helo_milter_store_outages_total',
    'How often the store of the farm was given up, until it answered again',
    ({ store }) => store()?.outages ?? 0,
  ),
  number(
    'counter',
    'helo_milter_store_invalid_total',
    'Values and answers of the store of the farm that are not what we write, and were ignored',
    ({ store }) => store()?.invalid ?? 0,
  ),
  number(
    'counter',
    'helo_milter_store_assessments_total',
    'Assessments that another host of the farm had made, so that DNS was not asked',
    ({ store }) => store()?.assessments ?? 0,
  ),
  number('gauge', 'helo_milter_sessions', 'SMTP connections open now', ({ connections }) => connections()),
  number(
    'counter',
    'helo_milter_sessions_total',
    'SMTP connections accepted',
    ({ metrics }) => metrics.sessions,
  ),
  tally(
    'helo_milter_connections_turned_away_total',
    'reason',
    'SMTP connections that the MTA had to handle without us: connections (the maximum is open), descriptors (the process can hardly open more files), buffers (together they keep too much in memory; the one that has kept the most for the longest is closed), unread (the peer does not read our replies)',
    ({ metrics }) => metrics.turnedAway,
  ),
  tally(
    'helo_milter_errors_total',
    'kind',
    'Internal faults: protocol (the peer is not an MTA, or is a broken one), callback (a fault of ours; see --on-error), check (a check failed), http',
    ({ metrics }) => metrics.errors,
  ),
  number(
    'counter',
    'helo_milter_log_lines_lost_total',
    'Log lines lost because their reader is too slow or the disk is full',
    ({ lostLines }) => lostLines(),
  ),
  tally(
    'helo_milter_reloads_total',
    'result',
    'Reloads by whether what was read was valid',
    ({ metrics }) => metrics.reloads,
  ),
  number(
    'gauge',
    'helo_milter_last_reload_successful',
    '0 if the last reload failed, so that what was read before stays in force; else 1',
    ({ metrics }) => (metrics.lastReloadFailed ? 0 : 1),
  ),
  {
    name: 'helo_milter_build_info',
    help: 'Always 1; the versions are in the labels',
    labels: ['version', 'node'],
    type: 'gauge',
    read: ({ build }) => [[build, 1]],
  },
];

/**
 * Metrics of prom-client that we leave out. They list every socket at each scrape, which delays mail with
 * 10,000 sessions, and break the naming rules of Prometheus.
 */
const LEFT_OUT = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
] as const;

/** The page: our metrics, with those of the process beside them. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
  /** Stops watching the process. */
  clear(): void;
}

export function makeMetricsPage(sources: MetricSources): MetricsPage {
  const registry = new Registry();
  const histograms = METRICS.flatMap((row) => {
    if (row.type === 'histogram') return [() => histogramText(row, row.read(sources))];
    register(row, sources, registry);
    return [];
  });
  collectDefaultMetrics({ register: registry });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  return {
    contentType: registry.contentType,
    metrics: async () => [...histograms.map((text) => text()), await registry.metrics()].join('\n'),
    clear: () => {
      registry.clear();
    },
  };
}

function register(
  row: Exclude<MetricRow, { type: 'histogram' }>,
  sources: MetricSources,
  registry: Registry,
): void {
  const { name, help, type } = row;
  const config = { name, help, labelNames: [...row.labels], registers: [registry] };
  if (type === 'counter') {
    new Counter({
      ...config,
      collect() {
        this.reset();
        for (const [labels, value] of row.read(sources)) this.inc(labels, value);
      },
    });
  } else {
    new Gauge({
      ...config,
      collect() {
        // Without labels it begins with a 0 that nobody read.
        if (row.labels.length === 0) this.remove();
        for (const [labels, value] of row.read(sources)) this.set(labels, value);
      },
    });
  }
}

/**
 * A histogram in the text format of Prometheus (version 0.0.4). Its observations were made elsewhere, and
 * prom-client can only be told them one by one.
 */
function histogramText({ name, help }: Doc, { bounds, counts, sum }: Durations): string {
  let upTo = 0;
  const buckets = Array.from(
    counts,
    (count, i) => `${name}_bucket{le="${bounds[i] ?? '+Inf'}"} ${(upTo += count)}`,
  );
  const head = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  return [...head, ...buckets, `${name}_sum ${sum}`, `${name}_count ${upTo}`, ''].join('\n');
}
