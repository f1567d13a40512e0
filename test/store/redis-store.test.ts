/** The client of the store, against a server on loopback that does not do as it should. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { probeStore, RedisStore, type RedisStoreOptions } from '../../src/store/redis-store.ts';
import type { CountStep } from '../../src/store/shared-store.ts';
import { type Answer, honest, isProbe, ScriptedRedis } from '../support/scripted-redis.ts';

const STEP: CountStep = {
  table: 'tempfails',
  names: ['198.51.100.0/24 sender.org'],
  block: '198.51.0.0/16',
  count: 3,
  age: 7200,
  known: [],
  ifSpent: false,
};
/** The answer of a script: no bad values, this, and the question that it answers. */
const scripted =
  (answer: string): Answer =>
  (words) => {
    const question = words.at(-1) ?? '';
    return `*3\r\n:0\r\n${answer}$${question.length}\r\n${question}\r\n`;
  };
const WITHIN = scripted('*1\r\n*5\r\n:1\r\n:0\r\n:1\r\n:0\r\n:0\r\n');
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

/** A host's store that has begun to connect. */
function storeAt(
  place: RedisStoreOptions['access']['place'],
  { timeoutMs = 500, told = [] }: { timeoutMs?: number; told?: Made['told'] } = {},
): RedisStore {
  const store = new RedisStore({
    access: { place, tls: false, ca: null, user: 'helo', password: 'secret of ours', database: 2 },
    prefix: 'hm',
    timeoutMs,
    now: () => 0,
    onChange: (up, detail) => told.push([up, detail]),
  });
  store.start();
  return store;
}

/** `answer` is for what the hosts ask; the server is honest when it is asked whether it works. */
async function made(answer: Answer, timeoutMs = 500, probe: Answer = honest): Promise<Made> {
  const server = await ScriptedRedis.start((words) => (isProbe(words) ? probe(words) : answer(words)));
  const told: [boolean, string][] = [];
  const store = storeAt({ kind: 'tcp', host: '127.0.0.1', port: server.port }, { timeoutMs, told });
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
  const it = await made(WITHIN);
  await up(it);
  const before = it.server.heard.length;
  const answer = await it.store.count([STEP]);
  expect(answer).toEqual([{ within: true, spent: false, under: 0, tries: { count: 1, age: 0 } }]);
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
  ['says half of it', () => '*3\r\n:0\r\n'],
  ['announces more than comes', () => '$1000\r\nx'],
])('gives up a server that %s, asks nothing meanwhile, and finds it again', async (_, answer) => {
  let ill = true;
  const it = await made(
    (words) => (ill ? answer(words) : WITHIN(words)),
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
    [true, 'no answer within 50 ms'],
  ]);
  await vi.waitFor(async () => {
    expect(await it.store.count([STEP])).not.toBeNull();
  }, PATIENCE);
  expect(it.store.outages).toBe(1);
});

it.each<[string, Answer, RegExp]>([
  ['is full', () => '-OOM command not allowed\r\n', /^OOM/],
  ['writes to terminals', () => '-ERR \x1b]0;a\x07\0\x9b1m\r\n', /^ERR \?\]0;a[?]+1m$/],
  ['has much to say', () => `-${'a'.repeat(4000)}\r\n`, /^a{256}$/],
  ['may not do it', () => '-NOPERM no permissions\r\n', /^NOPERM/],
  ['speaks something else', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', /not RESP2/],
  ['announces more than it may say', () => '$100000000\r\nx', /too long a reply/],
  ['announces too long a list', () => '*200000000\r\n:1\r\n', /too long a reply/],
  [
    'says too much in short strings',
    () => `*4096\r\n${'$30\r\n'.padEnd(35, 'x').concat('\r\n').repeat(4096)}`,
    /too long a reply/,
  ],
  ['does not come to an end', () => `+${'a'.repeat(1 << 20)}`, /too long a line/],
  ['has lists in lists', () => '*1\r\n'.repeat(5000), /too long a reply/],
  ['pushes null', () => '>1\r\n_\r\n', /not RESP2/],
  ['pushes half a subscription', () => '>2\r\n+subscribe\r\n_\r\n', /not RESP2/],
  ['pushes after a strange line end', () => '+a\rX>1\r\n_\r\n', /not RESP2/],
  ['answers with no list', () => '+OK\r\n', /another question/],
  ['answers with an empty list', () => '*0\r\n', /another question/],
  ['answers with nothing', () => '$-1\r\n', /another question/],
  ['does not say to what it answers', () => '*2\r\n:0\r\n*0\r\n', /another question/],
])('gives up a server that %s', async (_, answer, detail) => {
  const it = await made(answer);
  await up(it);
  expect(await it.store.count([STEP])).toBeNull();
  await down(it);
  expect(it.told[0]).toEqual([false, expect.stringMatching(detail)]);
});

