/**
 * `npm run fuzz [-- --seconds N] [--seed N] [TARGET…]`: hunts through each target for so many seconds of CPU
 * time, guided by coverage, and prints a line each. What it finds is written into the corpus; ends with 1 if
 * it found anything.
 */
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { addToCorpus, corpusOf } from './corpus.ts';
import { BlockCoverage } from './coverage.ts';
import { hunt } from './hunt.ts';
import { TARGETS } from './targets.ts';

// This file runs as `.fuzz/js/fuzz/run.js`.
const ROOM = fileURLToPath(new URL('../../../fuzz', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

for (const target of chosen) {
  const coverage = new BlockCoverage(target.files);
  const ends = cpuSeconds() + Number(values.seconds);
  const { runs, kept, found, slowestMs } = await hunt(target, {
    seed: Number(values.seed),
    corpus: corpusOf(ROOM, target.name),
    guide: coverage,
    goesOn: () => cpuSeconds() < ends,
  });
  console.log(
    `${target.name}: ${runs} inputs in ${values.seconds} s of CPU, ${kept.length} kept, ` +
      `${coverage.blocks} blocks, slowest ${slowestMs.toFixed(1)} ms, ${found.length} found`,
  );
  coverage.stop();
  for (const { input, what } of found) {
    console.log(`  ${what}\n  ${addToCorpus(ROOM, target.name, input)}`);
    process.exitCode = 1;
  }
}
