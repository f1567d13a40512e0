/** The slowest percent, and the collections behind it: what a full cache costs whoever comes meanwhile. */
import { freePort } from '../test/mta/kit/workdir.ts';
import { type Contender, contest, ratio, type Results, spread } from './contest.ts';
import { type Inside, type Watched, watchedFromInside } from './inside.ts';
import { cost, HOT, load, type LoadResult, warm } from './load.ts';
import {
  asRatio,
  atMost,
  type Columns,
  figureAtMost,
  type Findings,
  type Measured,
  stated,
  tableOf,
} from './report.ts';
import { wideZone } from './server.ts';
import { amount, type Node, type Setting } from './setting.ts';

/** What the program keeps by default, and nine tenths of it. */
const ROOM = 20_000;
const CACHED = 18_000;
const RATE = 2000;
/** Shorter windows say more about the moment than about the program. */
const WINDOW_S = 60;
/** Left out before each window: what follows minutes without a client and a collection asked for. */
const RUN_IN_S = 5;
const MOST_WINDOWS = 3;

interface Window {
  readonly load: LoadResult;
  /** Of the same window and what comes before it. */
  readonly inside: Inside;
}

const COLUMNS: Columns<Window> = {
  'CPU µs': ({ load: each }) => cost(each),
  'session p50 ms': ({ load: { session } }) => session.p50 / 1000,
  'session p99 ms': ({ load: { session } }) => session.p99 / 1000,
  'session p99.9 ms': ({ load: { session } }) => session.p999 / 1000,
  'slowest session ms': ({ load: { session } }) => session.max / 1000,
  'small collections a minute': ({ inside }) => perMinute(inside, inside.small.count),
  'large ones a minute': ({ inside }) => perMinute(inside, inside.large.count),
  'collecting, ms a minute': ({ inside }) => perMinute(inside, inside.small.ms + inside.large.ms),
  'longest collection ms': ({ inside }) => Math.max(inside.small.longest, inside.large.longest),
};

const perMinute = ({ seconds }: Inside, count: number): number => (count * 60) / seconds;

const nameOf = ({ major }: Node, full: boolean): string =>
  `${full ? 'cache full' : 'only those that come cached'}, Node ${major}`;

/** A program whose cache is full, and one whose cache has only the clients that come. */
export async function slowestBench(setting: Setting): Promise<Findings> {
  const contenders: Contender<Window>[] = [];
  const servers: Watched[] = [];
  const hits: Measured[] = [];
  const bytes: Measured[] = [];
  const collections: Measured[] = [];
  const clients = amount(setting, CACHED - HOT);
  const sessions = amount(setting, RATE * WINDOW_S);
  const cached = clients + HOT;
  const runIn = amount(setting, RATE * RUN_IN_S);
  const windowS = (sessions / RATE).toFixed(0);
  for (const node of setting.nodes) {
    for (const full of [false, true]) {
      const http = `127.0.0.1:${await freePort()}`;
      const args = ['--dns-zone', wideZone(setting), ...(full ? ['--http', http] : [])];
      const server = await watchedFromInside(setting, node, args);
      servers.push(server);
      await warm(setting, server);
      if (full) {
        const inTurn = { sessions: clients, hits: 0, first: HOT };
        const before = await server.look();
        await load(server, inTurn);
        const after = await server.look();
        const lookups = await lookupsOf(http);
        await load(server, inTurn);
        hits.push(percentAtLeast(98, share(lookups, await lookupsOf(http))));
        bytes.push(kibAtMost(0.6, (after.bytes - before.bytes) / clients));
        collections.push(figureAtMost(5, spread(await collectionTimes(server)), 'ms'));
        await warm(setting, server);
      }
      contenders.push({ name: nameOf(node, full), run: () => oneWindow(server, runIn, sessions) });
    }
  }
  const windows = Math.min(MOST_WINDOWS, setting.pairs);
  const results = await contest({ pairs: windows, settle: false }, contenders);
  for (const server of servers) await server.stop();
  return {
    rows: [
      {
        what: `hits of the cache, ${cached} addresses asked for in turn`,
        against: `room for ${ROOM}`,
        target: '≥ 98 %',
        measured: hits,
      },
      {
        what: `memory (heap in use) of a cached address, of ${cached}`,
        against: '–',
        target: '≤ 0.6 KiB',
        measured: bytes,
      },
      {
        what: 'a full collection with them cached, nothing else to do',
        against: '–',
        target: '≤ 5 ms',
        measured: collections,
      },
      {
        what: `session p99 at ${RATE} a second in windows of ${windowS} s, ${cached} addresses cached`,
        against: 'none cached but the clients that come',
        target: '≤ 1.5×',
        measured: setting.nodes.map((node) => atMost(1.5, fullToSmall(results, node, 'p99'))),
      },
      {
        what: 'the same for p99.9',
        against: 'none cached but the clients that come',
        target: 'stated',
        measured: setting.nodes.map((node) => stated(asRatio(fullToSmall(results, node, 'p999')))),
      },
    ],
    tables: [
      tableOf(
        `Sessions up to MAIL, ${RATE} a second, windows of ${windowS} s, by what is cached`,
        results,
        COLUMNS,
      ),
    ],
  };
}

function fullToSmall(results: Results<Window>, node: Node, which: 'p99' | 'p999') {
  return ratio(results, nameOf(node, true), nameOf(node, false), ({ load: { session } }) => session[which]);
}

/** Look-ups of the cache so far, by what it had. */
async function lookupsOf(http: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${http}/metrics`)).text();
  const lines = text.matchAll(/^helo_milter_cache_lookups_total\{result="(\w+)"\} (\d+)$/gm);
  return new Map([...lines].map(([, result = '', n]) => [result, Number(n)]));
}

/** The percentage of hits between two looks. */
function share(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  const since = (result: string): number => (after.get(result) ?? NaN) - (before.get(result) ?? NaN);
  return (100 * since('hit')) / [...after.keys()].reduce((sum, result) => sum + since(result), 0);
}

function percentAtLeast(least: number, percent: number): Measured {
  return { text: `${percent.toFixed(1)} %`, met: percent >= least };
}

function kibAtMost(most: number, bytes: number): Measured {
  const kib = bytes / 1024;
  return { text: `${kib.toFixed(2)} KiB`, met: kib <= most };
}

/** Milliseconds of a full collection, several times over. */
async function collectionTimes(server: Watched): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < 9; i++) times.push((await server.look()).collectionMs);
  return times;
}

async function oneWindow(server: Watched, runIn: number, sessions: number): Promise<Window> {
  const pace = { kind: 'sender', rate: RATE, open: RATE } as const;
  await server.look();
  await load(server, { ...pace, sessions: runIn });
  const found = await load(server, { ...pace, sessions });
  return { load: found, inside: await server.look() };
}
