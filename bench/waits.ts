/** How long an operator waits, and what the first sessions cost. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NODE_FLAGS } from '../test/mta/kit/node-flags.ts';
import { contest, figures, type Results, spread } from './contest.ts';
import { cost, load, type LoadResult } from './load.ts';
import { asFigure, figureAtMost, type Findings, type Row, stated, together } from './report.ts';
import { cleanZone, CLI, emptyZone, product } from './server.ts';
import { amount, type Node, type Setting } from './setting.ts';

/** Milliseconds from the start of the program to a given line of its output, or to its end. */
async function timed(node: Node, args: readonly string[], line: RegExp | null): Promise<number> {
  const began = performance.now();
  const child = spawn(node.path, [...NODE_FLAGS, CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
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

/** What sessions cost while the code is still being compiled. */
async function firstSessions(setting: Setting): Promise<Findings> {
  const name = ({ major }: Node): string => `the first sessions, Node ${major}`;
  const results: Results<LoadResult> = await contest(
    setting,
    setting.nodes.map((node) => ({
      name: name(node),
      run: async () => {
        const server = await product(setting, 'unix', node, { args: ['--dns-zone', cleanZone(setting)] });
        const result = await load(server, { kind: 'sender', sessions: amount(setting, 4000) });
        await server.stop();
        return result;
      },
    })),
  );
  return {
    rows: [
      {
        what: `CPU of each of the first ${amount(setting, 4000)} sessions up to MAIL after the start, unix`,
        against: '–',
        target: 'stated',
        measured: setting.nodes.map((node) =>
          stated(asFigure(spread(figures(results, name(node), cost)), 'µs')),
        ),
      },
    ],
    tables: [],
  };
}

export async function waitsBench(setting: Setting): Promise<Findings> {
  return together([await program(setting), await firstSessions(setting)]);
}
