/** Puts the parts together by a Config and runs them. */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { AccessList, parseAccess } from './access.ts';
import { Assessor } from './assessor.ts';
import { ChurnCounter } from './churn.ts';
import type { Check, FindingSpec } from './core/check.ts';
import {
  checks as builtin,
  findings as builtinFindings,
  findingsOf,
  sessionChecks,
} from './core/checks/index.ts';
import type { Resolver } from './core/resolver.ts';
import { createNodeResolver } from './dns/node-resolver.ts';
import { zoneFileResolver } from './dns/zone-file.ts';
import { heloMilter, MACROS } from './helo-milter.ts';
import type { Log } from './log.ts';
import { AddressError, formatSocketAddress, MilterServer } from './milter/index.ts';
import { loadOperatorChecks } from './operator-checks.ts';
import type { Config } from './options.ts';
import { OutageBrake } from './outage-brake.ts';
import { makePolicy, type Policy, settles, worthwhile } from './policy.ts';
import { TempfailBudget } from './tempfail-budget.ts';
import { UsageError } from './usage-error.ts';

/** On when half of at least ten domains failed within half a minute, off when fewer than a fifth do. */
const BRAKE = { windowMs: 30_000, minDomains: 10, onAt: 0.5, offBelow: 0.2 } as const;

export interface Service {
  /** Where it listens, as Postfix spells it. */
  readonly sockets: readonly string[];
  /** SMTP connections open now. */
  readonly connections: number;
  /** Reads the access list again; a bad one keeps the old and says so. */
  reload(): Promise<void>;
  /** Stops listening and lets open sessions finish, for at most the grace time. */
  stop(): Promise<void>;
}

/** Starts the milter. Rejects with UsageError where the operator has to change something. */
export async function startService(config: Config, log: Log): Promise<Service> {
  const now = (): number => performance.now();
  const { checks, findings } = await registryOf(config);
  const policy = policyOf(config, findings);
  const shadowPolicy = config.shadowPolicy === null ? null : makePolicy(config.shadowPolicy, findings);
  const policies = shadowPolicy === null ? [policy] : [policy, shadowPolicy];
  let access = await readAccess(config, log);
  const brake = new OutageBrake({
    ...BRAKE,
    now,
    onChange: (on, failing, domains) => {
      log.error(on ? 'dns-outage' : 'dns-recovered', [
        ['failing', failing],
        ['domains', domains],
        ['effect', on ? 'nothing that rests on DNS is refused' : 'verdicts rest on DNS again'],
      ]);
    },
  });
  const sessions = heloMilter({
    assessor: new Assessor({
      resolver: brake.watch(await resolverOf(config)),
      checks: worthwhile(checks, policies),
      deadlineMs: config.deadline,
      cacheSize: config.cacheSize,
      cacheMinMs: config.cacheMin,
      cacheMaxMs: config.cacheMax,
      now,
      // Who only watches wants to see everything.
      settled: (found) =>
        !config.observe && !access.needsReverse && policies.every((each) => settles(found, each)),
      onCheckError: (check, error) => {
        log.error('check', [
          ['check', check],
          ['detail', describe(error)],
        ]);
      },
    }),
    policy,
    shadowPolicy,
    enforcement: { observe: config.observe, percent: config.enforcePercent },
    applyAt: config.applyAt,
    trusted: config.trust,
    exemptDaemons: config.exemptDaemon,
    ourNames: config.ourName,
    ourAddresses: config.ourAddress,
    access: () => access,
    wallClock: () => Date.now(),
    budget: new TempfailBudget(config.tempfailLimit, now),
    dnsIll: () => brake.on,
    churn: new ChurnCounter({
      windowMs: config.churnWindow,
      maxNames: config.churnLimit + 1,
      maxClients: Math.max(1000, config.cacheSize),
      now,
    }),
    churnLimit: config.churnLimit,
    authResults: config.noAuthResults ? null : { authservId: config.authservId },
    reply: { helpUrl: config.helpUrl, contact: config.contact },
    log,
    now,
  });
  const server = new MilterServer({
    newSession: sessions,
    macros: MACROS,
    // Over TCP the macros of a declined DATA are followed by a 40 ms wait for an acknowledgement, for every message.
    keep: ['data'],
    actions: config.noAuthResults ? [] : ['addHeaders', 'changeHeaders'],
    replyOnError: config.onError,
    onError: (error, event) => {
      log.error('session', [
        ['event', event],
        ['detail', describe(error)],
      ]);
    },
  });
  const sockets: string[] = [];
  for (const text of config.listen) {
    try {
      sockets.push(formatSocketAddress(await server.listen(text, { mode: config.socketMode })));
    } catch (error) {
      await server.close();
      throw error instanceof AddressError
        ? new UsageError(`--listen: ${error.message}`)
        : new UsageError(`--listen: cannot listen on ${text}: ${describe(error)}`);
    }
  }
  return {
    sockets,
    get connections() {
      return server.connections;
    },
    reload: async () => {
      try {
        access = await readAccess(config, log);
        log.info('reloaded', []);
      } catch (error) {
        log.error('reload', [
          ['detail', describe(error)],
          ['effect', 'the old list stays'],
        ]);
      }
    },
    stop: async () => {
      await server.close({ graceMs: config.grace });
      for (const [line, hits] of access.hits) {
        log.info('access', [
          ['line', line],
          ['hits', hits],
        ]);
      }
    },
  };
}

