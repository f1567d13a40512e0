/** The file of the regulars: whatever becomes of it, the service starts, and nobody's file is lost. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { createLog } from '../../src/log/log.ts';
import { RegularsFile } from '../../src/service/regulars-file.ts';
import { Regulars } from '../../src/state/regulars.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regulars-'));
  file = join(dir, 'regulars');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const IP = parseIp('192.0.2.25') ?? expect.fail();

async function opened(): Promise<{ regulars: Regulars; kept: RegularsFile | null; lines: string[] }> {
  const lines: string[] = [];
  const regulars = new Regulars(
    () => ({ messages: 1, days: 1 }),
    () => ({ 4: 32, 6: 64 }),
    () => 100 * 86_400_000,
  );
  const kept = await RegularsFile.open(
    file,
    regulars,
    createLog((line) => lines.push(line.trimEnd())),
  );
  return { regulars, kept, lines };
}

it('is made at the first writing, for its owner only, and read after a restart', async () => {
  const first = await opened();
  await first.kept?.write();
  expect(readdirSync(dir)).toEqual([]);
  first.regulars.learn(IP, 'mail.example.org');
  await first.kept?.close();
  expect(readdirSync(dir)).toEqual(['regulars']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const second = await opened();
  expect(second.regulars.has(IP, 'mail.example.org')).toBe(true);
  expect([...first.lines, ...second.lines]).toEqual([]);
  await second.kept?.close();
});

it('what a crash left half written beside it does no harm', async () => {
  const first = await opened();
  first.regulars.learn(IP, 'mail.example.org');
  await first.kept?.write();
  writeFileSync(`${file}.new`, '{"format":"helo-mil');
  const second = await opened();
  expect(second.regulars.size).toBe(1);
  second.regulars.learn(IP, 'other.example.org');
  await second.kept?.close();
  expect(readdirSync(dir)).toEqual(['regulars']);
  await first.kept?.close();
});

it('one that is torn is told, and replaced', async () => {
  const first = await opened();
  first.regulars.learn(IP, 'mail.example.org');
  await first.kept?.close();
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10));
  const second = await opened();
  expect(second.regulars.size).toBe(0);
  expect(second.lines).toEqual([
    `warning regulars file=${file} detail="it has 0 of 1 entries" effect="nobody is regular yet; the file is replaced"`,
  ]);
  second.regulars.learn(IP, 'mail.example.org');
  await second.kept?.close();
  const third = await opened();
  expect([third.regulars.size, third.lines]).toEqual([1, []]);
  await third.kept?.close();
});

it("somebody else's is told, and left alone", async () => {
  writeFileSync(file, 'root:x:0:0::/root:/bin/sh\n');
  const { kept, regulars, lines } = await opened();
  expect(kept).toBeNull();
  regulars.learn(IP, 'mail.example.org');
  expect(lines.join()).toMatch(/^warning regulars .*it is no file of regulars.*left alone/);
  expect(readFileSync(file, 'utf8')).toBe('root:x:0:0::/root:/bin/sh\n');
});

it('one that cannot be read is told, and left alone', async () => {
  mkdirSync(file);
  const { kept, lines } = await opened();
  expect(kept).toBeNull();
  expect(lines.join()).toMatch(/EISDIR.*left alone/);
});

it('one that cannot be written is told each time, and tried again', async () => {
  const { kept, regulars, lines } = await opened();
  regulars.learn(IP, 'mail.example.org');
  mkdirSync(`${file}.new`);
  await kept?.write();
  expect(lines.join()).toMatch(/^warning regulars .*tried again/);
  rmSync(`${file}.new`, { recursive: true });
  await kept?.close();
  expect(readFileSync(file, 'utf8')).toContain('mail.example.org');
});

it('without its directory there is no start', async () => {
  file = join(dir, 'gone', 'regulars');
  await expect(opened()).rejects.toThrow(`--regulars-file: there is no directory ${join(dir, 'gone')}`);
});
