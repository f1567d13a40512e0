import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import { Asker } from '../../src/dns/asker.ts';
import { shareQuestions, type SharedQuestions } from '../../src/dns/shared-questions.ts';
import { sending } from '../support/sending.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  clock.restore();
});

const FOUND: Answer<RecordType> = { status: 'found', records: ['192.0.2.1'], ttl: 60 };

/**
 * A resolver with a number of places, what it sent and what was cancelled; names with `slow` take 500 ms,
 * `dead` ones never answer, others take 10 ms.
 */
function make(
  places = 16,
  waitingPlaces = 40,
): {
  resolver: SharedQuestions;
  sent: string[];
  taken: string[];
} {
  const sent: string[] = [];
  const taken: string[] = [];
  const resolver = shareQuestions({
    places,
    freshPlaces: places,
    freshMs: 100,
    waitingPlaces,
    timeoutMs: 1000,
    now: () => performance.now(),
    send: sending(
      async (name, type, deadline) => {
        sent.push(`${name} ${type}`);
        const ms = name.includes('slow') ? 500 : name.includes('dead') ? deadline - performance.now() : 10;
        await new Promise((resolve) => setTimeout(resolve, ms));
        return name.includes('dead') ? { status: 'temperror', detail: 'timeout' } : FOUND;
      },
      (name, type) => taken.push(`${name} ${type}`),
    ),
  });
  return { resolver, sent, taken };
}

/** What an answer says, and when it came. */
async function told(answer: Promise<Answer<RecordType>>): Promise<string> {
  const got = await answer;
  return `${got.status === 'temperror' ? got.detail : got.status} ${performance.now()}`;
}

it('asks equal questions once', async () => {
  const { resolver, sent } = make();
  const [a, b] = [resolver.for(new Asker('a')), resolver.for(new Asker('b'))];
  const answers = [a.lookup('x.org', 'A'), b.lookup('X.org', 'A'), b.lookup('x.org', 'AAAA')].map(told);
  expect(await clock.until(Promise.all(answers))).toEqual(['found 10', 'found 10', 'found 10']);
  expect(sent).toEqual(['x.org A', 'x.org AAAA']);
});

it('what waits in the share of one starts at once in that of another, for both', async () => {
  const { resolver, sent } = make();
  const slow = resolver.for(new Asker('slow'));
  const first = [0, 1].map((i) => told(slow.lookup(`slow${i}.org`, 'A')));
  const waits = told(slow.lookup('mail.org', 'A'));
  await clock.pass(50);
  expect(sent).not.toContain('mail.org A');
  const joins = told(resolver.for(new Asker('quick')).lookup('mail.org', 'A'));
  expect(await clock.until(Promise.all([waits, joins]))).toEqual(['found 60', 'found 60']);
  expect(await clock.until(Promise.all(first))).toEqual(['found 500', 'found 500']);
});

it('who ends leaves the queue; what was sent is taken back', async () => {
  const { resolver, sent, taken } = make();
  const asker = new Asker('a');
  const mine = resolver.for(asker);
  const answers = Promise.all(Array.from({ length: 5 }, (_, i) => told(mine.lookup(`slow${i}.org`, 'A'))));
  expect(resolver.waiting).toBe(3);
  await clock.pass(50);
  asker.end('dropped');
  expect(resolver.waiting).toBe(0);
  const late = told(mine.lookup('late.org', 'A'));
  expect(await clock.until(answers)).toEqual(Array.from({ length: 5 }, () => 'dropped 50'));
  expect(await late).toMatch(/^dropped /);
  expect(sent).toHaveLength(2);
  expect(taken).toEqual(sent);
  expect(resolver.inFlight).toBe(0);
});

it('a deadline takes back what was sent, and says so; what another wants too is waited for', async () => {
  const { resolver, sent, taken } = make();
  const [a, b] = [new Asker('a'), new Asker('b')];
  const mine = ['slow1.org', 'slow2.org'].map((name) => told(resolver.for(a).lookup(name, 'A')));
  const shared = told(resolver.for(b).lookup('slow2.org', 'A'));
  await clock.pass(50);
  a.end('overload');
  expect(await clock.until(Promise.all(mine))).toEqual(['deadline 50', 'deadline 50']);
  expect(taken).toEqual(['slow1.org A']);
  // Asked anew, not joined to the cancelled question.
  const again = told(resolver.for(b).lookup('slow1.org', 'A'));
  expect(await clock.until(Promise.all([shared, again]))).toEqual(['found 500', 'found 550']);
  expect(sent).toEqual(['slow1.org A', 'slow2.org A', 'slow1.org A']);
  expect([resolver.inFlight, taken]).toEqual([0, ['slow1.org A']]);
});

