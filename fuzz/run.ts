/**
 * `npm run fuzz [-- --seconds N] [--seed N] [--results FILE] [TARGET…]`: hunts through each target, as
 * they are given, for so many seconds of CPU time, guided by coverage, and prints a line each, and one for all
 * at its end. What it finds is written into the corpus; ends with 1 if it found anything.
 *
 * With a file for results, each target's line goes there as JSON; what stands there already is not run again,
 * and a target that was stopped (SIGINT, SIGTERM) gets the time that it lacks.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Board } from './board.ts';
import { addToCorpus } from './corpus.ts';
import { type BrokenBy, nameOfInput } from './hunt.ts';
import { TARGETS } from './targets.ts';
import type { HuntOrder, HuntTold } from './thread.ts';
import { watchHunt } from './watch.ts';

// This file runs as `.fuzz/js/fuzz/run.js`.
const ROOM = fileURLToPath(new URL('../../../fuzz', import.meta.url));
/** More than any input needs by far. */
const MAX_HEAP_MB = 1024;
/** A target with more inputs that never end than this is left. */
const MAX_STUCK = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    results: { type: 'string' },
  },
});
const names = TARGETS.map(({ name }) => name);
const unknown = positionals.find((each) => !names.includes(each));
if (unknown !== undefined) throw new Error(`no target ${unknown}; there are: ${names.join(' ')}`);

/** A line of the file of results. */
interface Result extends Omit<HuntTold, 'found'> {
  readonly target: string;
  readonly ended: string;
  readonly seed: number;
  readonly found: readonly string[];
}

const before = (
  values.results !== undefined && existsSync(values.results) ? readFileSync(values.results, 'utf8') : ''
)
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Result);
const secondsOf = (target: string): number =>
  before.filter((each) => each.target === target).reduce((sum, each) => sum + each.cpuSeconds, 0);

const asked = { toStop: false };
let board = new Board();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    asked.toStop = true;
    board.stop();
  });
}

let findings = 0;

function tell(target: string, { input, what }: BrokenBy): void {
  findings++;
  console.log(`  ${what}\n  ${addToCorpus(ROOM, target, Buffer.from(input))}`);
  process.exitCode = 1;
}

async function huntThrough(target: string, seconds: number): Promise<void> {
  const without: string[] = [];
  for (let i = 0; i < MAX_STUCK && !asked.toStop; i++) {
    const seed = Number(values.seed) + i;
    board = new Board();
    const order: HuntOrder = { target, seed, seconds, room: ROOM, memory: board.memory, without };
    const worker = new Worker(new URL('thread.js', import.meta.url), {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const end = await watchHunt(worker, board);
    if ('stuck' in end) {
      console.log(`${target}: an input that it did not get over`);
      tell(target, end.stuck);
      without.push(nameOfInput(end.stuck.input));
      continue;
    }
    const told = end.told as HuntTold;
    console.log(
      `${target}: ${told.runs} inputs in ${told.cpuSeconds.toFixed(0)} s of CPU, ${told.kept} kept, ` +
        `${told.blocks} blocks, slowest ${told.slowestMs.toFixed(1)} ms, ${told.found.length} found`,
    );
    for (const each of told.found) tell(target, each);
    const found = told.found.map(({ what }) => what);
    const result: Result = { ...told, target, ended: new Date().toISOString(), seed, found };
    if (values.results !== undefined) appendFileSync(values.results, `${JSON.stringify(result)}\n`);
    return;
  }
}

let hunted = 0;
for (const target of positionals.length === 0 ? names : positionals) {
  const lacking = Number(values.seconds) - secondsOf(target);
  if (lacking < 1 || asked.toStop) continue;
  hunted++;
  await huntThrough(target, lacking);
}
console.log(`fuzz: ${hunted} targets, ${findings} found`);
