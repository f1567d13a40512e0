/** The parts of the service, and how they are connected. Nothing here listens or opens a file yet. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { Decision } from '../decisions/decision.ts';
import { isWelcome } from '../decisions/welcome.ts';
import { askedBy, type SharedResolver } from '../dns/asker.ts';
import { ControlQuestions } from '../dns/control-questions.ts';
import { OutageBrake } from '../dns/outage-brake.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { type ActionName, MilterServer, type MilterServerOptions } from '../milter/index.ts';
import type { Metrics } from '../monitoring/metrics.ts';
import { settledByText } from '../policy/rules.ts';
import { Assessor } from '../session/assessor.ts';
import { heloMilter, type HeloMilterOptions } from '../session/helo-milter.ts';
import { macrosFor } from '../session/macros.ts';
import { RecentVerdicts } from '../session/recent-verdicts.ts';
import type { Untagged } from '../session/tagging.ts';
import { createTrace } from '../session/trace.ts';
import { ChurnCounter } from '../state/churn.ts';
import { Regulars } from '../state/regulars.ts';
import { NetworkLimit } from '../state/network-limit.ts';
import { RampTable } from '../state/ramp-table.ts';
import { TempfailBudget } from '../state/tempfail-budget.ts';
import { SharedKnowledge } from '../store/shared-knowledge.ts';
import { SharedCounts } from '../store/shared-counts.ts';
import type { ChurnSpan, SharedStore } from '../store/shared-store.ts';
import { version } from '../system/version.ts';
import type { Live } from './live.ts';
import { Overload } from './overload.ts';
import { sessionErrors } from './session-errors.ts';

/** What every part needs. */
export interface Workshop {
  readonly live: Live;
  readonly log: Log;
  /** Null if nobody looks at them. */
  readonly metrics: Metrics | null;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** Of the farm; null if there is none. */
  readonly store: SharedStore | null;
}

export interface Assembly {
  readonly brake: OutageBrake;
  readonly overload: Overload;
  /** Asks as the assessments do, watched by metrics, brake and overload. */
  readonly resolver: SharedResolver;
  readonly assessor: Assessor;
  readonly regulars: Regulars;
  /** Null if there is no farm. */
  readonly knowledge: SharedKnowledge | null;
  readonly server: MilterServer;
  /** What is agreed with the MTA on connections from now on. */
  readonly agreed: () => Agreed;
}

type Agreed = Pick<MilterServerOptions, 'newSession' | 'macros' | 'actions' | 'replyOnError'>;

/** `decided` is called with each decision, once. */
export function assemble(workshop: Workshop, decided: (decision: Decision) => void): Assembly {
  const { live, metrics } = workshop;
  const brake = makeBrake(workshop);
  const overload = makeOverload(workshop);
  const resolver = overload.watch(brake.watch(metrics?.watch(current(live)) ?? current(live)));
  const regulars = makeRegulars(live);
  const knowledge = makeKnowledge(workshop, regulars);
  const assessor = makeAssessor(workshop, resolver, knowledge);
  const sessions = sessionOptions(workshop, {
    assessor,
    brake,
    regulars,
    knowledge,
    decided: (decision) => {
      decided(decision);
      const ip = decision.judged?.assessment.client.ip ?? null;
      if (ip === null || !isWelcome(decision)) return;
      regulars.learn(ip, decision.helo);
      knowledge?.learn(ip, decision.helo);
    },
  });
  const agreed = (): Agreed => ({
    newSession: metrics?.countSessions(heloMilter(sessions)) ?? heloMilter(sessions),
    macros: macrosFor(live.config.applyAt),
    actions: actionsFor(live.config),
    replyOnError: live.config.onError,
  });
  const server = makeServer(workshop, assessor, agreed());
  return { brake, overload, resolver, assessor, regulars, knowledge, server, agreed };
}

/** Null if there is no farm. */
function makeKnowledge({ live, store }: Workshop, regulars: Regulars): SharedKnowledge | null {
  if (store === null) return null;
  const shares = (what: Config['storeShare'][number]): boolean => live.config.storeShare.includes(what);
  return new SharedKnowledge({
    store,
    churn: () => (shares('churn') ? churnSpan(live.config) : null),
    regulars: shares('regulars') ? regulars : null,
    assessing: () => {
      const { cacheSize, dnsZone } = live.config;
      // A zone file is this host's own.
      if (!shares('assessments') || cacheSize === 0 || dnsZone !== null) return null;
      const { checks, access } = live.rules;
      // What another host wrote must not decide whether mail is refused.
      if (access.refusesByProof) return null;
      return {
        checks,
        version: [version, ...checks.map(({ name }) => name), ...live.registry.versions].join(),
      };
    },
  });
}

function churnSpan({ churnWindow, churnLimit }: Config): ChurnSpan {
  return { windowMs: churnWindow, maxNames: churnLimit + 1 };
}

function makeRegulars(live: Live): Regulars {
  return new Regulars(
    () => live.config.regulars,
    () => live.config.regularsNetwork,
    () => Date.now(),
  );
}

/** The resolver as it is now. */
function current(live: Live): SharedResolver {
  return {
    lookup: (name, type) => live.resolver.lookup(name, type),
    for: (asker) => askedBy(live.resolver, asker),
  };
}

