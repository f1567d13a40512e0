/** What an operator waits for, and how late the event loop is under load. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contest, figures, type Results, spread } from './contest.ts';
import { load, type Percentiles, warm } from './load.ts';
import { asFigure, figureAtMost, type Findings, type Row, stated, tableOf, together } from './report.ts';
import { cleanZone, CLI, emptyZone, product } from './server.ts';
import { amount, type Node, ROOT, type Setting } from './setting.ts';

/** How late the event loop of the program is while 2,000 clients come a second. */
async function loopDelay(setting: Setting): Promise<Findings> {
  const results: [string, Percentiles[]][] = [];
  for (const node of setting.nodes) {
    const file = join(setting.workdir, `loop-${node.major}.json`);
    const server = await warm(
      await product(setting, 'unix', node, {
        args: ['--dns-zone', cleanZone(setting), '--no-auth-results'],
        nodeFlags: ['--import', join(ROOT, 'bench', 'loop-delay.mjs')],
        env: { BENCH_LOOP_DELAY: file },
      }),
    );
    const look = async (): Promise<Percentiles> => {
      process.kill(server.pid, 'SIGUSR2');
      await new Promise((resolve) => setTimeout(resolve, 200));
      return JSON.parse(readFileSync(file, 'utf8')) as Percentiles;
    };
    await look();
    const found: Percentiles[] = [];
    for (let round = 0; round < setting.pairs; round++) {
      await load(server, { kind: 'sender', sessions: amount(setting, 4000), rate: 2000, open: 2000 });
      found.push(await look());
    }
    await server.stop();
    results.push([`Node ${node.major}`, found]);
  }
  return {
    rows: [
      {
        what: 'event-loop delay p99 at 2,000 sessions/s, unix',
        against: '–',
        target: 'stated',
        measured: results.map(([, found]) => stated(asFigure(spread(found.map(({ p99 }) => p99)), 'ms'))),
      },
    ],
    tables: [
      tableOf('Event-loop delay at 2,000 sessions/s', new Map(results), {
        'p50 ms': ({ p50 }) => p50,
        'p99 ms': ({ p99 }) => p99,
        'worst ms': ({ max }) => max,
      }),
    ],
  };
}

/** Milliseconds from the start of the program to a line that it prints, or to its end. */
async function timed(node: Node, args: readonly string[], line: RegExp | null): Promise<number> {
  const began = performance.now();
  const child = spawn(node.path, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('close', resolve));
  let text = '';
  const took = await new Promise<number>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (line?.test(text) === true) resolve(performance.now() - began);
    });
    void gone.then(() => {
      resolve(performance.now() - began);
    });
  });
  child.kill('SIGTERM');
  await gone;
  if (text === '' || (line !== null && !line.test(text))) throw new Error(`${args.join(' ')} prints ${text}`);
  return took;
}

async function program(setting: Setting): Promise<Findings> {
  const zone = ['--dns-zone', emptyZone(setting)];
  const socket = `unix:${join(setting.workdir, 'start.sock')}`;
  const begins = ({ major }: Node): string => `start to listening, Node ${major}`;
  const checks = ({ major }: Node): string => `check with a literal, Node ${major}`;
  const results: Results<number> = await contest(
    setting,
    setting.nodes.flatMap((node) => [
      {
        name: begins(node),
        run: () => timed(node, ['--listen', socket, '--grace', '0s', ...zone], /listens on/),
      },
      { name: checks(node), run: () => timed(node, ['check', '11.0.0.1', '[11.0.0.1]', ...zone], null) },
    ]),
  );
  const row = (what: string, most: number, name: (node: Node) => string): Row => ({
    what,
    against: '–',
    target: `≤ ${most} ms`,
    measured: setting.nodes.map((node) =>
      figureAtMost(most, spread(figures(results, name(node), (ms) => ms)), 'ms'),
    ),
  });
  return {
    rows: [row('start to listening', 300, begins), row('`check` with a literal (no DNS)', 200, checks)],
    tables: [],
  };
}

export async function waitsBench(setting: Setting): Promise<Findings> {
  return together([await program(setting), await loopDelay(setting)]);
}
