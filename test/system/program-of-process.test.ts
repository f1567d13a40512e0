/** Programs as /proc shows them, each started in the way that its row says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isProgramOf } from '../../src/system/program-of-process.ts';
import { NODE_FLAGS } from '../mta/kit/node-flags.ts';

const WAITS = 'console.log(process.pid); setInterval(() => {}, 1000);';

let root: string;
let other: ChildProcess | null = null;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'program-')));
  for (const [directory, name] of [
    ['here', 'helo-milter'],
    ['helo-milter-0.1.0', 'helo-milter'],
    ['stranger', 'another'],
  ] as const) {
    mkdirSync(join(root, directory, 'dist'), { recursive: true });
    writeFileSync(join(root, directory, 'dist/cli.js'), WAITS);
    const scripts = { start: ['node', ...NODE_FLAGS, 'dist/cli.js'].join(' ') };
    writeFileSync(join(root, directory, 'package.json'), JSON.stringify({ name, scripts }));
  }
  symlinkSync(join(root, 'here/dist/cli.js'), join(root, 'hm'));
  writeFileSync(join(root, 'here/idle.js'), WAITS);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
afterEach(() => {
  other?.kill('SIGKILL');
  other = null;
});

/** The process id that the program itself says, which a shell or npm may have started. */
async function start(where: string, command: string, ...args: string[]): Promise<number> {
  const child = spawn(command, args, { cwd: join(root, where), stdio: ['ignore', 'pipe', 'inherit'] });
  other = child;
  for await (const text of child.stdout) {
    const pid = /^(\d+)$/m.exec(String(text))?.[1];
    if (pid !== undefined) return Number(pid);
  }
  throw new Error('it has ended');
}

describe.skipIf(process.platform !== 'linux')('a live process', () => {
  const node = process.execPath;

  it.each<[string, string, string[], boolean]>([
    ['by its absolute path', '.', [node, 'ROOT/here/dist/cli.js', '--pid-file', 'x'], true],
    ['by a relative path', 'here', [node, 'dist/cli.js'], true],
    ['by a relative path with dots', 'stranger', [node, '../here/./dist/../dist/cli.js'], true],
    ['by a path without its end', 'here', [node, 'dist/cli'], true],
    ['through a link of another name', '.', [node, './hm'], true],
    ['by npm start', 'here', ['npm', 'start', '--silent'], true],
    ['by a shell', 'here', ['sh', '-c', `${node} dist/cli.js; :`], true],
    ['from another installation', 'helo-milter-0.1.0', [node, 'dist/cli.js'], true],
    ['as another program with a file of that name', 'stranger', [node, 'dist/cli.js'], false],
    ['as another program, in the directory of ours', 'here', [node, 'idle.js'], false],
    [
      'as another program that is given a file of ours',
      '.',
      [node, 'here/idle.js', 'here/package.json'],
      false,
    ],
  ])('that was started %s', async (_, where, words, expected) => {
    const [command = '', ...args] = words.map((word) => word.replace('ROOT', root));
    const pid = await start(where, command, ...args);
    expect(await isProgramOf(pid, join(root, 'here/dist/cli.js'))).toBe(expected);
    if (pid !== other?.pid) process.kill(pid, 'SIGKILL');
  });

  it.each([
    ['hm', 'here', 'dist/cli.js', true],
    ['hm', 'here', 'idle.js', false],
  ])('is compared with %s as what that leads to', async (script, where, word, expected) => {
    const pid = await start(where, node, word);
    expect(await isProgramOf(pid, join(root, script))).toBe(expected);
  });
});

it('counts as ours where the system does not show it', async () => {
  expect(await isProgramOf(2 ** 31 - 1, '/opt/ours/cli.js')).toBe(true);
});
