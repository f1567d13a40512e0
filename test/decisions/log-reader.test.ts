/** Decision logs as they are on a disk. `replay` shows the same of compressed and torn ones as a command. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { checks } from '../../src/core/checks/index.ts';
import { LogReader } from '../../src/decisions/log-reader.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { UsageError } from '../../src/errors.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

const directory = mkdtempSync(join(tmpdir(), 'log-reader-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const at = (hour: string): string => `2026-11-24T${hour}:00:00.000Z`;
const line = (hour: string, reference: string): string =>
  decisionRecord({ ...DECISIONS.full, reference }, at(hour), null);

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** The references that a reader gives, in order, and the reader. */
async function read(
  files: readonly string[],
  reference: string | null = null,
): Promise<{ readonly found: string[]; readonly progress: LogReader['progress'] }> {
  const reader = await LogReader.open(files, checks, reference);
  const found: string[] = [];
  for await (const record of reader) found.push(record.reference);
  return { found, progress: reader.progress };
}

it('reads the oldest file first, whatever its name, and files without a record last', async () => {
  const files = [
    file('b.log', `${line('11', 'x.5')}\n`),
    file('empty.log', ''),
    file('a.log.gz', gzipSync(`no record\n${line('10', 'x.3')}\n${line('10', 'x.4')}\n`)),
    file('c.log', `\n${line('09', 'x.1')}\n${line('12', 'x.2')}`),
  ];
  const { found, progress } = await read(files);
  expect(found).toEqual(['x.1', 'x.2', 'x.3', 'x.4', 'x.5']);
  expect(progress.unreadable).toBe(1);
  expect(progress.told[0]).toMatch(/a\.log\.gz:1: .*not JSON/);
});

it('counts octets as they are on the disk', async () => {
  const content = gzipSync(Array.from({ length: 300 }, (_, i) => `${line('10', `x.${i}`)}\n`).join(''));
  const { found, progress } = await read([file('many.gz', content)]);
  expect(found).toHaveLength(300);
  expect([progress.total, progress.read]).toEqual([content.length, content.length]);
});

it('tells the reasons of three lines, and counts the others', async () => {
  const { found, progress } = await read([file('bad.log', `a\nb\n${line('10', 'x.1')}\nc\nd\n`)]);
  expect(found).toEqual(['x.1']);
  expect(progress.unreadable).toBe(4);
  expect(progress.told.map((each) => /:(\d+): /.exec(each)?.[1])).toEqual(['1', '2', '4']);
});

it('gives the records of one reference only, and does not read the others', async () => {
  const log = file(
    'one.log',
    `${line('10', 'x.1')}\nnot read\n${line('10', 'x.12')}\n${line('11', 'x.1')}\n`,
  );
  const { found, progress } = await read([log], 'x.1');
  expect(found).toEqual(['x.1', 'x.1']);
  expect(progress.unreadable).toBe(0);
});

it('a line of any length takes no more memory than one may have', async () => {
  const log = file('long.log', `${'x'.repeat(3 << 20)}\n${line('10', 'x.1')}\n${'y'.repeat(3 << 20)}`);
  const { found, progress } = await read([log]);
  expect(found).toEqual(['x.1']);
  expect(progress.told.map((each) => each.replace(/^.*log:/, ''))).toEqual([
    '1: it is too long',
    '3: it is too long',
  ]);
});

it('a single file may be a pipe', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Not by writeFileSync, which waits for the reader to open it, while nobody else has a turn.
  const [{ found }] = await Promise.all([read([pipe]), writeFile(pipe, `${line('10', 'x.1')}\n`)]);
  expect(found).toEqual(['x.1']);
});

it('says which file cannot be read', async () => {
  await expect(read([join(directory, 'none')])).rejects.toThrow(UsageError);
  await expect(read([file('torn.gz', gzipSync('x'.repeat(1000)).subarray(0, 15))])).rejects.toThrow(
    /torn\.gz: unexpected end of file/,
  );
});