/** The list of the flags, empty without one. Lines that are void are reported. Rejects with UsageError. */
async function readAccess({ access: file }: Config, log: Log): Promise<AccessList> {
  if (file === null) return new AccessList({ entries: [], expired: [] }, () => undefined);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--access: ${describe(error)}`);
  });
  const report = (line: number): void => {
    log.info('access-expired', [
      ['file', file],
      ['line', line],
    ]);
  };
  const parsed = parseAccess(text, file, Date.now());
  parsed.expired.forEach(report);
  return new AccessList(parsed, report);
}

export interface Registry {
  readonly checks: readonly Check[];
  readonly findings: ReadonlyMap<string, FindingSpec>;
}

/** Our checks and the operator's, with all their findings. */
export async function registryOf({ check, deadline }: Pick<Config, 'check' | 'deadline'>): Promise<Registry> {
  if (check.length === 0) return { checks: builtin, findings: builtinFindings };
  const own = await loadOperatorChecks(
    check,
    {
      checks: [...builtin, ...sessionChecks].map(({ name }) => name),
      findings: [...builtinFindings.keys()],
    },
    deadline,
  );
  const checks = [...builtin, ...own];
  return { checks, findings: findingsOf(checks) };
}

/** The resolver of the flags: servers, or a zone file. Rejects with UsageError. */
export async function resolverOf({
  dnsServer,
  dnsTimeout,
  dnsZone,
}: Pick<Config, 'dnsServer' | 'dnsTimeout' | 'dnsZone'>): Promise<Resolver> {
  if (dnsZone === null) {
    return createNodeResolver({ servers: dnsServer, timeoutMs: dnsTimeout, now: () => performance.now() });
  }
  try {
    return zoneFileResolver(await readFile(dnsZone, 'utf8'), dnsZone);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`--dns-zone: ${describe(error)}`);
  }
}

/** The policy of the flags. Throws UsageError for a weight of a finding that does not exist. */
export function policyOf(
  { policy, rejectAt, tempfailAt, require, weight }: Config,
  known: ReadonlyMap<string, FindingSpec>,
): Policy {
  for (const [id] of weight) {
    if (!known.has(id)) throw new UsageError(`--weight: there is no finding "${id}"; see --list-findings`);
  }
  return makePolicy(policy, known, {
    rejectAt,
    tempfailAt,
    require: require ?? undefined,
    weights: new Map(weight),
  });
}

/** Errors of the system have their code in the message already, those of ours beside it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
