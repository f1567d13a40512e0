/**
 * A short run of each driver in `fuzz/`: what was found earlier stays fixed, and some hundred new inputs, the
 * same in every run, find nothing. `npm run fuzz` looks for longer, guided by coverage.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board } from '../fuzz/board.ts';
import { corpusOf } from '../fuzz/corpus.ts';
import { hunt } from '../fuzz/hunt.ts';
import { mutated } from '../fuzz/mutate.ts';
import { Random } from '../fuzz/random.ts';
import { bytesOf, must, type Target, textOf } from '../fuzz/target.ts';
import { TARGETS } from '../fuzz/targets.ts';
import { watchHunt } from '../fuzz/watch.ts';

const ROOM = fileURLToPath(new URL('../fuzz', import.meta.url));

it('has a driver for each part of the corpus, and each once', () => {
  const names = TARGETS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(readdirSync(`${ROOM}/corpus`).filter((each) => !names.includes(each))).toEqual([]);
});

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (name, target) => {
  it('finds nothing', async () => {
    const { found, runs } = await hunt(target, {
      seed: 1,
      corpus: corpusOf(ROOM, name),
      goesOn: (count) => count < 1000,
      // What takes long on a busy machine is for the long runs to find.
      now: () => 0,
    });
    expect(found.map(({ input, what }) => `${what}: ${input.toString('base64')}`)).toEqual([]);
    expect(runs).toBeGreaterThan(1000);
  });
});

describe('the hunt itself', () => {
  /** Breaks where two things hold, of which the first alone is something new. */
  const hidden: Target = {
    name: 'hidden',
    files: [],
    seeds: [bytesOf('seed')],
    shaped: fc.constant(bytesOf('shaped')),
    words: ['door'],
    run: (input) => {
      const text = textOf(input);
      if (text.includes('door')) opened++;
      must(!/door.*door/.test(text), 'one door only');
    },
  };
  let opened = 0;

  it('keeps inputs that reach something new, and finds what lies behind', async () => {
    let known = 0;
    const guide = {
      hasNew: () => opened > known && known === 0,
      learn: () => {
        const isNew = opened > known && known === 0;
        known = opened;
        return isNew;
      },
    };
    const { found, kept } = await hunt(hidden, { seed: 3, goesOn: (runs) => runs < 6000, guide });
    expect(kept.length).toBeGreaterThan(1);
    expect(found.map(({ what }) => what)).toEqual([expect.stringContaining('one door only')]);
    expect(textOf(found[0]?.input ?? Buffer.alloc(0))).toMatch(/door.*door/);
  });

  it('tells what takes too long', async () => {
    let ms = 0;
    const { found } = await hunt(
      { ...hidden, run: () => void (ms += 1000) },
      { seed: 1, goesOn: () => false, now: () => ms },
    );
    expect(found.map(({ what }) => what)).toEqual([expect.stringContaining('slow')]);
  });

  it('changes every input in some way, and lets none grow without bounds', () => {
    const random = new Random(5);
    let input = bytesOf('mail.example.org');
    for (let i = 0; i < 3000; i++) {
      const next = mutated(input, random, [bytesOf('x'.repeat(500))], [input]);
      expect(next.length).toBeLessThanOrEqual(70_000);
      input = next;
    }
    expect(input.equals(bytesOf('mail.example.org'))).toBe(false);
  });
});

describe('the watch of a hunt', () => {
  /** However busy the machine is: none of these waits for a processor so long. */
  const LIMITS = { cpuMs: 300, looks: 3000, everyMs: 20 };
  const ends = async (script: string, limits = LIMITS): Promise<unknown> => {
    const board = new Board();
    board.show(bytesOf('the input'));
    const worker = new Worker(`const { parentPort } = require('node:worker_threads'); ${script}`, {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    });
    return watchHunt(worker, board, limits);
  };
  const stuck = (what: string): unknown => ({
    stuck: { input: bytesOf('the input'), what: expect.stringContaining(what) as unknown },
  });

  it.each([
    ['goes round for ever', 'for (;;);', 'ms of CPU time'],
    ['is an expression that never ends', "/^(a+)+$/.test('a'.repeat(60) + '!');", 'ms of CPU time'],
    ['waits for nothing', 'new Promise(() => undefined);', 'ends the thread'],
  ])('tells of an input that %s', async (_, script, what) => {
    expect(await ends(script)).toEqual(stuck(what));
  });

  it('tells of an input that waits for ever', async () => {
    const limits = { ...LIMITS, looks: 20 };
    expect(await ends('setInterval(() => undefined, 1e6);', limits)).toEqual(stuck('it waits'));
  });

  it('tells of an input that takes the whole heap', async () => {
    // However long that takes on a busy machine.
    const limits = { ...LIMITS, cpuMs: 60_000 };
    expect(await ends('const all = []; for (;;) all.push([...all]);', limits)).toEqual(stuck('memory limit'));
  });

  it('leaves one alone that goes on', async () => {
    expect(await ends('parentPort.postMessage(7);')).toEqual({ told: 7 });
  });
});