it.each([
  ['too few answers', '*0\r\n'],
  ['text for a number', '*1\r\n*5\r\n:1\r\n:0\r\n$3\r\nNaN\r\n:0\r\n:0\r\n'],
  ['a negative count', '*1\r\n*5\r\n:1\r\n:0\r\n:-1\r\n:0\r\n:0\r\n'],
])('ignores and counts an answer with %s', async (_, reply) => {
  const it = await made(scripted(reply));
  await up(it);
  expect(await it.store.count([STEP])).toBeNull();
  expect(it.store.invalid).toBe(1);
  expect(it.store.ailment).toBeNull();
});

it('gives up a server after three calls in a row without an answer, not after three in all', async () => {
  let [owed, speaks] = ['', false];
  const it = await made((words) => {
    owed += WITHIN(words) ?? '';
    if (!speaks) return null;
    const late = owed;
    owed = '';
    return late;
  }, 300);
  await up(it);
  const answers: boolean[] = [];
  for (speaks of [false, false, true, false, false]) answers.push((await it.store.count([STEP])) !== null);
  expect(answers).toEqual([false, false, true, false, false]);
  expect([it.store.ailment, it.told]).toEqual([null, []]);
  expect(await it.store.count([STEP])).toBeNull();
  expect(it.told).toEqual([[false, 'no answer within 300 ms']]);
});

it('tries again less and less often, and at most ten seconds later', async () => {
  const pauses: number[] = [];
  const CONNECT_MS = 2000;
  const later = setTimeout;
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const timeouts = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((then: () => void, ms: number) => {
    if (ms === CONNECT_MS) return later(then, ms);
    pauses.push(ms);
    return later(then, 0);
  }) as typeof setTimeout);
  const store = storeAt({ kind: 'unix', path: '/nowhere/redis.sock' });
  open.push(() => {
    store.close();
    random.mockRestore();
    timeouts.mockRestore();
  });
  await vi.waitFor(() => {
    expect(pauses.length).toBeGreaterThan(8);
  }, PATIENCE);
  // Each is shortened by a quarter here, of a half at most.
  expect(pauses.slice(0, 8)).toEqual(
    [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000].map((ms) => ms * 0.75),
  );
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
  const it = await made(WITHIN);
  await up(it);
  await it.server.stop();
  open.pop();
  await down(it);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(it.told).toHaveLength(1);
  expect(it.store.outages).toBe(1);
});

it.each<[string, string, RegExp]>([
  ['is wrong', 'WRONGPASS invalid username-password pair', /^WRONGPASS/],
  [
    'belongs to a command that is not there',
    "ERR unknown command 'auth', with args beginning with: 'helo' 'secret of",
    /^ERR unknown command 'auth'$/,
  ],
  ['comes back', 'ERR what is secret of ours', /^ERR what is \.\.\.$/],
])('does not tell the password when it %s', async (_, reply, said) => {
  const it = await made(WITHIN, 500, ([name = '']) => (name === 'auth' ? `-${reply}\r\n` : '-NOAUTH\r\n'));
  await vi.waitFor(() => {
    expect(it.told).toHaveLength(1);
  }, PATIENCE);
  expect(it.told[0]?.[1]).toMatch(said);
  expect(JSON.stringify(it.told)).not.toContain('secret');
});

it.each<[string, boolean, (socket: Socket) => unknown, RegExp]>([
  ['without TLS, from whom it goes', false, (socket) => socket.destroy(), /closed .* perhaps it wants TLS/],
  [
    'with TLS, to whom it says nothing',
    true,
    () => undefined,
    /^(?:no answer .*|connect ETIMEDOUT); perhaps nobody is there, or it is without TLS/,
  ],
])('a server is asked %s', async (_, tls, answer, said) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const place = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const access = { place, tls, ca: null, user: null, password: null, database: 0 };
  expect(await probeStore(access, 'hm')).toMatch(said);
});

