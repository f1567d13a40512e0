import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writePidFile } from '../../src/system/pid-file.ts';
import { makeHost } from '../support/host.ts';

let directory: string;
let file: string;
let other: ChildProcess | null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pid-'));
  file = join(directory, 'pid');
  other = null;
});

afterEach(() => {
  other?.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

const alive = makeHost({ pid: 4711, isAlive: () => true });

/** A running process with this word in its command line. */
function run(word: string): number {
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', word], { stdio: 'ignore' });
  return other.pid ?? 0;
}

it('is there until it is taken away', async () => {
  const remove = await writePidFile(file, alive);
  expect(readFileSync(file, 'utf8')).toBe('4711\n');
  await remove();
  expect(existsSync(file)).toBe(false);
});

it.each<[string, string]>([
  ['empty', ''],
  ['nonsense', 'abc\n'],
  ['our own number, as in a container', '4711\n'],
  ['a number below all', '0\n'],
])('replaces one that holds %s', async (_, text) => {
  writeFileSync(file, text);
  await writePidFile(file, alive);
  expect(readFileSync(file, 'utf8')).toBe('4711\n');
});

it('replaces that of a process that is gone', async () => {
  writeFileSync(file, '4712\n');
  await writePidFile(file, makeHost());
  expect(readFileSync(file, 'utf8')).toBe('4711\n');
});

it.skipIf(process.platform !== 'linux')('replaces one whose number is now another program’s', async () => {
  writeFileSync(file, `${run('/etc/helo-milter.toml')}\n`);
  await writePidFile(file, alive);
  expect(readFileSync(file, 'utf8')).toBe('4711\n');
});

it.each(['/usr/bin/helo-milter', '/usr/lib/node_modules/helo-milter/dist/cli.js', '/opt/ours/cli.js'])(
  'leaves that of a live %s alone',
  async (script) => {
    const pid = run(script);
    writeFileSync(file, `${pid}\n`);
    const written = writePidFile(file, makeHost({ isAlive: () => true, script: '/opt/ours/cli.js' }));
    await expect(written).rejects.toThrow(
      `--pid-file: ${file} belongs to a helo-milter that runs as process ${pid}`,
    );
    expect(readFileSync(file, 'utf8')).toBe(`${pid}\n`);
  },
);

it.skipIf(process.platform !== 'linux')('leaves that of one with a relative command line alone', async () => {
  const script = join(directory, 'cli.js');
  writeFileSync(script, 'console.log(1); setInterval(() => {}, 1000);');
  const child = spawn(process.execPath, ['cli.js'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
  other = child;
  await once(child.stdout, 'data');
  writeFileSync(file, `${child.pid}\n`);
  await expect(writePidFile(file, makeHost({ isAlive: () => true, script }))).rejects.toThrow(/belongs to/);
  expect(readFileSync(file, 'utf8')).toBe(`${child.pid}\n`);
});

it('is not taken away once it is another’s', async () => {
  const remove = await writePidFile(file, alive);
  writeFileSync(file, '4712\n');
  await remove();
  expect(readFileSync(file, 'utf8')).toBe('4712\n');
});

it('is never written through a link', async () => {
  const target = join(directory, 'precious');
  writeFileSync(target, 'precious');
  symlinkSync(target, file);
  await writePidFile(file, alive);
  expect(readFileSync(target, 'utf8')).toBe('precious');
});

it('says why it cannot be written', async () => {
  await expect(writePidFile(join(directory, 'no/pid'), alive)).rejects.toThrow(
    /^--pid-file: there is no directory .*\/no$/,
  );
});
