/** The service: puts the parts together as a Config says, runs them, and shuts them down again. */
import { createHmac, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Config } from '../config/config.ts';
import { decisionLogger } from '../decisions/decision.ts';
import { DecisionLog } from '../decisions/file.ts';
import { History } from '../decisions/history.ts';
import type { Log } from '../log/log.ts';
import { formatSocketAddress, probe } from '../milter/index.ts';
import { Metrics } from '../monitoring/metrics.ts';
import type { Monitoring } from '../monitoring/monitoring.ts';
import type { StoreNumbers } from '../monitoring/prometheus.ts';
import type { OnExpired } from '../policy/access.ts';
import type { AddressMask } from '../report/address-mask.ts';
import type { PageData } from '../report/page-data.ts';
import { assemble, type Assembly, type Workshop } from './assembly.ts';
import { launch, type Standing } from './launch.ts';
import { Live, prepare } from './live.ts';
import { RegularsFile } from './regulars-file.ts';
import { openStore } from './open-store.ts';
import { logHits, reloader, type Source } from './reload.ts';
import type { RedisStore } from '../store/redis-store.ts';
import type { OpenSocket } from './sockets.ts';

/** A service that is running. */
export interface Service {
  /** Where it listens, as Postfix spells it. */
  readonly sockets: readonly string[];
  /** Where it serves its metrics, as written in a URL; null if it does not. */
  readonly http: string | null;
  /** SMTP connections open now. */
  readonly connections: number;
  /**
   * Reads the configuration and its files again; a mistake is logged, and everything stays as it was. Never
   * rejects.
   */
  reload(): Promise<void>;
  /** Reopens its log files after a rotation. */
  reopen(): Promise<void>;
  /** How long `stop` takes at most by default, in milliseconds. */
  readonly graceMs: number;
  /**
   * What is wrong with one of its sockets, or null if the MTA would get an answer on all. Takes 5 s at most.
   */
  ailment(): Promise<string | null>;
  /**
   * Stops listening and lets open sessions finish, for at most the grace time; a second call may cut that
   * short.
   */
  stop(graceMs?: number): Promise<void>;
}

/** What the program gives its service. */
export interface Surroundings {
  /**
   * Where the configuration is read again; without it a reload reads only the files that the Config names.
   */
  readonly source?: Source;
  /**
   * Null if another program embeds the service: the process is left as it is, without `--user` and
   * `--pid-file`.
   */
  readonly standing?: Standing | null;
  /** How many lines the log has lost in all. */
  readonly lostLines?: () => number;
}

const PROBE_TIMEOUT_MS = 5000;
/** Octets for recent decisions, unless `--history` says otherwise. */
const HISTORY_BYTES = 16 * 1024 * 1024;

/** Starts the milter. Rejects with UsageError if the operator has to change something. */
export async function startService(
  config: Config,
  log: Log,
  { source = unchanging(config), standing = null, lostLines = () => 0 }: Surroundings = {},
): Promise<Service> {
  const now = (): number => performance.now();
  const onExpired = expiryNotices(log);
  const mask = await maskOf(config);
  const live = new Live(await prepare(config, onExpired, mask));
  // Counted only if somebody can look at it.
  const metrics = config.http === null ? null : new Metrics(live.registry.findings.keys(), now);
  const store = await openStore(config, { log, now });
  const workshop = { live, log, metrics, now, store };
  const history = historyOf(config, mask);
  const logged = decisionLogger(log);
  /** Opened by the user that we have become, once the sockets are there; so is the store's connection. */
  const open: {
    decisionLog: DecisionLog | null;
    regulars: RegularsFile | null;
    monitoring: Monitoring | null;
  } = {
    decisionLog: null,
    regulars: null,
    monitoring: null,
  };
  const parts = assemble(workshop, (decision) => {
    metrics?.decided(decision);
    logged(decision);
    // The decision log hands on what it has formatted.
    (open.decisionLog ?? history)?.write(decision);
  });
  const { assessor, server, brake, overload } = parts;
  const launched = launch(server, config, standing, async () => {
    store?.start();
    if (config.decisionLog !== null) {
      open.decisionLog = await DecisionLog.open(
        config.decisionLog,
        log,
        () => Date.now(),
        (record) => history?.take(record),
      );
    }
    if (config.regularsFile !== null) {
      open.regulars = await RegularsFile.open(config.regularsFile, parts.regulars, log);
    }
    open.monitoring = await monitor(workshop, parts, { standing, lostLines, store, history });
  });
  launched.catch(() => store?.close());
  const { sockets, removePidFile } = await launched;
  return {
    sockets: sockets.map(({ address }) => formatSocketAddress(address)),
    http: open.monitoring?.authority ?? null,
    get connections() {
      return server.connections;
    },
    get graceMs() {
      return live.config.grace;
    },
    reload: reloader({ ...workshop, ...parts, source, onExpired, mask }),
    reopen: async () => {
      await open.decisionLog?.reopen();
    },
    ailment: () => ailmentOf(sockets),
    stop: async (graceMs = live.config.grace) => {
      open.monitoring?.stopping();
      await server.close({ graceMs });
      assessor.close();
      brake.close();
      overload.close();
      store?.close();
      await removePidFile();
      await open.monitoring?.close();
      logHits(log, live.rules);
      await open.regulars?.close();
      await open.decisionLog?.close();
    },
  };
}

