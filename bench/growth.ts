/** What grows: open sessions, the access list, the decision log. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, contest, figures, ratio, type Spread, spread } from './contest.ts';
import { cost, hold, load, type LoadResult, warm } from './load.ts';
import {
  asRatio,
  atMost,
  type Columns,
  figureAtMost,
  type Findings,
  stated,
  tableOf,
  together,
} from './report.ts';
import { cleanZone, product, type Server } from './server.ts';
import { amount, type Node, type Setting } from './setting.ts';

/** Sessions open at once, at most. */
const OPEN = 10_000;
const NETWORKS = 10_000;

const COLUMNS: Columns<LoadResult> = {
  'CPU µs': cost,
  'session p50 ms': ({ session }) => session.p50 / 1000,
  'session p99 ms': ({ session }) => session.p99 / 1000,
};

/** The program on a unix socket, without DNS, with every hot client in its cache. */
async function started(setting: Setting, node: Node, args: readonly string[] = []): Promise<Server> {
  return warm(
    setting,
    await product(setting, 'unix', node, { args: ['--dns-zone', cleanZone(setting), ...args] }),
  );
}

async function pssKib({ pid }: Server): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [, kib = ''] = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kib);
}

/** KiB of the process. */
interface Idle {
  readonly before: number;
  readonly open: number;
}

const idleName = ({ major }: Node): string => `Node ${major}`;

async function idleSessions(setting: Setting): Promise<Findings> {
  const sessions = amount(setting, OPEN);
  const contenders = setting.nodes.map((node): Contender<Idle> => ({
    name: idleName(node),
    run: async () => {
      const server = await product(setting, 'unix', node, { args: ['--dns-zone', cleanZone(setting)] });
      const before = await pssKib(server);
      const held = await hold(server, sessions);
      await held.release();
      await server.stop();
      return { before, open: held.pss };
    },
  }));
  const results = await contest({ ...setting, pairs: Math.min(3, setting.pairs) }, contenders);
  const each = ({ before, open }: Idle): number => (open - before) / sessions;
  const whole = ({ open }: Idle): number => open / 1024;
  const of = (node: Node, figure: (idle: Idle) => number): Spread =>
    spread(figures(results, idleName(node), figure));
  return {
    rows: [
      {
        what: `memory (PSS) of an idle session, of ${sessions}`,
        against: 'go-milter 7.6 KiB',
        target: '≤ 2.5 KiB',
        measured: setting.nodes.map((node) => figureAtMost(2.5, of(node, each), 'KiB')),
      },
      {
        what: `whole process with ${sessions} idle sessions`,
        against: 'go-milter 77 MiB',
        target: '≤ 110 MiB',
        measured: setting.nodes.map((node) => figureAtMost(110, of(node, whole), 'MiB')),
      },
    ],
    tables: [
      tableOf(`Memory with ${sessions} idle sessions`, results, {
        'before MiB': ({ before }) => before / 1024,
        'with them MiB': whole,
        'each KiB': each,
      }),
    ],
  };
}

const openName = ({ major }: Node, open: number): string => `${open} sessions open, Node ${major}`;

/** What a session costs while few others, or many, are open. */
async function openSessions(setting: Setting): Promise<Findings> {
  const counts = [10, amount(setting, OPEN)] as const;
  const contenders: Contender<LoadResult>[] = [];
  const stops: (() => Promise<void>)[] = [];
  for (const node of setting.nodes) {
    for (const open of counts) {
      const server = await started(setting, node, ['--no-auth-results']);
      const held = await hold(server, open);
      stops.push(held.release, server.stop);
      const sessions = amount(setting, 3000);
      contenders.push({
        name: openName(node, open),
        run: () => load(server, { kind: 'sender', sessions }),
      });
    }
  }
  const results = await contest(setting, contenders);
  for (const stop of stops) await stop();
  const [few, many] = counts;
  return {
    rows: [
      {
        what: `CPU of a session with ${many} others open`,
        against: `with ${few} open`,
        target: 'flat',
        measured: setting.nodes.map((node) =>
          stated(asRatio(ratio(results, openName(node, many), openName(node, few), cost))),
        ),
      },
    ],
    tables: [tableOf('Sessions up to MAIL beside others that are open', results, COLUMNS)],
  };
}

const listName = ({ major }: Node, list: boolean): string =>
  `${list ? `${NETWORKS} networks` : 'no list'}, Node ${major}`;

async function accessList(setting: Setting): Promise<Findings> {
  const file = join(setting.workdir, 'access');
  const lines = Array.from({ length: NETWORKS }, (_, i) => `allow * ip=100.${i >> 8}.${i & 255}.0/24`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const contenders: Contender<LoadResult>[] = [];
  const servers: Server[] = [];
  for (const node of setting.nodes) {
    for (const list of [false, true]) {
      const args = ['--no-auth-results', ...(list ? ['--access', file] : [])];
      const server = await started(setting, node, args);
      servers.push(server);
      const sessions = amount(setting, 3000);
      contenders.push({ name: listName(node, list), run: () => load(server, { kind: 'sender', sessions }) });
    }
  }
  const results = await contest(setting, contenders);
  for (const server of servers) await server.stop();
  return {
    rows: [
      {
        what: `CPU of a session with an access list of ${NETWORKS} networks`,
        against: 'no list',
        target: 'Node 20 as Node 24',
        measured: setting.nodes.map((node) =>
          stated(asRatio(ratio(results, listName(node, true), listName(node, false), cost))),
        ),
      },
    ],
    tables: [tableOf('Sessions up to MAIL, by access list', results, COLUMNS)],
  };
}

const logName = ({ major }: Node, log: boolean): string =>
  `${log ? 'decision log' : 'no decision log'}, Node ${major}`;

async function decisionLog(setting: Setting): Promise<Findings> {
  const contenders: Contender<LoadResult>[] = [];
  const servers: Server[] = [];
  for (const node of setting.nodes) {
    for (const log of [false, true]) {
      const file = join(setting.workdir, `decisions-${node.major}.jsonl`);
      const server = await started(setting, node, [
        '--no-auth-results',
        ...(log ? ['--decision-log', file] : []),
      ]);
      servers.push(server);
      const sessions = amount(setting, 3000);
      contenders.push({
        name: logName(node, log),
        run: () => load(server, { kind: 'recipient', sessions }),
      });
    }
  }
  const results = await contest(setting, contenders);
  for (const server of servers) await server.stop();
  return {
    rows: [
      {
        what: 'CPU of a session up to RCPT with a decision log',
        against: 'no decision log',
        target: '≤ 1.25×',
        measured: setting.nodes.map((node) =>
          atMost(1.25, ratio(results, logName(node, true), logName(node, false), cost)),
        ),
      },
    ],
    tables: [tableOf('Sessions up to RCPT, with a decision log and without', results, COLUMNS)],
  };
}

export async function growthBench(setting: Setting): Promise<Findings> {
  const all: Findings[] = [];
  for (const part of [idleSessions, openSessions, accessList, decisionLog]) all.push(await part(setting));
  return together(all);
}