it('what another wants too stays in the queue when one leaves', async () => {
  const { resolver } = make(1);
  const busy = told(resolver.lookup('slow.org', 'A'));
  const [a, b] = [new Asker('a'), new Asker('b')];
  const left = told(resolver.for(a).lookup('x.org', 'A'));
  const stays = told(resolver.for(b).lookup('x.org', 'A'));
  a.end('dropped');
  expect(await clock.until(Promise.all([busy, left, stays]))).toEqual([
    'found 500',
    'dropped 0',
    'found 510',
  ]);
});

it('a turn that does not come in time is an overload, and one that comes late is a timeout', async () => {
  const { resolver } = make(1);
  const busy = told(resolver.lookup('dead0.org', 'A'));
  const never = told(resolver.for(new Asker('a')).lookup('x.org', 'A'));
  await clock.pass(600);
  const next = told(resolver.for(new Asker('b')).lookup('dead1.org', 'A'));
  expect(await clock.until(Promise.all([busy, never, next]))).toEqual([
    'timeout 1000',
    'overload 1000',
    'timeout 1600',
  ]);
  expect([resolver.inFlight, resolver.waiting]).toEqual([0, 0]);
});

it('who asks for most of it is told that it was their own share, and a bystander that it was not', async () => {
  const { resolver } = make(100, 1000);
  const greedy = resolver.for(new Asker('greedy'));
  const asked = Array.from({ length: 80 }, (_, i) => told(greedy.lookup(`dead${i}.org`, 'A')));
  const crowd = Array.from({ length: 300 }, (_, i) =>
    told(resolver.for(new Asker(`n${i}`)).lookup(`dead-${i}.org`, 'A')),
  );
  const answers = await clock.until(Promise.all(asked));
  const others = await clock.until(Promise.all(crowd));
  expect(new Set(answers.map((answer) => answer.split(' ')[0]))).toEqual(new Set(['timeout', 'share']));
  expect(new Set(others.map((answer) => answer.split(' ')[0]))).toEqual(new Set(['timeout', 'overload']));
});

it('the share was used up also for who comes later, or ends while waiting', async () => {
  const { resolver } = make(100, 1000);
  const waiting = Array.from({ length: 45 }, (_, i) =>
    told(resolver.for(new Asker('greedy')).lookup(`dead${i}.org`, 'A')),
  );
  const [one, two] = [new Asker('greedy'), new Asker('greedy')];
  const ended = told(resolver.for(one).lookup('x.org', 'A'));
  const dropped = told(resolver.for(two).lookup('y.org', 'A'));
  one.end('overload');
  two.end('dropped');
  const later = told(resolver.for(one).lookup('z.org', 'A'));
  expect(await clock.until(Promise.all([ended, dropped, later]))).toEqual([
    'share 0',
    'dropped 0',
    'share 0',
  ]);
  await clock.until(Promise.all(waiting));
});

it('is full at once where nobody else may wait', async () => {
  const { resolver } = make(1);
  const all = Array.from({ length: 43 }, (_, i) => told(resolver.lookup(`dead${i}.org`, 'A')));
  await clock.pass(1);
  expect(resolver.waiting).toBe(40);
  const answers = await clock.until(Promise.all(all));
  expect(answers.filter((answer) => answer === 'overload 0')).toHaveLength(2);
});

it('a reserved asker never waits, and takes no place of others', async () => {
  const { resolver, sent } = make(1);
  const full = Array.from({ length: 60 }, (_, i) => told(resolver.lookup(`dead${i}.org`, 'A')));
  expect([resolver.inFlight, resolver.waiting]).toEqual([1, 40]);
  const mine = resolver.for(new Asker('control', { reserved: true }));
  const asked = Array.from({ length: 70 }, (_, i) => told(mine.lookup(`own${i}.org`, 'A')));
  expect(sent).toHaveLength(1 + 64);
  expect([resolver.inFlight, resolver.waiting]).toEqual([1 + 64, 40]);
  const answers = await clock.until(Promise.all(asked));
  expect(answers.filter((answer) => answer === 'found 10')).toHaveLength(64);
  expect(answers.filter((answer) => answer === 'overload 0')).toHaveLength(6);
  expect([resolver.inFlight, resolver.waiting]).toEqual([1, 40]);
  // Their places are free again.
  expect(await clock.until(told(mine.lookup('more.org', 'A')))).toBe('found 20');
  await clock.until(Promise.all(full));
  expect([resolver.inFlight, resolver.waiting]).toEqual([0, 0]);
});

it('never asks what is no name', async () => {
  const { resolver, sent } = make();
  expect(await resolver.lookup('a\0b.org', 'A')).toEqual({ status: 'nxdomain', ttl: null });
  expect(sent).toEqual([]);
});
