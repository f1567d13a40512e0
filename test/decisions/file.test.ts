import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DecisionLog } from '../../src/decisions/file.ts';
import { createLog, type Log } from '../../src/log/log.ts';
import { UsageError } from '../../src/errors.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

let directory: string;
let file: string;
let said: string[];
let log: Log;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'decision-log-'));
  file = join(directory, 'decisions.jsonl');
  said = [];
  log = createLog((line) => said.push(line));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const NOW = Date.UTC(2026, 10, 24, 7, 40, 1, 5);
const open = (path = file): Promise<DecisionLog> => DecisionLog.open(path, log, () => NOW);

function references(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { reference: string }).reference);
}

const decision = (reference: string): typeof DECISIONS.full => ({ ...DECISIONS.full, reference });

describe('DecisionLog', () => {
  it('hands on each record that it writes', async () => {
    const told: string[] = [];
    const decisions = await DecisionLog.open(
      file,
      log,
      () => NOW,
      (record) => told.push(record),
    );
    for (const reference of ['a.1', 'a.2', 'a.3']) decisions.write(decision(reference));
    await decisions.close();
    expect(told.map((each) => `${each}\n`).join('')).toBe(readFileSync(file, 'utf8'));
    expect(told).toHaveLength(3);
  });

  it('appends one line a decision, readable by owner and group', async () => {
    for (const reference of ['a.1', 'a.2']) {
      const decisions = await open();
      decisions.write(decision(reference));
      await decisions.close();
    }
    expect(references(file)).toEqual(['a.1', 'a.2']);
    expect(statSync(file).mode & 0o777 & ~0o640).toBe(0);
    const [line = ''] = readFileSync(file, 'utf8').split('\n');
    expect(JSON.parse(line)).toMatchObject({
      version: 2,
      time: '2026-11-24T07:40:01.005Z',
      connected: '2026-11-24T07:40:00.000Z',
    });
    expect(said).toEqual([]);
  });

  it('is there within a moment', async () => {
    const decisions = await open();
    decisions.write(decision('a.1'));
    await vi.waitFor(() => {
      expect(references(file)).toEqual(['a.1']);
    });
    await decisions.close();
  });

  it('goes on in a new file after a rotation, and loses nothing', async () => {
    const decisions = await open();
    const wanted: string[] = [];
    for (let i = 0; i < 5000; i++) {
      wanted.push(`a.${i}`);
      decisions.write(decision(`a.${i}`));
      if (i % 1000 === 500) {
        renameSync(file, `${file}.${i}`);
        await decisions.reopen();
      }
    }
    await decisions.close();
    const found = [...[500, 1500, 2500, 3500, 4500].map((i) => `${file}.${i}`), file].flatMap(references);
    expect(new Set(found)).toEqual(new Set(wanted));
    expect(found).toHaveLength(5000);
    expect(said.filter((line) => line.startsWith('decision-log-reopened'))).toHaveLength(5);
  });

  it('keeps the file that is open where a new one cannot be', async () => {
    const decisions = await open();
    rmSync(directory, { recursive: true });
    await decisions.reopen();
    decisions.write(decision('a.1'));
    await decisions.close();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^error decision-log file=\S+ detail="ENOENT.*" effect="the file that was open stays"/,
    );
    mkdirSync(directory);
  });

  it('says once that the disk is full, and goes on', async () => {
    const decisions = await open('/dev/full');
    for (let i = 0; i < 20; i++) {
      decisions.write(decision(`a.${i}`));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^error decision-log file=\/dev\/full detail="ENOSPC.*" effect="decisions are not recorded"/,
    );
    await decisions.close();
  });

  it('tells how many were lost once there is room again', async () => {
    symlinkSync('/dev/full', file);
    const decisions = await open();
    for (const reference of ['a.1', 'a.2']) {
      decisions.write(decision(reference));
      await vi.waitFor(() => {
        expect(said).toHaveLength(1);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    rmSync(file);
    await decisions.reopen();
    decisions.write(decision('a.3'));
    await decisions.close();
    expect(references(file)).toEqual(['a.3']);
    expect(said.at(-1)).toMatch(/^decision-log-resumed file=\S+ lost=2$/m);
  });

  it('begins a new line where another program has left half a one', async () => {
    writeFileSync(file, '{"version":1,"tim');
    const decisions = await open();
    decisions.write(decision('a.1'));
    await decisions.close();
    const [half, ...lines] = readFileSync(file, 'utf8').split('\n');
    expect(half).toBe('{"version":1,"tim');
    expect(lines.map((line) => line !== '' && (JSON.parse(line) as object))).toEqual([
      expect.objectContaining({ reference: 'a.1' }),
      false,
    ]);
  });

  it('does not start where it cannot write', async () => {
    await expect(open(join(directory, 'none', 'x'))).rejects.toThrow(UsageError);
    await expect(open(directory)).rejects.toThrow(/^--decision-log: EISDIR/);
  });
});
