/**
 * A service in the middle of a storm: senders whose verdicts are known, and others whose domains are slow to
 * answer. DNS is a function with a delay, so that the clock may be a real one or not.
 */
import { Assessor } from '../../src/session/assessor.ts';
import { RecentVerdicts } from '../../src/session/recent-verdicts.ts';
import { ChurnCounter } from '../../src/state/churn.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import { type Decision, dnsTrouble } from '../../src/decisions/decision.ts';
import { PLACES } from '../../src/dns/stub-resolver.ts';
import { shareQuestions } from '../../src/dns/shared-questions.ts';
import { heloMilter, type HeloMilterOptions } from '../../src/session/helo-milter.ts';
import type { MilterContext, MilterSession } from '../../src/milter/index.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { RampTable } from '../../src/state/ramp-table.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { RULES } from './service.ts';
import { sending } from './sending.ts';

export interface Storm {
  /** The hostile: opens connections until `over` says so. */
  readonly rage: (world: World) => Promise<void>[];
  /** Milliseconds that the storm lasts. */
  readonly ms: number;
  /**
   * An address among the hostile ones that gives names which their owners deny, hoping to profit from the
   * storm.
   */
  readonly forger?: string;
}

export interface World {
  readonly over: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  /** A new SMTP connection of a client. */
  readonly connect: (client: string) => MilterSession;
}

/** What the others got. */
/** One verdict on somebody who has no part in the storm. */
interface Told {
  readonly right: boolean;
  readonly trouble: ReturnType<typeof dnsTrouble>;
  readonly ms: number;
}

export interface Outcome {
  readonly verdicts: number;
  readonly right: number;
  /** Wrong verdicts whose decision does not say why. */
  readonly silent: number;
  /** Wrong verdicts that put the mail off because its own network wanted too much. */
  readonly putOff: number;
  /** Milliseconds from HELO to the answer to RCPT: 99 of 100 took no longer. */
  readonly p99: number;
  readonly p50: number;
  /** What the forger among the hostile got: all its tries, and those that were accepted. */
  readonly forgeries: number;
  readonly smuggled: number;
}

/** Milliseconds that an ordinary DNS answer and a slow one take. */
const AWAY_MS = 20;
const SLOW_MS = 1900;
/**
 * Milliseconds between the other senders. Every second one is a forgery: a name that does not exist in its
 * owner's zone.
 */
const EVERY_MS = 25;

const CONTEXT: MilterContext = { version: 6, macro: () => undefined, granted: () => true };
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function ride(
  { rage, ms, forger }: Storm,
  places: Partial<typeof PLACES> = {},
): Promise<Outcome> {
  const now = (): number => performance.now();
  const endsAt = now() + ms;
  const resolver = shareQuestions({
    ...PLACES,
    ...places,
    timeoutMs: 3000,
    now,
    send: sending(async (name, type, deadline) => {
      const delay = name.includes('slow') ? SLOW_MS : AWAY_MS;
      await sleep(Math.max(0, Math.min(delay, deadline - now())));
      return now() < deadline ? answer(name, type) : { status: 'temperror', detail: 'timeout' };
    }),
  });
  const decisions = new Map<string, Decision>();
  const options: HeloMilterOptions = {
    ramps: new RampTable(now),
    streams: new NetworkLimit(now),
    selfTests: new NetworkLimit(now),
    selfTested: () => undefined,
    assessor: new Assessor({
      resolver,
      checks: () => checks,
      limits: () => ({
        deadlineMs: 6000,
        cacheSize: 20_000,
        cacheMemory: 64 * 1024 * 1024,
        cacheMinMs: 10_000,
        cacheMaxMs: 900_000,
      }),
      onCheckError: (_, error) => {
        throw error;
      },
      now,
    }),
    rules: () => ({ ...RULES, policy: makePolicy('rfc5321', findings) }),
    wallClock: () => Date.now(),
    budget: new TempfailBudget(() => ({ count: 1e6, ageMs: 1e9 }), now),
    rehearsedBudget: new TempfailBudget(() => ({ count: 1e6, ageMs: 1e9 }), now),
    wasDnsIll: () => false,
    recent: new RecentVerdicts(),
    churn: new ChurnCounter({
      limits: () => ({ windowMs: 600_000, maxNames: 11, maxClients: 20_000 }),
      now,
    }),
    authResults: () => null,
    untagged: () => undefined,
    decided: (decision) => decisions.set(`${String(decision.client)} ${decision.helo}`, decision),
    now,
  };
  const newSession = heloMilter(options);
  const connect = (client: string): MilterSession => {
    const session = newSession();
    void session.connect?.({ hostname: client, family: 'inet', address: client, port: 25 }, CONTEXT);
    return session;
  };
  const storm = rage({ over: () => now() >= endsAt, sleep, connect });
  // Wait until the storm has gathered.
  await sleep(ms / 4);
  const told: Promise<Told>[] = [];
  const forgeries: Promise<boolean>[] = [];
  for (let i = 0; now() < endsAt - EVERY_MS; i++) {
    told.push(one(i));
    if (forger !== undefined) forgeries.push(deliver(connect(forger), `gone.s${100_000 + i}.org`));
    await sleep(EVERY_MS);
  }
  const all = await Promise.all(told);
  await Promise.all(storm);
  const smuggled = (await Promise.all(forgeries)).filter((accepted) => accepted).length;
  const waits = all.map((each) => each.ms).sort((a, b) => a - b);
  return {
    verdicts: all.length,
    right: all.filter(({ right }) => right).length,
    silent: all.filter(({ right, trouble }) => !right && trouble !== 'overload' && trouble !== 'share')
      .length,
    putOff: all.filter(({ right, trouble }) => !right && trouble === 'share').length,
    forgeries: forgeries.length,
    smuggled,
    p50: waits[Math.floor(waits.length * 0.5)] ?? NaN,
    p99: waits[Math.floor(waits.length * 0.99)] ?? NaN,
  };

  async function one(i: number): Promise<Told> {
    const forged = i % 2 === 0;
    // Each in a block and a domain of its own.
    const client = senderOf(i);
    const helo = `${forged ? 'gone' : 'mail'}.s${i}.org`;
    const began = now();
    const session = connect(client);
    const accepted = await deliver(session, helo);
    session.close?.();
    const decision = decisions.get(`${client} ${helo}`);
    const judged = decision?.judged ?? null;
    const right = accepted !== forged;
    return {
      right,
      trouble: judged === null ? null : dnsTrouble(judged),
      ms: now() - began,
    };
  }
}

