import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bind } from '../../src/milter/bind.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bind-'));
  path = join(directory, 's');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const modeOf = (): string => (statSync(path).mode & 0o777).toString(8);

it.each([
  [0o666, {}, '666', '666'],
  [0o660, { gid: process.getgid?.() ?? 0 }, '600', '660'],
  [0o666, { uid: process.getuid?.() ?? 0 }, '600', '666'],
  [0o620, { gid: process.getgid?.() ?? 0 }, '600', '620'],
])('mode %o for %j: %s until owner and group are right, then %s', async (mode, owner, first, last) => {
  const server = createServer();
  const bound = bind(server, { kind: 'unix', path }, mode, owner);
  expect(modeOf()).toBe(first);
  await bound;
  expect(modeOf()).toBe(last);
  server.close();
});
