/** Puts the parts together by a Config and runs them. */
import { performance } from 'node:perf_hooks';
import { Assessor } from './assessor.ts';
import { ChurnCounter } from './churn.ts';
import { decisionLogger } from './decision.ts';
import { describeError } from './describe-error.ts';
import { registryOf, resolverOf } from './from-config.ts';
import { heloMilter, macrosFor } from './helo-milter.ts';
import type { Log } from './log.ts';
import { AddressError, formatSocketAddress, MilterServer, parseSocketAddress } from './milter/index.ts';
import type { Config } from './options.ts';
import { OutageBrake } from './outage-brake.ts';
import { settles } from './policy.ts';
import { policiesOf, readRules, type Rules } from './rules.ts';
import { TempfailBudget } from './tempfail-budget.ts';
import { UsageError } from './usage-error.ts';

/** On when half of at least ten domains failed within half a minute, off when fewer than a fifth do. */
const BRAKE = { windowMs: 30_000, minDomains: 10, onAt: 0.5, offBelow: 0.2 } as const;

/**
 * Over TCP Postfix sends the macros of a declined DATA, and then waits 40 ms for an acknowledgement, for every message;
 * what Sendmail sends after an unanswered CONNECT waits as long. A unix socket has no such waits.
 */
const OVER_TCP = { keep: ['data'] } as const;
const OVER_UNIX = { noReply: ['connect'] } as const;

export interface Service {
  /** Where it listens, as Postfix spells it. */
  readonly sockets: readonly string[];
  /** SMTP connections open now. */
  readonly connections: number;
  /** Reads the lists of the operator again; a bad one keeps all as it was and says so. */
  reload(): Promise<void>;
  /** Stops listening and lets open sessions finish, for at most the grace time. */
  stop(): Promise<void>;
}

/** Starts the milter. Rejects with UsageError where the operator has to change something. */
export async function startService(config: Config, log: Log): Promise<Service> {
  const now = (): number => performance.now();
  const registry = await registryOf(config);
  const read = (): Promise<Rules> =>
    readRules(config, registry, (file, line) => {
      log.notice('access-expired', [
        ['file', file],
        ['line', line],
      ]);
    });
  let rules = await read();
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
  const sessions = heloMilter({
    assessor: new Assessor({
      resolver: brake.watch(await resolverOf(config)),
      checks: () => rules.checks,
      deadlineMs: config.deadline,
      cacheSize: config.cacheSize,
      cacheMinMs: config.cacheMin,
      cacheMaxMs: config.cacheMax,
      now,
      // Who only watches wants to see everything.
      settled: (found) =>
        !rules.enforcement.observe &&
        !rules.access.needsReverse &&
        policiesOf(rules).every((each) => settles(found, each)),
      onCheckError: (check, error) => {
        log.warning('check', [
          ['check', check],
          ['detail', describeError(error)],
        ]);
      },
    }),
    rules: () => rules,
    wallClock: () => Date.now(),
    budget: new TempfailBudget(config.tempfailLimit, now),
    dnsIll: () => brake.on,
    churn: new ChurnCounter({
      windowMs: config.churnWindow,
      maxNames: config.churnLimit + 1,
      maxClients: Math.max(1000, config.cacheSize),
      now,
    }),
    authResults: config.noAuthResults ? null : { authservId: config.authservId },
    decided: decisionLogger(log),
    now,
  });
  const server = new MilterServer({
    newSession: sessions,
    macros: macrosFor(config.applyAt),
    actions: config.noAuthResults ? [] : ['addHeaders', 'changeHeaders'],
    replyOnError: config.onError,
    onError: (error, event) => {
      // A peer that breaks the protocol is its own affair; a callback that fails is ours.
      const say = event === 'protocol' ? log.warning : log.error;
      say('session', [
        ['at', event],
        ['detail', describeError(error)],
      ]);
    },
  });
  const sockets: string[] = [];
  for (const text of config.listen) {
    try {
      const wishes = parseSocketAddress(text).kind === 'inet' ? OVER_TCP : OVER_UNIX;
      sockets.push(formatSocketAddress(await server.listen(text, { mode: config.socketMode, wishes })));
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
        rules = await read();
        log.notice('reloaded', []);
      } catch (error) {
        log.error('reload', [
          ['detail', describeError(error)],
          ['effect', 'what was read before stays'],
        ]);
      }
    },
    stop: async () => {
      await server.close({ graceMs: config.grace });
      for (const [line, hits] of rules.access.hits) {
        log.info('access', [
          ['line', line],
          ['hits', hits],
        ]);
      }
    },
  };
}
