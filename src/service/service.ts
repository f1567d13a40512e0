/** Puts the parts together by a Config and runs them. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { OnVoid } from '../policy/access.ts';
import { Assessor } from '../session/assessor.ts';
import { ChurnCounter } from '../state/churn.ts';
import type { ConfigSource } from '../config/source.ts';
import { decisionLogger } from '../decisions/decision.ts';
import { DecisionLog } from '../decisions/file.ts';
import { heloMilter, type HeloMilterOptions, macrosFor } from '../session/helo-milter.ts';
import type { Log } from '../log/log.ts';
import { launch, type Standing } from './launch.ts';
import { ControlQuestions } from '../dns/control-questions.ts';
import { askedBy, type SharedResolver } from '../dns/asker.ts';
import { Metrics } from '../monitoring/metrics.ts';
import {
  type ActionName,
  formatSocketAddress,
  MilterServer,
  type MilterServerOptions,
  probe,
} from '../milter/index.ts';
import type { Monitoring } from '../monitoring/monitoring.ts';
import type { Config } from '../config/config.ts';
import { OutageBrake } from '../dns/outage-brake.ts';
import { Overload } from './overload.ts';
import { settles } from '../policy/policy.ts';
import { prepare, sameAssessments, sameResolver } from './live.ts';
import { changes, oneAtATime } from './reload.ts';
import { policiesOf, type Rules } from '../policy/rules.ts';
import { sessionErrors } from './session-errors.ts';
import type { Untagged } from '../session/tagging.ts';
import { TempfailBudget } from '../state/tempfail-budget.ts';
import { createTrace } from '../session/trace.ts';
import { describeError, UsageError } from '../errors.ts';

export interface Service {
  /** Where it listens, as Postfix spells it. */
  readonly sockets: readonly string[];
  /** Where it serves its numbers, as it stands in a URL; null where it does not. */
  readonly http: string | null;
  /** SMTP connections open now. */
  readonly connections: number;
  /** Reads the configuration and its files again; a fault in them keeps all as it was and is logged. Never rejects. */
  reload(): Promise<void>;
  /** Goes on in new files after a rotation. */
  reopen(): Promise<void>;
  /** How long `stop` takes at most, unless told. */
  readonly graceMs: number;
  /** What is wrong with one of its sockets, or null if the MTA would be answered on all. Takes 5 s at most. */
  ailment(): Promise<string | null>;
  /** Stops listening and lets open sessions finish, for at most the grace time; called again it may cut that short. */
  stop(graceMs?: number): Promise<void>;
}

/** What the program around a service gives it. */
export interface Surroundings {
  /** Where the configuration is read again; without it a reload reads the files that the Config names. */
  readonly source?: Pick<ConfigSource, 'read' | 'locate'>;
  /** Null in a program of another's: the process is left as it is, without `--user` and `--pid-file`. */
  readonly standing?: Standing | null;
  /** Lines that the log could not get rid of, in all. */
  readonly lostLines?: () => number;
}

const PROBE_TIMEOUT_MS = 5000;

/**
 * Starts the milter. Rejects with UsageError where the operator has to change something.
 */
