import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlQuestions } from '../../src/dns/control-questions.ts';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import { Asker, askedBy, type SharedResolver } from '../../src/dns/asker.ts';
import { PLACES } from '../../src/dns/stub-resolver.ts';
import { shareQuestions } from '../../src/dns/shared-questions.ts';
import { OutageBrake } from '../../src/dns/outage-brake.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { sending } from '../support/sending.ts';

type Way = 'answers' | 'servfail' | 'refused' | 'silent' | 'overload';

/**
 * A resolver that works or does not, zones of strangers that do not, and a network with or without the
 * Internet.
 */
interface World {
  /** The state for all but control questions; names with `lame` are never answered. */
  others: Way;
  controls: Way;
  lame: Way;
}

const TIMEOUT_MS = 3000;
const CONTROL = /^[0-9a-f]{16}\.(?:com|org|de)$/;

function world(first: Partial<World> = {}): {
  state: World;
  brake: OutageBrake;
  changes: string[];
  asked: string[];
  /** One question from a client of that network. */
  ask: (network: string, name: string) => Promise<Answer<RecordType>>;
  zone: (file: boolean) => void;
} {
  const state: World = { others: 'answers', controls: 'answers', lame: 'servfail', ...first };
  const asked: string[] = [];
  const changes: string[] = [];
  const lookup = async (name: string): Promise<Answer<RecordType>> => {
    const control = CONTROL.test(name);
    if (control) asked.push(name);
    const way = control ? state.controls : name.includes('lame') ? state.lame : state.others;
    await new Promise((resolve) => setTimeout(resolve, way === 'silent' ? TIMEOUT_MS : 20));
    if (way === 'answers') return { status: 'nxdomain', ttl: null };
    return { status: 'temperror', detail: way === 'silent' ? 'timeout' : way };
  };
  const resolver = { lookup } as SharedResolver;
  let fromFile = false;
  let serial = 0;
  const brake = new OutageBrake({
    controls: new ControlQuestions(() => (++serial).toString(16).padStart(16, '0')),
    resolver: () => (fromFile ? null : resolver),
    now: () => performance.now(),
    onChange: (on, failing, networks) => changes.push(`${on ? 'on' : 'off'} ${failing}/${networks}`),
  });
  const watched = brake.watch(resolver);
  return {
    state,
    brake,
    changes,
    asked,
    ask: (network, name) => askedBy(watched, new Asker(network)).lookup(name, 'A'),
    zone: (file) => (fromFile = file),
  };
}

let clock: VirtualClock;
const pass = (ms: number): Promise<void> => clock.pass(ms);

beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  clock.restore();
});

/** Clients, each in a network of its own, one a second, each with a few questions. */
async function trickle(
  { ask }: Pick<ReturnType<typeof world>, 'ask'>,
  seconds: number,
  name = (n: number): string => `mail.d${n}.org`,
): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    for (let q = 0; q < 4; q++) void ask(`n${n}`, `q${q}.${name(n)}`);
    await pass(1000);
  }
}

describe('what strangers can make us ask is no evidence', () => {
  it.each<Way>(['servfail', 'silent'])('1,000 networks with ten hostile zones each: %s', async (lame) => {
    const { brake, ask, changes, asked } = world({ lame });
    for (let n = 0; n < 1000; n++) {
      for (let z = 0; z < 10; z++) void ask(`n${n}`, `mail.lame${n}-${z}.org`);
      await pass(10);
    }
    await pass(10_000);
    expect(brake.on).toBe(false);
    expect(changes).toEqual([]);
    // They looked suspicious, and the control questions, whose number is limited, cleared the resolver.
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(60);
  });

  it('one session with ten reverse names in ten domains that fail', async () => {
    const { brake, ask, changes } = world();
    for (let z = 0; z < 10; z++) void ask('n', `mail.lame${z}.org`);
    await pass(10_000);
    expect([brake.on, changes]).toEqual([false, []]);
  });

  it('ten unlucky lame domains on a small host', async () => {
    const { brake, ask, changes } = world();
    for (let n = 0; n < 10; n++) {
      void ask(`n${n}`, `mail.lame${n}.org`);
      await pass(60_000);
    }
    expect([brake.on, changes]).toEqual([false, []]);
  });

  it.each<Way>(['servfail', 'silent'])(
    'nor do they hide an outage behind answers from a cache: %s',
    async (way) => {
      const made = world();
      await trickle(made, 10);
      Object.assign(made.state, { others: way, controls: way, lame: 'answers' });
      for (let n = 0; n < 5; n++) {
        void made.ask(`x${n}`, 'mail.dead.org');
        for (let q = 0; q < 2; q++) void made.ask(`y${n}-${q}`, 'mail.lame.org');
        await pass(1000);
      }
      expect(made.brake.on).toBe(true);
    },
  );
});

