/** The client of the store, against a server on loopback that does not do as it should. */
import { afterEach, expect, it, vi } from 'vitest';
import { RedisStore } from '../../src/store/redis-store.ts';
import type { CountStep } from '../../src/store/shared-store.ts';
import { type Answer, honest, isProbe, ScriptedRedis } from '../support/scripted-redis.ts';

const STEP: CountStep = {
  table: 'tempfails',
  names: ['198.51.100.0/24 sender.org'],
  block: '198.51.0.0/16',
  count: 3,
  age: 7200,
  known: null,
  spent: false,
  ifSpent: false,
};
const WITHIN = '*2\r\n:0\r\n*1\r\n*4\r\n:1\r\n:0\r\n:1\r\n:0\r\n';
const PATIENCE = { timeout: 20_000 };

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Made {
  readonly server: ScriptedRedis;
  readonly store: RedisStore;
  readonly told: [up: boolean, detail: string][];
}

/** `answer` is for what the hosts ask; the server is honest when it is asked whether it works. */
async function made(answer: Answer, timeoutMs = 500, probe: Answer = honest): Promise<Made> {
  const server = await ScriptedRedis.start((words) => (isProbe(words) ? probe(words) : answer(words)));
  const told: [boolean, string][] = [];
  const store = new RedisStore({
    access: {
      place: { kind: 'tcp', host: '127.0.0.1', port: server.port },
      tls: false,
      ca: null,
      user: 'helo',
      password: 'secret of ours',
      database: 2,
    },
    prefix: 'hm',
    timeoutMs,
    now: () => 0,
    onChange: (up, detail) => told.push([up, detail]),
  });
  open.push(
    () => {
      store.close();
    },
    () => server.stop(),
  );
  return { server, store, told };
}

const up = ({ store }: Made): Promise<unknown> =>
  vi.waitFor(() => {
    expect(store.ailment).toBeNull();
  }, PATIENCE);
const down = ({ store }: Made): Promise<unknown> =>
  vi.waitFor(() => {
    expect(store.ailment).not.toBeNull();
  }, PATIENCE);

it('asks one question for all that is counted of a message', async () => {
  const it = await made(() => WITHIN);
  await up(it);
  const before = it.server.heard.length;
  const answer = await it.store.count([STEP]);
  expect(answer).toEqual([{ within: true, spent: false, tries: { count: 1, age: 0 } }]);
  const asked = it.server.heard.slice(before);
  expect(asked.map(([name]) => name)).toEqual(['evalsha']);
  // Nothing that a stranger wrote is in it.
  expect(asked.join()).not.toContain('sender.org');
  expect(asked[0]?.filter((word) => word.startsWith('hm:'))).toHaveLength(3);
  expect(it.server.heard.slice(0, 2)).toEqual([
    ['auth', 'helo', 'secret of ours'],
    ['select', '2'],
  ]);
  expect(it.told).toEqual([]);
});

it.each<[string, Answer]>([
  ['says nothing', () => null],
  ['says half of it', () => '*2\r\n:0\r\n*1\r\n*4\r\n:1\r\n'],
  ['announces more than comes', () => '$100000000\r\nx'],
])('gives up a server that %s, asks nothing meanwhile, and finds it again', async (_, answer) => {
  let ill = true;
  const it = await made(
    (words) => (ill ? answer(words) : WITHIN),
    50,
    (words) => (ill && it.store.outages > 0 ? null : honest(words)),
  );
  await up(it);
  const calls = [it.store.count([STEP]), it.store.count([STEP]), it.store.count([STEP])];
  expect(await Promise.all(calls.map((each) => Promise.resolve(each)))).toEqual([null, null, null]);
  await down(it);
  // At once, without a promise.
  expect(it.store.count([STEP])).toBeNull();
  ill = false;
  await up(it);
  expect(it.told).toEqual([
    [false, 'no answer within 50 ms'],
    [true, ''],
  ]);
  await vi.waitFor(async () => {
    expect(await it.store.count([STEP])).not.toBeNull();
  }, PATIENCE);
  expect(it.store.outages).toBe(1);
});

it.each<[string, Answer, RegExp]>([
  ['is full', () => '-OOM command not allowed\r\n', /^OOM/],
  ['may not do it', () => '-NOPERM no permissions\r\n', /^NOPERM/],
  ['speaks something else', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', /./],
])('gives up a server that %s', async (_, answer, detail) => {
  const it = await made(answer);
  await up(it);
  expect(await it.store.count([STEP])).toBeNull();
  await down(it);
  expect(it.told[0]).toEqual([false, expect.stringMatching(detail)]);
});

it.each([
  ['no list', '+OK\r\n'],
  ['an empty list', '*0\r\n'],
  ['too few answers', '*2\r\n:0\r\n*0\r\n'],
  ['text for a number', '*2\r\n:0\r\n*1\r\n*4\r\n:1\r\n:0\r\n$3\r\nNaN\r\n:0\r\n'],
  ['a negative count', '*2\r\n:0\r\n*1\r\n*4\r\n:1\r\n:0\r\n:-1\r\n:0\r\n'],
  ['nothing', '$-1\r\n'],
])('ignores and counts an answer with %s', async (_, reply) => {
  const it = await made(() => reply);
  await up(it);
  expect(await it.store.count([STEP])).toBeNull();
  expect(it.store.invalid).toBe(reply === '$-1\r\n' ? 0 : 1);
  expect(it.store.ailment).toBeNull();
});

it('has a bounded number of calls under way', async () => {
  const it = await made(() => null, 60_000);
  await up(it);
  const pending = Array.from({ length: 1500 }, () => it.store.count([STEP]));
  expect(pending.filter((each) => each !== null)).toHaveLength(1000);
  expect(it.store.calls.get('busy')).toBe(500);
  it.server.drop();
  await Promise.all(pending.map((each) => Promise.resolve(each)));
  expect(it.store.count([STEP])).toBeNull();
});

it('is not in the way of a program whose server is not there, and tells it once', async () => {
  const it = await made(() => WITHIN);
  await up(it);
  await it.server.stop();
  open.pop();
  await down(it);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(it.told).toHaveLength(1);
  expect(it.store.outages).toBe(1);
});

it('does not tell the password when it is wrong', async () => {
  const wrong = '-WRONGPASS invalid username-password pair\r\n';
  const it = await made(
    () => WITHIN,
    500,
    ([name = '']) => (name === 'auth' ? wrong : '-NOAUTH\r\n'),
  );
  await vi.waitFor(() => {
    expect(it.told).toHaveLength(1);
  }, PATIENCE);
  expect(it.told[0]?.[1]).toMatch(/^WRONGPASS/);
  expect(JSON.stringify(it.told)).not.toContain('secret');
});

it('loads a script again that the server has forgotten', async () => {
  const it = await made(([name = '']) => (name === 'evalsha' ? '-NOSCRIPT No matching script\r\n' : WITHIN));
  await up(it);
  expect(await it.store.count([STEP])).toHaveLength(1);
  expect(it.store.ailment).toBeNull();
});
