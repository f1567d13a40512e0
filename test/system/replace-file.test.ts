import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replaceFile } from '../../src/system/replace-file.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'replace-'));
  file = join(directory, 'file');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

it.each<[string, () => void]>([
  ['none was there', () => undefined],
  [
    'one was there that all may read',
    () => {
      writeFileSync(file, 'old');
      chmodSync(file, 0o644);
    },
  ],
  [
    'a crash has left half of one',
    () => {
      writeFileSync(`${file}.new`, 'hal');
    },
  ],
])('the file is new, with its own mode, where %s', async (_, before) => {
  before();
  await replaceFile(file, 'new', 0o600);
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(`${file}.new`, { throwIfNoEntry: false })).toBeUndefined();
});

it('follows no link', async () => {
  const other = join(directory, 'other');
  writeFileSync(other, 'kept');
  symlinkSync(other, `${file}.new`);
  symlinkSync(other, file);
  await replaceFile(file, 'new', 0o600);
  expect(readFileSync(other, 'utf8')).toBe('kept');
  expect(readFileSync(file, 'utf8')).toBe('new');
});

it('leaves the old file where the new one cannot be written', async () => {
  await expect(replaceFile(join(directory, 'none', 'file'), 'new', 0o600)).rejects.toThrow('ENOENT');
});
