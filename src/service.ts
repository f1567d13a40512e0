/** Puts the parts together by a Config and runs them. */
import { performance } from 'node:perf_hooks';
import { Assessor } from './assessor.ts';
import { ChurnCounter } from './churn.ts';
import type { ConfigSource } from './config-source.ts';
import { type Decision, decisionLogger } from './decision.ts';
import { DecisionLog } from './decision-log.ts';
import { describeError } from './describe-error.ts';
import { heloMilter, type HeloMilterOptions, macrosFor } from './helo-milter.ts';
import type { Log } from './log.ts';
import { launch, type Standing } from './launch.ts';
import { formatSocketAddress, MilterServer, type MilterServerOptions, probe } from './milter/index.ts';
import type { Config } from './options.ts';
import { OutageBrake } from './outage-brake.ts';
import { settles } from './policy.ts';
import { prepare, sameAssessments, sameResolver } from './prepared.ts';
import { changes, oneAtATime } from './reload.ts';
import { policiesOf, type Rules } from './rules.ts';
import { TempfailBudget } from './tempfail-budget.ts';
import { createTrace } from './trace.ts';
import { UsageError } from './usage-error.ts';

/** On when half of at least ten domains failed within half a minute, off when fewer than a fifth do. */
const BRAKE = { windowMs: 30_000, minDomains: 10, onAt: 0.5, offBelow: 0.2 } as const;

export interface Service {
  /** Where it listens, as Postfix spells it. */
  readonly sockets: readonly string[];
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

const PROBE_TIMEOUT_MS = 5000;

/**
 * Starts the milter; `source` is where the configuration is read again. Rejects with UsageError where the operator has to
 * change something. `standing` is null in a program of another's: then the process is left as it is, without `--user` and
 * `--pid-file`.
 */
export async function startService(
  config: Config,
  log: Log,
  source: Pick<ConfigSource, 'read' | 'locate'> = { read: () => Promise.resolve(config), locate: (it) => it },
  standing: Standing | null = null,
): Promise<Service> {
  const now = (): number => performance.now();
  const onVoid = (file: string, line: number): void => {
    log.notice('access-expired', [
      ['file', file],
      ['line', line],
    ]);
  };
  let live = await prepare(config, onVoid);
  const brake = new OutageBrake({
    ...BRAKE,
    now,
    onChange: (on, failing, domains) => {
      const seen = [
        ['failing', failing],
        ['domains', domains],
      ] as const;
      if (on) log.error('dns-outage', [...seen, ['effect', 'nothing that rests on DNS is refused']]);
      else log.notice('dns-recovered', [...seen, ['effect', 'verdicts rest on DNS again']]);
    },
  });
  const assessor = new Assessor({
    resolver: brake.watch({ lookup: (name, type) => live.resolver.lookup(name, type) }),
    checks: () => live.rules.checks,
    get deadlineMs() {
      return live.config.deadline;
    },
    get cacheSize() {
      return live.config.cacheSize;
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
    onCheckError: (check, error) => {
      log.warning('check', [
        ['check', check],
        ['detail', describeError(error)],
      ]);
    },
  });
  const decided = decisionLogger(log);
  const { decisionLog: file } = config;
  const decisionLog = file === null ? null : await DecisionLog.open(file, log, () => Date.now());
  const bench: HeloMilterOptions = {
    assessor,
    rules: () => live.rules,
    wallClock: () => Date.now(),
    budget: new TempfailBudget(() => live.config.tempfailLimit, now),
    dnsIll: () => brake.on,
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
      return live.config.noAuthResults ? null : { authservId: live.config.authservId };
    },
    decided: decisionLog === null ? decided : both(decided, decisionLog),
    now,
  };
  const agreed = (): Pick<MilterServerOptions, 'newSession' | 'macros' | 'actions' | 'replyOnError'> => ({
    newSession: heloMilter(bench),
    macros: macrosFor(live.config.applyAt),
    actions: live.config.noAuthResults ? [] : ['addHeaders', 'changeHeaders'],
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
    onError: (error, event) => {
      // A peer that breaks the protocol is its own affair; a callback that fails is ours.
      const say = event === 'protocol' ? log.warning : log.error;
      say('session', [
        ['at', event],
        ['detail', describeError(error)],
      ]);
    },
  });
  const { sockets, removePidFile } = await launch(server, config, standing);
  return {
    sockets: sockets.map(({ address }) => formatSocketAddress(address)),
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
      await decisionLog?.reopen();
    },
    stop: async (graceMs = live.config.grace) => {
      await server.close({ graceMs });
      await removePidFile();
      logHits(log, live.rules);
      await decisionLog?.close();
    },
  };
}

function both(log: (decision: Decision) => void, file: DecisionLog): (decision: Decision) => void {
  return (decision) => {
    log(decision);
    file.write(decision);
  };
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
