import { describe, expect, it } from 'vitest';
import type { Answer, RecordType, Resolver } from '../src/core/resolver.ts';
import { OutageBrake } from '../src/outage-brake.ts';

function brake(): {
  made: OutageBrake;
  changes: string[];
  clock: { now: number };
  ask: (name: string, status: 'nodata' | 'temperror', detail?: string) => Promise<void>;
} {
  const changes: string[] = [];
  const clock = { now: 0 };
  const made = new OutageBrake({
    windowMs: 1000,
    minDomains: 4,
    onAt: 0.5,
    offBelow: 0.25,
    now: () => clock.now,
    onChange: (on, failing, domains) => changes.push(`${on ? 'on' : 'off'} ${failing}/${domains}`),
  });
  const answers = new Map<string, Answer<RecordType>>();
  const inner: Resolver = {
    lookup: <T extends RecordType>(name: string) => Promise.resolve(answers.get(name) as Answer<T>),
  };
  const watched = made.watch(inner);
  return {
    made,
    changes,
    clock,
    ask: async (name, status, detail = 'timeout') => {
      answers.set(name, status === 'nodata' ? { status, ttl: null } : { status, detail });
      expect(await watched.lookup(name, 'A')).toEqual(answers.get(name));
    },
  };
}

describe('OutageBrake', () => {
  it('is on when half of the domains fail, says so once, and lifts by itself', async () => {
    const { made, changes, ask, clock } = brake();
    await ask('a.org', 'nodata');
    await ask('b.org', 'nodata');
    await ask('c.org', 'temperror');
    expect(made.on).toBe(false);
    await ask('d.org', 'temperror');
    await ask('e.org', 'temperror');
    expect(made.on).toBe(true);
    expect(changes).toEqual(['on 2/4']);
    clock.now = 1500;
    expect(made.on).toBe(true);
    for (const name of ['a.org', 'b.org', 'c.org']) await ask(name, 'nodata');
    expect(made.on).toBe(true);
    await ask('d.org', 'nodata');
    expect(made.on).toBe(false);
    expect(changes).toEqual(['on 2/4', 'off 0/4']);
  });

  it('lifts within the window as soon as the domains answer again', async () => {
    const { made, ask } = brake();
    for (const name of ['a.org', 'b.org', 'c.org', 'd.org']) await ask(name, 'temperror');
    expect(made.on).toBe(true);
    for (const name of ['a.org', 'b.org', 'c.org', 'd.org']) await ask(name, 'nodata');
    expect(made.on).toBe(false);
  });

  it.each<[string, readonly (readonly [string, 'nodata' | 'temperror'])[], boolean]>([
    ['a few domains that answer', [['a.org', 'nodata']], false],
    ['a few that do not', [['a.org', 'temperror']], true],
    [
      'some of either',
      [
        ['a.org', 'nodata'],
        ['b.org', 'temperror'],
      ],
      true,
    ],
    ['nothing', [], true],
  ])('after a quiet window with %s', async (_, asked, on) => {
    const { made, ask, clock, changes } = brake();
    for (const name of ['a.org', 'b.org', 'c.org', 'd.org']) await ask(name, 'temperror');
    clock.now = 1000;
    expect(made.on).toBe(true);
    for (const [name, status] of asked) await ask(name, status);
    expect(made.on).toBe(true);
    clock.now = 2000;
    expect(made.on).toBe(on);
    expect(changes).toHaveLength(on ? 1 : 2);
  });

  it('is not pulled by one hostile zone, however many of its names are broken', async () => {
    const { made, ask } = brake();
    for (const name of ['a.org', 'b.org', 'c.org']) await ask(name, 'nodata');
    for (let i = 0; i < 100; i++) await ask(`h${i}.evil.org`, 'temperror');
    for (let i = 0; i < 100; i++) await ask(`${i}.1.2.198.in-addr.arpa`, 'nodata');
    expect(made.on).toBe(false);
  });

  it('takes a domain that answers anything for a living one', async () => {
    const { made, ask } = brake();
    for (const name of ['a.org', 'b.org', 'c.org', 'd.org']) await ask(name, 'nodata');
    for (const name of ['x.a.org', 'x.b.org', 'x.c.org', 'x.d.org']) await ask(name, 'temperror');
    expect(made.on).toBe(false);
  });

  it.each(['overload', 'badresp'])('does not count %s, which is ours', async (detail) => {
    const { made, ask } = brake();
    for (let i = 0; i < 20; i++) await ask(`d${i}.org`, 'temperror', detail);
    expect(made.on).toBe(false);
  });

  it('counts networks for reverse names, and is bounded', async () => {
    const { made, ask, changes } = brake();
    for (let i = 0; i < 50; i++) await ask(`${i}.1.2.198.in-addr.arpa`, 'temperror');
    expect(made.on).toBe(false);
    for (let i = 0; i < 1500; i++) await ask(`d${i}.org`, 'temperror');
    expect(made.on).toBe(true);
    expect(changes).toEqual(['on 4/4']);
  });
});
