/**
 * A disk that fills up in the middle of a line: a writer that stops after a number of octets, and says so.
 */
import { writeSync } from 'node:fs';
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DecisionLog } from '../../src/decisions/file.ts';
import { createLog, type Log } from '../../src/log/log.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

/** Octets that the disk still takes; after a refusal it takes nothing until this is set again. */
const disk = vi.hoisted(() => ({ room: Infinity, meanwhile: (): void => undefined }));

vi.mock('../../src/log/write-all.ts', () => ({
  writeAll: (fd: number, bytes: Buffer, done: (error: Error | null, written: number) => void): void => {
    const taken = Math.min(disk.room, bytes.length);
    if (taken > 0) writeSync(fd, bytes.subarray(0, taken));
    disk.room -= taken;
    disk.meanwhile();
    done(taken === bytes.length ? null : new Error('ENOSPC: no space left on device, write'), taken);
  },
}));

let directory: string;
let file: string;
let said: string[];
let log: Log;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'full-disk-'));
  file = join(directory, 'decisions.jsonl');
  said = [];
  log = createLog((line) => said.push(line));
  disk.room = Infinity;
  disk.meanwhile = () => undefined;
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Writes these lines and waits until they are on the disk, or lost. */
async function write(decisions: DecisionLog, references: readonly string[]): Promise<void> {
  const before = said.length;
  const size = (): number => readFileSync(file).length;
  const was = size();
  for (const reference of references) decisions.write({ ...DECISIONS.full, reference });
  await vi.waitFor(() => {
    expect(size() !== was || said.length > before).toBe(true);
  });
}

/** What a reader makes of each line. */
const read = (): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => (line === '' ? '' : (JSON.parse(line) as { reference: string }).reference));

const lineLength = async (): Promise<number> => {
  const decisions = await DecisionLog.open(file, log, () => 0);
  await write(decisions, ['a.0']);
  await decisions.close();
  return readFileSync(file).length;
};

it.each([0, 0.01, 0.5, 0.99, 1, 1.5, 2, 2.99])(
  'after %d lines of three: whole lines only, and none counted wrongly',
  async (lines) => {
    const length = await lineLength();
    const decisions = await DecisionLog.open(file, log, () => 0);
    disk.room = Math.floor(lines * length);
    await write(decisions, ['a.1', 'a.2', 'a.3']);
    await vi.waitFor(() => {
      expect(said).toEqual([expect.stringContaining('effect="decisions are not recorded"')]);
    });
    const kept = ['a.1', 'a.2', 'a.3'].slice(0, Math.floor(lines));
    expect(read()).toEqual(['a.0', ...kept, '']);
    disk.room = Infinity;
    await write(decisions, ['a.4']);
    await decisions.close();
    expect(read()).toEqual(['a.0', ...kept, 'a.4', '']);
    expect(said.at(-1)).toMatch(new RegExp(`^decision-log-resumed file=\\S+ lost=${3 - kept.length}$`, 'm'));
  },
);

it('begins a new line if half a line cannot be removed', async () => {
  const length = await lineLength();
  const decisions = await DecisionLog.open(file, log, () => 0);
  disk.room = Math.floor(length / 2);
  // Somebody empties the file at the same moment, as logrotate's `copytruncate` does: there is nothing to cut
  // off.
  disk.meanwhile = () => {
    truncateSync(file, 10);
    disk.meanwhile = () => undefined;
  };
  await write(decisions, ['a.1']);
  disk.room = Infinity;
  await write(decisions, ['a.2']);
  await decisions.close();
  expect(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => /"reference":"(.*?)"/.exec(line)?.[1]),
  ).toEqual([undefined, 'a.2', undefined]);
});