function makeBrake({ live, log, metrics, now }: Workshop): OutageBrake {
  return new OutageBrake({
    controls: new ControlQuestions(() => randomBytes(8).toString('hex')),
    resolver: () => (live.config.dnsZone === null ? live.resolver : null),
    now,
    onChange: (on, failing, networks) => {
      if (on && metrics !== null) metrics.outages++;
      if (on) log.tell('dns-outage', { failing, networks, effect: 'nothing that rests on DNS is refused' });
      else log.tell('dns-recovered', { failing, networks, effect: 'verdicts rest on DNS again' });
    },
  });
}

function makeOverload({ log, now }: Workshop): Overload {
  return new Overload({
    now,
    tell: (questions, networks) => {
      const effect =
        'they were not asked: what they might have shown is unknown, and clients that asked for too much have to come again';
      log.tell('dns-overload', { questions, networks, effect });
    },
  });
}

function makeAssessor(
  { live, log, metrics, now }: Workshop,
  resolver: SharedResolver,
  knowledge: SharedKnowledge | null,
): Assessor {
  return new Assessor({
    resolver,
    checks: () => live.rules.checks,
    limits: () => {
      const { deadline, cacheSize, cacheMemory, cacheMin, cacheMax } = live.config;
      return { deadlineMs: deadline, cacheSize, cacheMemory, cacheMinMs: cacheMin, cacheMaxMs: cacheMax };
    },
    now,
    settles: (found) => settledByText(found, live.rules),
    ...(knowledge === null
      ? {}
      : {
          made: (made, lifeMs) => {
            knowledge.keep(made, lifeMs);
          },
        }),
    onMemoryShort: () => {
      const effect =
        'answers that do not fit into the memory left count as unknown, and nobody is refused for that';
      log.tell('dns-memory', { effect });
    },
    onCheckError: (check, error) => {
      metrics?.errors.count('check');
      log.tell('check', { check, detail: describeError(error) });
    },
  });
}

function sessionOptions(
  { live, log, metrics, now, store }: Workshop,
  {
    assessor,
    brake,
    regulars,
    knowledge,
    decided,
  }: Pick<Assembly, 'assessor' | 'brake' | 'regulars' | 'knowledge'> & Pick<HeloMilterOptions, 'decided'>,
): HeloMilterOptions {
  const perNetwork = new NetworkLimit(now);
  const counted = {
    budget: new TempfailBudget(() => live.config.tempfailLimit, now),
    rehearsedBudget: new TempfailBudget(() => live.config.tempfailLimit, now),
    ramps: new RampTable(now),
    streams: perNetwork,
  };
  const { storeShare } = live.config;
  const shared = {
    budgets: storeShare.includes('budgets'),
    ramps: storeShare.includes('ramps'),
    streams: storeShare.includes('streams'),
  };
  return {
    ...counted,
    sharedKnowledge: knowledge,
    sharedCounts: store === null ? null : new SharedCounts({ ...counted, store, shared }),
    assessor,
    decided,
    timing: metrics ?? undefined,
    isRegular: (ip, helo) => regulars.has(ip, helo),
    rules: () => live.rules,
    wallClock: () => Date.now(),
    now,
    selfTests: perNetwork,
    selfTested: ({ result, client, helo, judged, exempt, sender, recipient, reference }) => {
      metrics?.selfTests.count(result);
      log.tell('self-test', {
        client,
        helo,
        result,
        score: judged?.verdict.score ?? null,
        cause: judged?.verdict.cause?.id ?? null,
        exempt,
        from: sender,
        rcpt: recipient,
        ref: reference,
      });
    },
    churn: new ChurnCounter({
      limits: () => {
        const { windowMs, maxNames } = churnSpan(live.config);
        return { windowMs, maxNames, maxClients: Math.max(1000, live.config.cacheSize) };
      },
      now,
    }),
    recent: new RecentVerdicts(),
    wasDnsIll: (begun) => brake.onSince(begun),
    authResults: () => {
      const { noAuthResults, authservId, forgedResults } = live.config;
      return noAuthResults ? null : { authservId, forged: forgedResults };
    },
    untagged: (why) => {
      const effect = 'no Authentication-Results is added or removed';
      log.tell('auth-results', { detail: UNTAGGED[why], effect });
    },
  };
}

const UNTAGGED: Readonly<Record<Untagged, string>> = {
  'no changes': 'the MTA does not let us change header fields',
  'no name': 'the MTA does not give its name (the macro j), and authserv-id is not set',
};

function makeServer({ live, log, metrics, now }: Workshop, assessor: Assessor, agreed: Agreed): MilterServer {
  const trace = createTrace({
    log,
    clients: () => live.rules.traceClients,
    cached: () => assessor.cached,
    now,
  });
  return new MilterServer({
    ...agreed,
    hold: true,
    observe: ({ family, address }, { id }) => trace(family === 'unix' ? null : address, id ?? '?'),
    onError: sessionErrors(log, metrics),
  });
}

function actionsFor({ noAuthResults, forgedResults }: Config): readonly ActionName[] {
  if (noAuthResults) return [];
  return forgedResults === 'none' ? ['addHeaders'] : ['addHeaders', 'changeHeaders'];
}