/** Serves the metrics, if somebody wants them. */
async function monitor(
  { live, log, metrics, now }: Workshop,
  { resolver, assessor, server, brake, overload, regulars, knowledge }: Assembly,
  {
    standing,
    lostLines,
    store,
    history,
  }: Required<Pick<Surroundings, 'standing' | 'lostLines'>> & {
    readonly store: RedisStore | null;
    readonly history: History | null;
  },
): Promise<Monitoring | null> {
  const { http: address } = live.config;
  if (address === null || metrics === null) return null;
  // Loaded only if wanted: the library costs start-up time.
  const { startMonitoring } = await import('../monitoring/monitoring.ts');
  return startMonitoring({
    address,
    metrics,
    resolver,
    log,
    now,
    lookups: () => assessor.lookups,
    cached: () => assessor.cached,
    cachedBytes: () => assessor.cachedBytes,
    refusedAnswers: () => assessor.refusedAnswers,
    regulars: () => regulars.size,
    connections: () => server.connections,
    isDnsIll: () => brake.on,
    overloaded: () => overload.on,
    store: () => (store === null ? null : storeNumbers(store, knowledge)),
    deadlineMs: () => live.config.deadline,
    page: history === null ? null : { history, data: () => inForceOf(live) },
    lostLines,
    // A program that embeds the service keeps the process to itself.
    nodeVersion: standing?.host.node.version ?? 'unknown',
  });
}

/** Recent decisions, if there is a page to show them. */
function historyOf({ httpPage, history }: Config, mask: AddressMask | null): History | null {
  if (!httpPage) return null;
  const hide = (record: string): string => mask?.line(record) ?? record;
  return new History(history ?? HISTORY_BYTES, hide, () => Date.now());
}

function inForceOf({ page }: Live): PageData {
  if (page === null) throw new Error('there is no page');
  return page;
}

/** Hides people on the page, if that is wanted. */
async function maskOf({ mask }: Config): Promise<AddressMask | null> {
  if (mask === null) return null;
  const { AddressMask } = await import('../report/address-mask.ts');
  return new AddressMask(stableNames());
}

/** Names for hidden mailboxes that need no memory. Nobody can tell for which; a restart changes them. */
function stableNames(): (mailbox: string) => string {
  const secret = randomBytes(32);
  return (mailbox) => createHmac('sha256', secret).update(mailbox).digest('hex').slice(0, 12);
}

function storeNumbers(store: RedisStore, knowledge: Assembly['knowledge']): StoreNumbers {
  const { ailment, calls, outages, invalid } = store;
  return {
    ...{ ailment, calls, outages },
    invalid: invalid + (knowledge?.invalid ?? 0),
    assessments: knowledge?.assessments ?? 0,
  };
}

async function ailmentOf(sockets: readonly OpenSocket[]): Promise<string | null> {
  const all = await Promise.all(
    sockets.map(({ address, handed }) => probe(address, { timeoutMs: PROBE_TIMEOUT_MS, hidden: handed })),
  );
  return all.find((each) => each !== null) ?? null;
}

/**
 * Reports each expired line of the access list once, by its text: when the list is read again, its lines may
 * have moved.
 */
function expiryNotices(log: Log): OnExpired {
  const told = new Set<string>();
  return (file, { line, source }) => {
    if (told.has(source)) return;
    told.add(source);
    log.tell('access-expired', { file, line });
  };
}

function unchanging(config: Config): Source {
  return { read: () => Promise.resolve(config), locate: (error) => error };
}
