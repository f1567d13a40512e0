/** What grows: open sessions and the decision log. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, contest, figures, ratio, type Spread, spread } from './contest.ts';
import { cost, hold, load, type LoadResult, warm } from './load.ts';
import { atMost, type Columns, figureAtMost, type Findings, tableOf, together } from './report.ts';
import { cleanZone, product, type Server } from './server.ts';
import { amount, type Node, type Setting } from './setting.ts';

/** Sessions open at once. */
const OPEN = 10_000;

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
  for (const part of [idleSessions, decisionLog]) all.push(await part(setting));
  return together(all);
}
