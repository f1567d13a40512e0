/** Sessions on two hosts of a farm, over one store in this process. */
import { expect, it } from 'vitest';
import { checks } from '../../src/core/checks/index.ts';
import { Regulars } from '../../src/state/regulars.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { RampTable } from '../../src/state/ramp-table.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { parseIp } from '../../src/core/ip.ts';
import { Assessor } from '../../src/session/assessor.ts';
import { HeloSession } from '../../src/session/session.ts';
import { SharedCounts } from '../../src/store/shared-counts.ts';
import { SharedKnowledge } from '../../src/store/shared-knowledge.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { CLIENT, milterOptions, ZONE } from '../support/service.ts';
import { client, context, envelope } from '../support/session.ts';
import { zoneResolver } from '../support/zone.ts';

const MTA = context();
const NOBODY = { name: null, address: null };
const now = (): number => 0;

interface Host {
  readonly ask: (helo: string) => Promise<string>;
  readonly resolver: ReturnType<typeof zoneResolver>;
  readonly knowledge: SharedKnowledge;
  readonly regulars: Regulars;
  readonly log: readonly string[];
}

/** A host, and what it asks DNS. */
function host(store: MemoryStore): Host {
  const resolver = zoneResolver(ZONE);
  const log: string[] = [];
  const regulars = new Regulars(
    () => ({ messages: 2, days: 1 }),
    () => ({ 4: 32, 6: 64 }),
    now,
  );
  const knowledge = new SharedKnowledge({
    store,
    churn: () => ({ windowMs: 600_000, maxNames: 11 }),
    regulars,
    assessing: () => ({ checks, version: '' }),
  });
  const limit = (): { count: number; ageMs: number } => ({ count: 2, ageMs: 0 });
  const counted = {
    budget: new TempfailBudget(limit, now),
    rehearsedBudget: new TempfailBudget(limit, now),
    ramps: new RampTable(now),
    streams: new NetworkLimit(now),
  };
  const limits = {
    deadlineMs: 1000,
    cacheSize: 100,
    cacheMemory: 1 << 24,
    cacheMinMs: 1000,
    cacheMaxMs: 9e5,
  };
  const options = {
    ...milterOptions({ resolver }, log),
    ...counted,
    sharedCounts: new SharedCounts({
      ...counted,
      store,
      shared: { budgets: true, ramps: true, streams: true },
    }),
    sharedKnowledge: knowledge,
    isRegular: regulars.has.bind(regulars),
    assessor: new Assessor({
      resolver,
      checks: () => checks,
      limits: () => limits,
      onCheckError: (_, error) => expect.fail(String(error)),
      now,
      made: (assessment, lifeMs) => {
        knowledge.keep(assessment, lifeMs);
      },
    }),
  };
  const ask = async (helo: string): Promise<string> => {
    const session = new HeloSession(options, 'rcpt', () => NOBODY);
    session.connect(client(CLIENT), MTA);
    await session.helo(helo, MTA);
    await session.mail(envelope('s@sender.org'), MTA);
    const reply = await session.rcpt(envelope('r@dest.test'), MTA);
    session.close();
    return typeof reply === 'string' ? reply : String(reply.code);
  };
  return { ask, resolver, knowledge, regulars, log };
}

const TEMPFAILED = 'gone.strange.org';

it('a sender has one budget at both, whichever it comes to', async () => {
  const store = new MemoryStore(now);
  const [mx1, mx2] = [host(store), host(store)];
  const first = await mx1.ask(TEMPFAILED);
  expect(first).toMatch(/^4\d\d$/);
  expect([await mx2.ask(TEMPFAILED), await mx1.ask(TEMPFAILED), await mx2.ask(TEMPFAILED)]).toEqual([
    first,
    'accept',
    'accept',
  ]);
});

it('DNS is asked by one of them', async () => {
  const store = new MemoryStore(now);
  const [mx1, mx2] = [host(store), host(store)];
  expect(await mx1.ask('mail.sender.org')).toBe('accept');
  expect(mx1.resolver.queries.length).toBeGreaterThan(0);
  expect(await mx2.ask('mail.sender.org')).toBe('accept');
  expect(mx2.resolver.queries).toEqual([]);
  expect(mx2.knowledge.assessments).toBe(1);
});

it.each(['', '{}', '[]', 'null', '{"about":1}', 'TRUNCATED', 'FORGED', 'ANOTHER'])(
  'asks DNS itself where the store has %j in place of an assessment',
  async (garbage) => {
    const store = new MemoryStore(now);
    await host(store).ask('mail.sender.org');
    for (const kept of store.assessments.values()) {
      if (garbage === 'TRUNCATED') kept.text = kept.text.slice(0, -9);
      else if (garbage === 'FORGED') kept.text = kept.text.replace('"exact"', '"certain"');
      else if (garbage === 'ANOTHER') kept.text = kept.text.replace('mail.sender.org', 'mail.sender.net');
      else kept.text = garbage;
    }
    const mx2 = host(store);
    expect(await mx2.ask('mail.sender.org')).toBe('accept');
    expect(mx2.resolver.queries.length).toBeGreaterThan(0);
    expect([mx2.knowledge.assessments, mx2.knowledge.invalid]).toEqual([0, 1]);
  },
);

it('asks DNS itself where an assessment of the store lives longer than its own would', async () => {
  const store = new MemoryStore(now);
  await host(store).ask('mail.sender.org');
  // The clock of the server was ahead when it was kept.
  for (const kept of store.assessments.values()) kept.until += 1e10;
  const [mx2, mx3] = [host(store), host(store)];
  expect(await mx2.ask('mail.sender.org')).toBe('accept');
  expect(mx2.resolver.queries.length).toBeGreaterThan(0);
  // What it has found is in the place of the other.
  expect(await mx3.ask('mail.sender.org')).toBe('accept');
  expect(mx3.resolver.queries).toEqual([]);
});

it('names are counted together, and standing is common', async () => {
  const store = new MemoryStore(now);
  const [mx1, mx2] = [host(store), host(store)];
  for (let i = 0; i < 6; i++) {
    await mx1.ask(`a${i}.sender.org`);
    await mx2.ask(`b${i}.sender.org`);
  }
  expect(mx2.log.join()).toContain('helo-churn');
  const ip = parseIp(CLIENT) ?? expect.fail();
  for (const { regulars, knowledge } of [mx1, mx2]) {
    regulars.learn(ip, 'mail.sender.org');
    knowledge.learn(ip, 'mail.sender.org');
  }
  await mx1.ask('mail.sender.org');
  expect(mx1.regulars.has(ip, 'mail.sender.org')).toBe(true);
});

it.each(['down', 'mute'] as const)('each is on its own while the store is %s', async (health) => {
  const store = new MemoryStore(now);
  store.health = health;
  const [mx1, mx2] = [host(store), host(store)];
  for (const mx of [mx1, mx2]) {
    const told = [await mx.ask(TEMPFAILED), await mx.ask(TEMPFAILED), await mx.ask(TEMPFAILED)];
    expect(told.map((word) => word[0])).toEqual(['4', '4', 'a']);
  }
});
