/** The store of a farm: what it costs a session, the host and the server, and what its entries take there. */
import type { CountTable } from '../src/store/shared-store.ts';
import { RedisStore } from '../src/store/redis-store.ts';
import { type Redis, startRedis } from '../test/mta/kit/redis.ts';
import { freePort } from '../test/mta/kit/workdir.ts';
import { type Contender, contest, ratio } from './contest.ts';
import { cost, load, type LoadResult, warm } from './load.ts';
import { asRatio, type Findings, round, stated, type Table, tableOf } from './report.ts';
import { cleanZone, product } from './server.ts';
import { amount, type Node, type Setting } from './setting.ts';

interface Told {
  readonly load: LoadResult;
  /** Microseconds of CPU of the server, and questions to it, for a session. */
  readonly server: number;
  readonly questions: number;
}

const nameOf = ({ major }: Node, store: boolean): string => `${store ? 'store' : 'no store'}, Node ${major}`;

/** Seconds of CPU that the server has taken, and scripts that it has run. */
async function usage(redis: Redis): Promise<{ readonly cpu: number; readonly scripts: number }> {
  const info = `${await redis.say('info', 'cpu')}\n${await redis.say('info', 'commandstats')}`;
  const sum = (words: RegExp): number => [...info.matchAll(words)].reduce((all, [, n]) => all + Number(n), 0);
  return {
    cpu: sum(/^used_cpu_(?:user|sys):([\d.]+)/gm),
    scripts: sum(/^cmdstat_evalsha:calls=(\d+)/gm),
  };
}

/** Sessions up to RCPT of clients that are known, which ask once. */
async function sessions(setting: Setting, redis: Redis, url: string): Promise<Findings> {
  const contenders: Contender<Told>[] = [];
  const stops: (() => Promise<void>)[] = [];
  const count = amount(setting, 3000);
  for (const node of setting.nodes) {
    for (const store of [false, true]) {
      const args = ['--no-auth-results', '--dns-zone', cleanZone(setting)];
      const more = store ? ['--store', url, '--store-timeout', '1s'] : [];
      const server = await product(setting, 'unix', node, { args: [...args, ...more] });
      stops.push(server.stop);
      await warm(setting, server, 'recipient');
      contenders.push({
        name: nameOf(node, store),
        run: async () => {
          const before = await usage(redis);
          const found = await load(server, { kind: 'recipient', sessions: count });
          const after = await usage(redis);
          return {
            load: found,
            server: ((after.cpu - before.cpu) * 1e6) / count,
            questions: (after.scripts - before.scripts) / count,
          };
        },
      });
    }
  }
  const results = await contest(setting, contenders);
  for (const stop of stops) await stop();
  const own = ({ load: each }: Told): number => cost(each);
  return {
    rows: [
      {
        what: 'CPU of a session up to RCPT with --store, of the host alone',
        against: 'without',
        target: 'stated',
        measured: setting.nodes.map((node) =>
          stated(asRatio(ratio(results, nameOf(node, true), nameOf(node, false), own))),
        ),
      },
    ],
    tables: [
      tableOf('Sessions up to RCPT, with the store of a farm and without', results, {
        'CPU of the host µs': own,
        'CPU of the server µs': ({ server }) => server,
        'questions a session': ({ questions }) => questions,
        'session p50 ms': ({ load: { session } }) => session.p50 / 1000,
        'session p99 ms': ({ load: { session } }) => session.p99 / 1000,
      }),
    ],
  };
}

/** How one entry of a kind is made, of the sender with this number. */
type Entry = (store: RedisStore, i: number) => unknown;

const count =
  (table: CountTable): Entry =>
  (store, i) =>
    store.count([
      {
        ...{ table, names: [`sender ${i}`], block: `block ${i >> 10}` },
        ...{ count: 3, age: 7200, known: [], ifSpent: false },
      },
    ]);
const meet = (names: number): Entry => {
  const limits = { windowMs: 600_000, maxNames: 16 };
  return async (store, i) => {
    const of = { network: `network ${i}`, block: `block ${i >> 10}`, limits };
    for (let n = 0; n < names; n++) {
      const churn = { ...of, name: `${n}.org` };
      await store.meet({ churn, regular: null, assessment: null });
    }
  };
};
const ENTRIES: Readonly<Record<string, Entry>> = {
  'a count (tempfails)': count('tempfails'),
  'a regular': (store, i) => {
    store.learn(`sender ${i}`, `block ${i >> 10}`, {
      messages: 3,
      days: 2,
      firstDay: 20_000,
      lastDay: 20_001,
    });
  },
  'the name of an address': meet(1),
  'eleven names of an address': meet(11),
  'an assessment of 2,400 characters': (store, i) => {
    store.keep(`sender ${i}`, `block ${i >> 9}`, 'x'.repeat(2400), 600_000);
  },
};

/** By the growth of what the server has in use. */
async function entries(setting: Setting, redis: Redis, port: number): Promise<Table> {
  const many = amount(setting, 20_000);
  const used = async (): Promise<number> =>
    Number(/^used_memory:(\d+)/m.exec(await redis.say('info', 'memory'))?.[1]);
  const store = new RedisStore({
    access: {
      ...{ place: { kind: 'tcp', host: '127.0.0.1', port }, tls: false, ca: null },
      ...{ user: null, password: null, database: 0 },
    },
    ...{ prefix: 'helo-milter', timeoutMs: 10_000, now: () => performance.now() },
    onChange: () => undefined,
  });
  store.start();
  while (store.ailment !== null) await pause();
  const lines: string[][] = [];
  for (const [name, make] of Object.entries(ENTRIES)) {
    await redis.say('flushall');
    const before = await used();
    for (let i = 0; i < many; i++) {
      const made = make(store, i);
      if (made instanceof Promise) await made;
      // What is only told: not more at once than the store takes.
      else if (i % 500 === 0) await pause();
    }
    await pause();
    lines.push([name, round(((await used()) - before) / many)]);
  }
  store.close();
  return { title: `Bytes of an entry, of ${many}`, head: ['', 'bytes'], lines };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

export async function storeBench(setting: Setting): Promise<Findings> {
  const port = await freePort();
  const redis = await startRedis(setting.workdir, port);
  try {
    const { rows, tables } = await sessions(setting, redis, `redis://127.0.0.1:${port}`);
    return { rows, tables: [...tables, await entries(setting, redis, port)] };
  } finally {
    await redis.stop();
  }
}
