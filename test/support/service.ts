/** A service without sockets, for tests: packets in, replies and decisions out. */
import { networkShare } from '../../src/service/network-share.ts';
import { AccessList, parseAccess } from '../../src/policy/access.ts';
import { Assessor } from '../../src/session/assessor.ts';
import { RecentVerdicts } from '../../src/session/recent-verdicts.ts';
import { ChurnCounter } from '../../src/state/churn.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import type { Settles } from '../../src/core/assess.ts';
import type { Resolver } from '../../src/core/resolver.ts';
import { heloMilter, type HeloMilterOptions } from '../../src/session/helo-milter.ts';
import { macrosFor } from '../../src/session/macros.ts';
import type { TaggingOptions } from '../../src/session/tagging.ts';
import { decisionText } from '../../src/decisions/decision.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { RampTable } from '../../src/state/ramp-table.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { talk } from './conversation.ts';
import * as mta from './mta.ts';
import { type Zone, zoneResolver } from './zone.ts';

export const CLIENT = '198.51.100.7';
export const ZONE: Zone = {
  'mail.sender.org': { A: [CLIENT] },
  'other.sender.org': { A: ['203.0.113.99'] },
  'mx.dest.org': { A: ['203.0.113.1'] },
  'host.ours.org': { A: ['203.0.113.2'] },
  'sender.org': { NS: ['ns.sender.org'] },
  // Not the domain of the client's reverse name, which would excuse a name that does not exist.
  'strange.org': { NS: ['ns.sender.org'] },
  'broken.org': 'temperror',
  '7.100.51.198.in-addr.arpa': { PTR: ['mail.sender.org'] },
};

const flush = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
};

export const list = (text: string): AccessList =>
  new AccessList(parseAccess(text, 'list', 0, checks), () => undefined);

export interface Setup extends Partial<Omit<HeloMilterOptions, 'assessor' | 'rules' | 'authResults'>> {
  readonly authResults?: TaggingOptions | null;
  readonly resolver?: Resolver;
  /** Whether the text alone may decide; it never does where this is left out. */
  readonly settles?: Settles | undefined;
  readonly rules?: Partial<Rules>;
  /** The actions that the MTA offers. */
  readonly actions?: number;
}

export const RULES: Rules = {
  checks,
  policy: makePolicy('rfc5321', findings),
  shadowPolicy: null,
  recipients: new RecipientPolicies(new Map(), () => makePolicy('rfc5321', findings)),
  enforcement: { observe: false, percent: 100, shareOf: networkShare },
  streamLimits: new Map(),
  applyAt: 'rcpt',
  trusted: [],
  exemptDaemons: ['submission', '587'],
  ourNames: [],
  ourAddresses: [],
  nat64: [],
  access: list(''),
  churnLimit: 10,
  reply: { helpUrl: null, contact: null, templates: new Map() },
  selfTest: [],
  traceClients: [],
};

/**
 * The parts of a milter: the zone above, the default rules, a clock that stands still. `log` gets its lines.
 */
export function milterOptions(
  {
    resolver = zoneResolver(ZONE),
    rules = {},
    authResults = null,
    settles = () => false,
    ...options
  }: Omit<Setup, 'actions'>,
  log: string[],
): HeloMilterOptions {
  const now = options.now ?? ((): number => 0);
  return {
    assessor: new Assessor({
      resolver,
      settles,
      checks: () => checks,
      limits: () => ({
        deadlineMs: 1000,
        cacheSize: 100,
        cacheMemory: 16 * 1024 * 1024,
        cacheMinMs: 10_000,
        cacheMaxMs: 900_000,
      }),
      onCheckError: (check, error) => log.push(`check ${check} ${String(error)}`),
      now,
    }),
    rules: () => ({ ...RULES, ...rules }),
    wallClock: () => 0,
    budget: new TempfailBudget(() => ({ count: 2, ageMs: 1000 }), now),
    rehearsedBudget: new TempfailBudget(() => ({ count: 2, ageMs: 1000 }), now),
    ramps: new RampTable(now),
    streams: new NetworkLimit(now),
    selfTests: new NetworkLimit(now),
    selfTested: ({ result, helo, judged, exempt }) =>
      log.push(`self-test ${helo} ${result} ${String(judged?.verdict.cause?.id)} ${String(exempt)}`),
    wasDnsIll: () => false,
    recent: new RecentVerdicts(),
    churn: new ChurnCounter({
      limits: () => ({ windowMs: 600_000, maxNames: 11, maxClients: 100 }),
      now,
    }),
    authResults: () => authResults,
    untagged: (why) => log.push(`untagged: ${why}`),
    decided: (decision) => log.push(decisionText(decision)),
    now,
    ...options,
  };
}

/** A service without sockets: packets in, replies and log lines out. */
export function service({ actions = 0x1ff, ...setup }: Setup = {}): {
  log: string[];
  connection: () => { say: (...packets: Buffer[]) => Promise<string[]> };
} {
  const log: string[] = [];
  const newSession = heloMilter(milterOptions(setup, log));
  return {
    log,
    connection: () => {
      let heard = 0;
      const { conversation, replies } = talk({
        newSession,
        wishes: {
          keep: ['data'],
          actions: ['addHeaders', 'changeHeaders'],
          macros: macrosFor('rcpt'),
        },
        replyOnError: 'continue',
        onError: (error, event) => log.push(`${event} ${String(error)}`),
        onYield: (talking) => {
          talking.proceed();
        },
      });
      conversation.receive(mta.optneg(6, actions));
      return {
        say: async (...packets) => {
          for (const packet of packets) conversation.receive(packet);
          await flush();
          const all = replies();
          const fresh = all.slice(heard);
          heard = all.length;
          return fresh;
        },
      };
    },
  };
}

export const hello = (name: string, client = CLIENT): Buffer[] => [mta.connect(client), mta.helo(name)];
/** The envelope of a message that is not over. */
export const envelope = [mta.mail('s@sender.org'), mta.rcpt('r@dest.test')];
/** A message that the client gives up: a decision is only told once its message is over. */
export const message = [...envelope, mta.packet('A')];

/** Code and finding of a refusal; any other reply as it is. */
export const codeOf = (reply: string | undefined): string =>
  (reply ?? '').replace(/^y(\d{3}) .*\[([a-z-]+)\].*$/s, '$1 $2');