it('a server that is slow is not taken for one without TLS', async () => {
  const it = await made(WITHIN, 50, () => null);
  await vi.waitFor(() => {
    expect(it.told).toEqual([[false, 'no answer within 50 ms']]);
  }, PATIENCE);
});

it('loads a script again that the server has forgotten', async () => {
  const it = await made((words) =>
    words[0] === 'evalsha' ? '-NOSCRIPT No matching script\r\n' : WITHIN(words),
  );
  await up(it);
  expect(await it.store.count([STEP])).toHaveLength(1);
  expect(it.store.ailment).toBeNull();
});

it('takes no answer for that to another question', async () => {
  let asked = 0;
  const it = await made((words) => {
    const answer = WITHIN(words) ?? '';
    asked++;
    return asked === 1 ? answer + answer : asked === 2 ? null : answer;
  });
  await up(it);
  const calls = [it.store.count([STEP]), it.store.count([STEP])];
  const [first, second] = await Promise.all(calls.map((each) => Promise.resolve(each)));
  expect(first).toHaveLength(1);
  expect(second).toBeNull();
  expect(it.told[0]).toEqual([false, 'the server answered another question']);
  await up(it);
  expect(await it.store.count([STEP])).toHaveLength(1);
});

describe('by Sentinels', () => {
  const list = (...words: readonly string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

  it.each<[string, Answer]>([
    ['says nothing', () => null],
    ['says something else', () => '+OK\r\n'],
    ['knows nobody of the name', () => '*-1\r\n'],
    ['names a port that is none', () => list('127.0.0.1', '65536')],
    ['answers without an end', () => `*2\r\n$500000\r\n${'a'.repeat(400_000)}`],
    ['answers with what is not RESP2', () => '%1\r\n+a\r\n+b\r\n'],
  ])('finds the server where one of them %s', async (_, answer) => {
    const server = await ScriptedRedis.start(honest);
    open.push(() => server.stop());
    const bad = await ScriptedRedis.start(answer);
    open.push(() => bad.stop());
    const good = await ScriptedRedis.start(() => list('127.0.0.1', String(server.port)));
    open.push(() => good.stop());
    const sentinels = [bad, good].map(({ port }) => ({ host: '127.0.0.1', port }));
    const store = storeAt({ kind: 'sentinel', sentinels, name: 'main' });
    open.push(() => {
      store.close();
    });
    await vi.waitFor(() => {
      expect(store.ailment).toBeNull();
    }, PATIENCE);
    expect(good.heard).toContainEqual(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main']);
    // Or there would be one more with each outage.
    await vi.waitFor(() => {
      expect([bad, good].map(({ connections }) => connections)).toEqual([0, 0]);
    }, PATIENCE);
  });

  it.each<[string, string, string]>([
    ['knows it', '*-1\r\n', 'the Sentinel knows no server of the name main'],
    ['answers within bounds', `*2\r\n$500000\r\n${'a'.repeat(400_000)}`, 'the server sent too long a reply'],
  ])('says what is wrong where none of them %s', async (_, reply, detail) => {
    const bad = await ScriptedRedis.start(() => reply);
    open.push(() => bad.stop());
    const store = storeAt({
      kind: 'sentinel',
      sentinels: [{ host: '127.0.0.1', port: bad.port }],
      name: 'main',
    });
    open.push(() => {
      store.close();
    });
    await vi.waitFor(() => {
      expect(store.ailment).toContain(detail);
    }, PATIENCE);
  });
});

it('takes no assessment that is longer than those that are kept', async () => {
  const text = 'a'.repeat(20_000);
  const body = `*5\r\n:1\r\n:1\r\n*0\r\n$${text.length}\r\n${text}\r\n:1000\r\n`;
  const it = await made(scripted(body));
  await up(it);
  expect(await it.store.meet({ churn: null, regular: null, assessment: 'a' })).toBeNull();
  expect(it.store.invalid).toBe(1);
});
