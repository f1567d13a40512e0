/**
 * `npm run bench`: measures, prints and writes `bench/results.md`.
 *
 *   npm run bench -- [--only PART,PART] [--quick | --smoke]
 *
 * BENCH_PAIRS is the number of rounds; NODE24 and NODE20 are the paths of the Nodes to measure with.
 */
import { accessSync, constants, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/errors.ts';
import { makeWorkdir } from '../test/mta/kit/workdir.ts';
import { dnsBench } from './dns.ts';
import { growthBench } from './growth.ts';
import { heloBench } from './helo.ts';
import { mtaBench } from './mta.ts';
import { pageBench } from './page.ts';
import { peersBench } from './peers.ts';
import { replayBench } from './replay.ts';
import { type Findings, page } from './report.ts';
import { BUILD, buildPrograms, findNode, nodeAtHand, ROOT, type Setting } from './setting.ts';
import { slowestBench } from './slowest.ts';
import { storeBench } from './store.ts';
import { stormBench } from './storm.ts';
import { waitsBench } from './waits.ts';

const PARTS: Readonly<Record<string, (setting: Setting) => Promise<Findings>>> = {
  helo: heloBench,
  mta: mtaBench,
  peers: peersBench,
  dns: dnsBench,
  growth: growthBench,
  slowest: slowestBench,
  store: storeBench,
  waits: waitsBench,
  storm: stormBench,
  replay: replayBench,
  page: pageBench,
};

/** Rounds, and the share of the usual number of sessions. */
const SIZES = { full: [7, 1], quick: [3, 0.5], smoke: [1, 0.005] } as const;

/** Parts that take half an hour, for what changes seldom: only where they are named. */
const LONG = ['replay', 'page'];
/** Parts that take seconds; between them they run every program and most of the code here. */
const SMOKE = ['helo', 'dns', 'waits', 'replay', 'page'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, quick: { type: 'boolean' }, smoke: { type: 'boolean' } },
  });
  const size = values.smoke === true ? 'smoke' : values.quick === true ? 'quick' : 'full';
  const chosen =
    values.only?.split(',') ??
    (size === 'smoke' ? SMOKE : Object.keys(PARTS).filter((name) => !LONG.includes(name)));
  const unknown = chosen.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    throw new UsageError(`--only: there is no part "${unknown}"; parts are ${Object.keys(PARTS).join(', ')}`);
  }
  const [usualPairs, scale] = SIZES[size];
  const pairs = Number(process.env['BENCH_PAIRS'] ?? usualPairs);
  if (!Number.isInteger(pairs) || pairs < 1) throw new UsageError('BENCH_PAIRS is not a number of rounds');
  // The smallest run only shows that everything works: one Node, the one at hand, is enough.
  const nodes = size === 'smoke' ? [nodeAtHand()] : [findNode(24), findNode(20)];
  buildPrograms();
  linkParts();
  useMemory();
  const setting: Setting = { pairs, settle: size !== 'smoke', scale, nodes, workdir: makeWorkdir() };
  const began = Date.now();
  const findings: Findings[] = [];
  // Quoted figures must all be from one complete run; what is measured so far is kept if it ends early.
  const whole = size === 'full' && values.only === undefined;
  const told = (): string =>
    page(
      introduction(setting, size, ((Date.now() - began) / 60_000).toFixed(1)),
      nodes.map(({ major }) => major),
      findings,
    );
  for (const name of chosen) {
    const start = Date.now();
    findings.push((await PARTS[name]?.(setting)) ?? { rows: [], tables: [] });
    process.stderr.write(`${name}: ${Math.round((Date.now() - start) / 1000)} s\n`);
    writeFileSync(join(BUILD, 'results.md'), told());
  }
  const text = told();
  process.stdout.write(text);
  if (whole) writeFileSync(join(ROOT, 'bench', 'results.md'), text);
}

/**
 * The suites' helpers look for what `.ci/parts` made relative to their own file, which here is the compiled
 * one.
 */
function linkParts(): void {
  const link = join(BUILD, 'js', '.parts');
  if (!existsSync(link)) symlinkSync(join(ROOT, '.parts'), link);
}

/** Queues, sockets and logs in memory, so that no disk is measured. */
function useMemory(): void {
  try {
    accessSync('/dev/shm', constants.W_OK);
    process.env['TMPDIR'] = '/dev/shm';
  } catch {
    process.stderr.write('there is no /dev/shm: the disk is measured too\n');
  }
}

function introduction({ pairs, nodes }: Setting, size: string, minutes: string): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  return [
    '# Results of `npm run bench`',
    `Written by the program on ${new Date().toISOString().slice(0, 10)} in ${minutes} minutes (${size}); how it measures is in [README.md](README.md).`,
    `Machine: ${machine}; ${nodes.map(({ version }) => `Node ${version.slice(1)}`).join(' and ')}.`,
    `Figures are medians of ${pairs} rounds, with the least and the most; a ratio is taken within each round.`,
  ].join('\n\n');
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 64;
}