/** Whether one message is accepted. */
async function deliver(session: MilterSession, helo: string): Promise<boolean> {
  await session.helo?.(helo, CONTEXT);
  const mail = await session.mail?.({ raw: '<s@x.org>', address: 's@x.org', args: [] }, CONTEXT);
  if (mail === 'accept') return true;
  const rcpt = await session.rcpt?.({ raw: '<r@x.org>', address: 'r@x.org', args: [] }, CONTEXT);
  return rcpt === 'accept' || rcpt === 'continue';
}

/** Says a name and does not wait for the verdict. */
function greet(session: MilterSession, helo: string): void {
  void session.helo?.(helo, CONTEXT);
}

function senderOf(number: number): string {
  return `${60 + ((number >> 8) & 63)}.${number & 255}.0.7`;
}

/** `mail.sI.org` is the client `senderOf(I)`; every domain has name servers; nothing else exists. */
function answer(name: string, type: RecordType): Answer<RecordType> {
  const number = /(?:^|\.)s(\d+)\.org$/.exec(name)?.[1];
  const client = number === undefined ? null : senderOf(Number(number));
  const found = (record: string): Answer<RecordType> => ({ status: 'found', records: [record], ttl: 300 });
  if (type === 'NS' && (name === 'org' || /^s(?:low)?\d+\.org$/.test(name))) return found('ns.org');
  if (client !== null && type === 'A' && name.startsWith('mail.')) return found(client);
  if (client !== null && !name.startsWith('gone.')) return { status: 'nodata', ttl: 300 };
  return { status: 'nxdomain', ttl: 300 };
}

export const calm: Storm = { ms: 1500, rage: () => [] };

/** One client says 90 names on each of its connections, and goes away. */
export const babbler: Storm = {
  ms: 4000,
  rage: ({ over, sleep, connect }) =>
    Array.from({ length: 12 }, async (_, c) => {
      for (let n = 0; !over(); n += 90) {
        const session = connect('203.0.113.9');
        for (let i = 0; i < 90 && !over(); i++) {
          greet(session, `a${c}-${n + i}.slow1.org`);
          await sleep(25);
        }
        session.close?.();
      }
    }),
};

/** The first three octets of a network's addresses: each network in a block of its own, or all in one. */
const apart = (network: number): string => `${20 + (network >> 8)}.${network & 255}.0`;
const together = (network: number): string => `12.0.${network & 255}`;

/** Clients of this many networks, with names in this many domains, that wait for their verdicts. */
export const crowd = (
  clients: number,
  networks: number,
  domains: number,
  ms = 4000,
  prefix = apart,
): Storm => ({
  ms,
  forger: `${prefix(0)}.251`,
  rage: (world) =>
    Array.from({ length: clients }, (_, c) =>
      insist(world, c, `${prefix(c % networks)}.${1 + (Math.floor(c / networks) % 250)}`, domains),
    ),
});

/** As `crowd`, in one block. The forger has a network of it to itself. */
export const blockCrowd = (clients: number, networks: number, domains: number): Storm => ({
  ...crowd(clients, networks, domains, 4000, together),
  forger: `${together(255)}.251`,
});

async function insist(
  { over, sleep, connect }: World,
  c: number,
  address: string,
  domains: number,
): Promise<void> {
  for (let n = 0; !over(); n++) {
    const session = connect(address);
    await deliver(session, `h${c}-${n}.slow${c % domains}.org`);
    session.close?.();
    // The clock must go on even if everything is answered at once.
    await sleep(50);
  }
}
