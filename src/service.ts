/** Puts the parts together by a Config and runs them. */
import { performance } from 'node:perf_hooks';
import { Assessor } from './assessor.ts';
import { ChurnCounter } from './churn.ts';
import { describeError } from './describe-error.ts';
import { policyOf, readAccess, registryOf, resolverOf } from './from-config.ts';
import { heloMilter, MACROS } from './helo-milter.ts';
import type { Log } from './log.ts';
import { AddressError, formatSocketAddress, MilterServer } from './milter/index.ts';
import type { Config } from './options.ts';
import { OutageBrake } from './outage-brake.ts';
import { makePolicy, settles, worthwhile } from './policy.ts';
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
  const reportVoid = (file: string, line: number): void => {
    log.info('access-expired', [
      ['file', file],
      ['line', line],
    ]);
  };
  let access = await readAccess(config, reportVoid);
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
          ['detail', describeError(error)],
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
        ['detail', describeError(error)],
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
        : new UsageError(`--listen: cannot listen on ${text}: ${describeError(error)}`);
    }
  }
  return {
    sockets,
    get connections() {
      return server.connections;
    },
    reload: async () => {
      try {
        access = await readAccess(config, reportVoid);
        log.info('reloaded', []);
      } catch (error) {
        log.error('reload', [
          ['detail', describeError(error)],
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