describe('a resolver that is out of order', () => {
  it.each<Way>(['servfail', 'refused', 'silent'])(
    '%s: the brake is pulled within 5 s at one client a second, and lifts within 30 s without any',
    async (way) => {
      const made = world();
      await trickle(made, 20);
      expect(made.changes).toEqual([]);
      Object.assign(made.state, { others: way, controls: way });
      await trickle(made, 5);
      expect(made.brake.on).toBe(true);
      await pass(300_000);
      expect(made.brake.on).toBe(true);
      Object.assign(made.state, { others: 'answers', controls: 'answers' });
      await pass(30_000);
      expect(made.brake.on).toBe(false);
      expect(made.changes).toHaveLength(2);
      expect(made.changes[0]).toMatch(/^on /);
    },
  );

  it('is found out under a storm of hostile names as well', async () => {
    const made = world({ lame: 'silent' });
    const storm = async (seconds: number): Promise<void> => {
      for (let n = 0; n < seconds * 10; n++) {
        void made.ask(`h${n}`, `mail.lame${n}.org`);
        if (n % 10 === 0) void made.ask(`n${n}`, 'mail.d.org');
        await pass(100);
      }
    };
    await storm(20);
    expect(made.brake.on).toBe(false);
    Object.assign(made.state, { others: 'silent', controls: 'silent' });
    await storm(5);
    expect(made.brake.on).toBe(true);
  });

  it('is found out where it was so from the beginning', async () => {
    const made = world({ others: 'silent', controls: 'silent' });
    await trickle(made, 5);
    expect(made.brake.on).toBe(true);
  });

  it('on a host that only one network sends mail to', async () => {
    const made = world();
    void made.ask('relay', 'a.org');
    await pass(200_000);
    Object.assign(made.state, { others: 'silent', controls: 'silent' });
    void made.ask('relay', 'b.org');
    await pass(5000);
    expect(made.brake.on).toBe(true);
  });
});

it('200 new clients a second, whose questions fill the gate: the brake is pulled within 5 s', async () => {
  let dead = false;
  const resolver = shareQuestions({
    ...PLACES,
    timeoutMs: TIMEOUT_MS,
    now: () => performance.now(),
    send: sending(async (_name, _type, deadline) => {
      const silent = dead;
      await new Promise((resolve) => setTimeout(resolve, silent ? deadline - performance.now() : 20));
      return silent ? { status: 'temperror', detail: 'timeout' } : { status: 'nxdomain', ttl: null };
    }),
  });
  let serial = 0;
  const brake = new OutageBrake({
    controls: new ControlQuestions(() => (++serial).toString(16).padStart(16, '0')),
    resolver: () => resolver,
    now: () => performance.now(),
    onChange: () => undefined,
  });
  const watched = brake.watch(resolver);
  let client = 0;
  const come = async (seconds: number): Promise<void> => {
    for (const until = client + seconds * 200; client < until; client++) {
      const mine = askedBy(watched, new Asker(`n${client}`));
      for (let q = 0; q < 6; q++) void mine.lookup(`q${q}.d${client}.org`, 'A');
      await pass(5);
    }
  };
  await come(1);
  expect(brake.on).toBe(false);
  dead = true;
  await come(2);
  expect(resolver.waiting).toBeGreaterThan(500);
  await come(3);
  expect(brake.on).toBe(true);
  dead = false;
  await pass(15_000);
  expect(brake.on).toBe(false);
});

it('nobody gains who had greeted when it was pulled', async () => {
  const made = world();
  await trickle(made, 10);
  Object.assign(made.state, { others: 'servfail', controls: 'servfail' });
  const begun: number[] = [];
  let pulled: number | null = null;
  for (let n = 0; n < 60 && pulled === null; n++) {
    begun.push(performance.now());
    for (let q = 0; q < 4; q++) void made.ask(`n${n}`, `q${q}.d${n}.org`);
    await pass(100);
    if (made.brake.on) pulled = performance.now();
  }
  expect(pulled).not.toBeNull();
  expect(begun.length).toBeGreaterThan(2);
  for (const at of begun) expect(made.brake.onSince(at)).toBe(false);
  expect(made.brake.onSince(performance.now() + 1)).toBe(true);
});

describe('what proves nothing', () => {
  it.each<[string, Partial<World>]>([
    ['a network without the Internet, whose resolver refuses other names', { controls: 'refused' }],
    ['one whose resolver is silent about them', { controls: 'silent' }],
    ['control questions for which there was no place', { controls: 'overload' }],
  ])('%s', async (_, first) => {
    const made = world(first);
    for (let n = 0; n < 30; n++) {
      void made.ask(`n${n}`, n % 2 === 0 ? 'mail.lame.org' : 'mail.d.org');
      await pass(1000);
    }
    expect(made.changes).toEqual([]);
  });

  it.each<Way>(['overload'])('%s, which is ours', async (lame) => {
    const made = world({ lame });
    for (let n = 0; n < 50; n++) void made.ask(`n${n}`, `mail.lame${n}.org`);
    await pass(5000);
    expect(made.asked).toEqual([]);
  });

  it('a zone file: nothing else is asked', async () => {
    const made = world({ others: 'servfail', controls: 'servfail' });
    made.zone(true);
    await trickle(made, 30);
    expect([made.changes, made.asked]).toEqual([[], []]);
  });
});

it('lifts where servers are replaced by a zone file', async () => {
  const made = world();
  await trickle(made, 10);
  Object.assign(made.state, { others: 'servfail', controls: 'servfail' });
  await trickle(made, 5);
  expect(made.brake.on).toBe(true);
  made.zone(true);
  await pass(10_000);
  expect(made.brake.on).toBe(false);
});

it('asks no name twice, and nothing once it is closed', async () => {
  const made = world();
  await trickle(made, 10);
  Object.assign(made.state, { others: 'servfail', controls: 'servfail' });
  await trickle(made, 10);
  expect(new Set(made.asked).size).toBe(made.asked.length);
  made.brake.close();
  const before = made.asked.length;
  await pass(60_000);
  expect(made.asked).toHaveLength(before);
});
