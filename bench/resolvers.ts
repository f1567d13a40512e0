/** Our resolver compared with `node:dns`, each in a process of its own that does nothing else. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { NODE_FLAGS } from '../test/mta/kit/node-flags.ts';
import { CLIENTS, type Done, type Job } from './job.ts';
import { type Contender, contest, figures, ratio, type Results, spread } from './contest.ts';
import { atLeast, type Columns, figureAtMost, type Findings, type Row, tableOf } from './report.ts';
import { amount, BUILD, type Node, type Setting } from './setting.ts';

/** `own` is that of `src/dns`, `node` that of `node-resolver.ts`. */
export type Kind = 'own' | 'node';

export interface Asking {
  readonly run: (job: Job) => Promise<Done>;
  readonly stop: () => void;
}

/** Starts a process that asks these servers, `ADDRESS:PORT`, with the flags that the milter has. */
export async function startAsking(node: Node, kind: Kind, servers: readonly string[]): Promise<Asking> {
  const child = fork(join(BUILD, 'js', 'bench', 'asking.js'), [kind, ...servers], {
    execPath: node.path,
    execArgv: [...NODE_FLAGS],
  });
  await heard(child);
  return {
    run: (job) => {
      const done = heard(child);
      child.send(job);
      return done as Promise<Done>;
    },
    stop: () => {
      child.kill();
    },
  };
}

function heard(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      reject(new Error('a process that asks DNS has ended'));
    };
    child.once('exit', gone);
    child.once('message', (message) => {
      child.off('exit', gone);
      resolve(message);
    });
  });
}

/** The warm-up of each process, which does not count. */
const WARM_ROUNDS = 5;
const OPEN = 16;
const AMOUNTS = { questions: 4000, transport: 1500, verdicts: 500, hits: 500 } as const;
type What = keyof typeof AMOUNTS;

const nameOf = (what: What, kind: Kind, { major }: Node): string =>
  what === 'hits'
    ? `a hundred hits of the cache, Node ${major}`
    : `${what}, ${kind === 'own' ? 'our resolver' : 'node:dns'}, Node ${major}`;

const COLUMNS: Columns<Done> = { 'CPU µs each': ({ cpu }) => cpu, 'a second': ({ rate }) => rate };

/** CPU of a question, of all those of a cold verdict, and of the verdict, with `server` on this host. */
export async function resolversBench(setting: Setting, server: string): Promise<Findings> {
  const whats = Object.keys(AMOUNTS) as What[];
  const contenders: Contender<Done>[] = [];
  const askings: Asking[] = [];
  for (const node of setting.nodes) {
    for (const kind of ['node', 'own'] as const) {
      const asking = await startAsking(node, kind, [server]);
      askings.push(asking);
      for (const what of whats) {
        // Nothing is asked there.
        if (what === 'hits' && kind === 'node') continue;
        const job = { what, first: 0, count: amount(setting, AMOUNTS[what]), open: OPEN };
        for (let i = 0; setting.settle && i < WARM_ROUNDS; i++) await asking.run(job);
        contenders.push({ name: nameOf(what, kind, node), run: () => asking.run(job) });
      }
    }
  }
  contenders.sort(
    (a, b) =>
      whats.findIndex((what) => a.name.includes(what)) - whats.findIndex((what) => b.name.includes(what)),
  );
  const results = await contest(setting, contenders);
  for (const asking of askings) asking.stop();
  return {
    rows: [
      row(setting, results, 'questions', 'DNS questions'),
      row(setting, results, 'transport', 'the questions of cold verdicts, transport alone,'),
      row(setting, results, 'verdicts', 'cold verdicts'),
      {
        what: `CPU of a cold verdict without a milter, ${OPEN} at once`,
        against: '–',
        target: '≤ 480 µs',
        measured: setting.nodes.map((node) =>
          figureAtMost(
            480,
            spread(figures(results, nameOf('verdicts', 'own', node), ({ cpu }) => cpu)),
            'µs',
          ),
        ),
      },
      {
        what: `CPU of a hit of the cache, ${CLIENTS} addresses in turn, the assessment made whole`,
        against: '–',
        target: '≤ 2 µs',
        measured: setting.nodes.map((node) =>
          figureAtMost(
            2,
            spread(figures(results, nameOf('hits', 'own', node), ({ cpu }) => cpu / 100)),
            'µs',
          ),
        ),
      },
    ],
    tables: [
      tableOf(`Questions and cold verdicts of exact hosts, ${OPEN} at once, NSD next door`, results, COLUMNS),
    ],
  };
}

function row({ nodes }: Setting, results: Results<Done>, what: What, words: string): Row {
  return {
    what: `${words} a CPU-second, ${OPEN} at once`,
    against: 'the same with node:dns',
    target: '≥ 1.25×',
    measured: nodes.map((node) =>
      atLeast(
        1.25,
        ratio(results, nameOf(what, 'own', node), nameOf(what, 'node', node), ({ cpu }) => 1 / cpu),
      ),
    ),
  };
}
