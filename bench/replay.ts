/** How long `replay` and `report` take for a decision log, and how much memory. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { contest, figures, ratio, spread } from './contest.ts';
import { writeCorpus } from './corpus.ts';
import { asFigure, asRatio, type Findings, round, stated, tableOf } from './report.ts';
import { CLI } from './server.ts';
import { amount, type Node, ROOT, type Setting } from './setting.ts';

/** Decisions of a month of a host that takes some 36,000 messages a day. */
const DECISIONS = 1_000_000;
/** A run takes most of a minute. */
const MOST_ROUNDS = 3;
const MIB = 1024 * 1024;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly memoryMib: number;
}

function run({ workdir }: Setting, node: Node, args: readonly string[]): Promise<Cost> {
  const file = join(workdir, 'at-end.json');
  const began = performance.now();
  const { status, stderr } = spawnSync(node.path, ['--import', join(ROOT, 'bench', 'at-end.mjs'), ...args], {
    env: { ...process.env, BENCH_AT_END: file },
    encoding: 'utf8',
    // Half a gigabyte of groups, which nobody reads here.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const wallMs = performance.now() - began;
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  const { cpu, memory } = JSON.parse(readFileSync(file, 'utf8')) as { cpu: number; memory: number };
  return Promise.resolve({ wallMs, cpuMs: cpu / 1000, memoryMib: memory / 1024 });
}

export async function replayBench(setting: Setting): Promise<Findings> {
  const decisions = amount(setting, DECISIONS);
  const log = join(setting.workdir, 'decisions.json');
  await writeCorpus(log, decisions);
  const mib = statSync(log).size / MIB;
  const name = ({ major }: Node, what: string): string => `${what}, Node ${major}`;
  const contenders = setting.nodes.flatMap((node) =>
    [
      ['replay', [CLI, 'replay', '--no-config', '--json', log]],
      // With the heap that the weekly timer gives it: with too little it ends, and the bench with it.
      [
        'report --policy strict',
        ['--max-old-space-size=512', CLI, 'report', '--no-config', '--json', '--policy', 'strict', log],
      ],
      ['replay --policy strict', [CLI, 'replay', '--no-config', '--json', '--policy', 'strict', log]],
      ['each line parsed as JSON', [join(ROOT, 'bench', 'parse-lines.mjs'), log]],
    ].map(([what, args]) => ({
      name: name(node, String(what)),
      run: () => run(setting, node, args as readonly string[]),
    })),
  );
  const rounds = { pairs: Math.min(setting.pairs, MOST_ROUNDS), settle: false };
  const results = await contest(rounds, contenders);
  const perSecond = ({ cpuMs }: Cost): number => (decisions * 1000) / cpuMs;
  const floorOf = (node: Node): string => name(node, 'each line parsed as JSON');
  return {
    rows: [
      {
        what: `CPU of \`replay --policy strict\` of ${round(decisions)} decisions (${round(mib)} MiB)`,
        against: 'each line parsed as JSON',
        target: 'stated',
        measured: setting.nodes.map((node) =>
          stated(
            asRatio(
              ratio(results, name(node, 'replay --policy strict'), floorOf(node), ({ cpuMs }) => cpuMs),
            ),
          ),
        ),
      },
      {
        what: 'its peak memory',
        against: '–',
        target: 'stated',
        measured: setting.nodes.map((node) =>
          stated(
            asFigure(
              spread(figures(results, name(node, 'replay --policy strict'), ({ memoryMib }) => memoryMib)),
              'MiB',
            ),
          ),
        ),
      },
    ],
    tables: [
      tableOf(`A decision log of ${round(decisions)} decisions, ${round(mib)} MiB`, results, {
        s: ({ wallMs }) => wallMs / 1000,
        'CPU s': ({ cpuMs }) => cpuMs / 1000,
        'decisions a CPU-second': perSecond,
        'most resident memory, MiB': ({ memoryMib }) => memoryMib,
      }),
    ],
  };
}