export async function startService(
  config: Config,
  log: Log,
  { source = unchanging(config), standing = null, lostLines = () => 0 }: Surroundings = {},
): Promise<Service> {
  const now = (): number => performance.now();
  /** Entries of which the log has said that they are void, as written: the list may be read again, and their places change. */
  const told = new Set<string>();
  const onVoid: OnVoid = (file, { line, source }) => {
    if (told.has(source)) return;
    told.add(source);
    log.notice('access-expired', [
      ['file', file],
      ['line', line],
    ]);
  };
  let live = await prepare(config, onVoid);
  // Counted only where somebody can look at it.
  const metrics = config.http === null ? null : new Metrics(live.registry.findings.keys(), now);
  const brake = new OutageBrake({
    controls: new ControlQuestions(() => randomBytes(8).toString('hex')),
    resolver: () => (live.config.dnsZone === null ? live.resolver : null),
    now,
    onChange: (on, failing, networks) => {
      if (on && metrics !== null) metrics.outages++;
      const seen = [
        ['failing', failing],
        ['networks', networks],
      ] as const;
      if (on) log.error('dns-outage', [...seen, ['effect', 'nothing that rests on DNS is refused']]);
      else log.notice('dns-recovered', [...seen, ['effect', 'verdicts rest on DNS again']]);
    },
  });
  const overload = new Overload({
    now,
    tell: (questions, networks) => {
      log.warning('dns-overload', [
        ['questions', questions],
        ['networks', networks],
        [
          'effect',
          'they were not asked: what they might have shown is unknown, and who asked for too much has to come again',
        ],
      ]);
    },
  });
  const asked: SharedResolver = {
    lookup: (name, type) => live.resolver.lookup(name, type),
    for: (asker) => askedBy(live.resolver, asker),
  };
  const resolver = overload.watch(brake.watch(metrics?.watch(asked) ?? asked));
  const assessor = new Assessor({
    resolver,
    checks: () => live.rules.checks,
    get deadlineMs() {
      return live.config.deadline;
    },
    get cacheSize() {
      return live.config.cacheSize;
    },
    get cacheMemory() {
      return live.config.cacheMemory;
    },
    get cacheMinMs() {
      return live.config.cacheMin;
    },
    get cacheMaxMs() {
      return live.config.cacheMax;
    },
    now,
    // Who only watches wants to see everything.
    settled: (found) =>
      !live.rules.enforcement.observe &&
      !live.rules.access.needsReverse &&
      policiesOf(live.rules).every((each) => settles(found, each)),
    onMemoryShort: () => {
      log.warning('dns-memory', [
        [
          'effect',
          'answers that are too large for the memory left are unknown, and nobody is refused for them',
        ],
      ]);
    },
    onCheckError: (check, error) => {
      metrics?.errors.count('check');
      log.warning('check', [
        ['check', check],
        ['detail', describeError(error)],
      ]);
    },
  });
  const logged = decisionLogger(log);
  const open: { decisionLog: DecisionLog | null; monitoring: Monitoring | null } = {
    decisionLog: null,
    monitoring: null,
  };
  const bench: HeloMilterOptions = {
    assessor,
    timing: metrics ?? undefined,
    rules: () => live.rules,
    wallClock: () => Date.now(),
    budget: new TempfailBudget(() => live.config.tempfailLimit, now),
    dnsIll: (begun) => brake.onSince(begun),
    churn: new ChurnCounter({
      get windowMs() {
        return live.config.churnWindow;
      },
      get maxNames() {
        return live.config.churnLimit + 1;
      },
      get maxClients() {
        return Math.max(1000, live.config.cacheSize);
      },
      now,
    }),
    get authResults() {
      const { noAuthResults, authservId, forgedResults } = live.config;
      return noAuthResults ? null : { authservId, forged: forgedResults };
    },
    untagged: (why) => {
      log.warning('auth-results', [
        ['detail', UNTAGGED[why]],
        ['effect', 'no Authentication-Results is added or removed'],
      ]);
    },
    decided: (decision) => {
      metrics?.decided(decision);
      logged(decision);
      open.decisionLog?.write(decision);
    },
    now,
  };
  const agreed = (): Pick<MilterServerOptions, 'newSession' | 'macros' | 'actions' | 'replyOnError'> => ({
    newSession: metrics?.countSessions(heloMilter(bench)) ?? heloMilter(bench),
    macros: macrosFor(live.config.applyAt),
    actions: actionsFor(live.config),
    replyOnError: live.config.onError,
  });
  const trace = createTrace({
    log,
    clients: () => live.rules.traceClients,
    cached: () => assessor.cached,
    now,
  });
  const server = new MilterServer({
    ...agreed(),
    hold: true,
    observe: ({ family, address }, { id }) => trace(family === 'unix' ? null : address, id ?? '?'),
    onError: sessionErrors(log, metrics),
  });
  const { sockets, removePidFile } = await launch(server, config, standing, async () => {
    if (config.decisionLog !== null) {
      open.decisionLog = await DecisionLog.open(config.decisionLog, log, () => Date.now());
    }
    if (config.http === null || metrics === null) return;
    // Loaded only where it is wanted: the library costs start-up time.
    const { startMonitoring } = await import('../monitoring/monitoring.ts');
    open.monitoring = await startMonitoring({
      address: config.http,
      metrics,
      resolver,
      log,
      now,
      lookups: () => assessor.lookups,
      cached: () => assessor.cached,
      cachedBytes: () => assessor.cachedBytes,
      refusedAnswers: () => assessor.refusedAnswers,
      connections: () => server.connections,
      dnsIll: () => brake.on,
      overloaded: () => overload.on,
      deadlineMs: () => live.config.deadline,
      lostLines,
      // Who embeds the service keeps the process to itself.
      nodeVersion: standing?.host.node.version ?? 'unknown',
    });
  });
  return {
    sockets: sockets.map(({ address }) => formatSocketAddress(address)),
    http: open.monitoring?.authority ?? null,
    get connections() {
      return server.connections;
    },
    reload: oneAtATime(async () => {
      try {
        const { config: next, changed, waiting } = changes(live.config, await source.read());
        const before = live;
        const after = await prepare(next, onVoid);
        // From here on nothing can fail: what is read in between sees the old or the new, never both.
        live = sameResolver(before.config, next) ? { ...after, resolver: before.resolver } : after;
        server.change(agreed());
        metrics?.know(after.registry.findings.keys());
        metrics?.reloaded(true);
        // Who asks for a reload is told what came of it, at any level.
        log.setLevel('info');
        if (!sameAssessments(before, after)) assessor.forget();
        logHits(log, before.rules);
        log.notice('reloaded', [['changed', changed.length === 0 ? null : changed.join(',')]]);
        if (waiting.length > 0) {
          log.warning('reload', [
            ['options', waiting.join(',')],
            ['effect', 'they stay as they are until the program is started again'],
          ]);
        }
        log.setLevel(next.logLevel);
      } catch (error) {
        metrics?.reloaded(false);
        log.error('reload', [
          ['detail', sentences(source.locate(error))],
          ['effect', 'what was read before stays'],
        ]);
      }
    }),
    get graceMs() {
      return live.config.grace;
    },
    ailment: async () => {
      const all = await Promise.all(
        sockets.map(({ address, handed }) => probe(address, { timeoutMs: PROBE_TIMEOUT_MS, hidden: handed })),
      );
      return all.find((each) => each !== null) ?? null;
    },
    reopen: async () => {
      await open.decisionLog?.reopen();
    },
    stop: async (graceMs = live.config.grace) => {
      open.monitoring?.stopping();
      await server.close({ graceMs });
      brake.close();
      overload.close();
      await removePidFile();
      await open.monitoring?.close();
      logHits(log, live.rules);
      await open.decisionLog?.close();
    },
  };
}

const UNTAGGED: Readonly<Record<Untagged, string>> = {
  'no changes': 'the MTA does not let us change header fields',
  'no name': 'the MTA does not tell its name (the macro j), and authserv-id gives none',
};

function actionsFor({ noAuthResults, forgedResults }: Config): readonly ActionName[] {
  if (noAuthResults) return [];
  return forgedResults === 'none' ? ['addHeaders'] : ['addHeaders', 'changeHeaders'];
}

function unchanging(config: Config): NonNullable<Surroundings['source']> {
  return { read: () => Promise.resolve(config), locate: (error) => error };
}

function sentences(error: unknown): string {
  if (!(error instanceof UsageError)) return describeError(error);
  return [error, ...error.others].map(({ message }) => message).join('; ');
}

function logHits(log: Log, { access }: Rules): void {
  for (const [line, hits] of access.hits) {
    log.info('access', [
      ['line', line],
      ['hits', hits],
    ]);
  }
}
