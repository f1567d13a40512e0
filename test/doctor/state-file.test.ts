import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { examineStateFile, type StateFile } from '../../src/doctor/state-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'state-'));
const inner = join(directory, 'inner');
mkdirSync(inner);
writeFileSync(join(directory, 'file'), '');
afterAll(() => {
  rmSync(directory, { recursive: true });
});
const other = { uid: 54_321, gids: [54_321] };
const { gid } = statSync(inner);

it.each<[title: string, mode: number, account: typeof other | null, state: StateFile['state']]>([
  ['open to all', 0o777, other, 'writable'],
  ['for its group', 0o770, { ...other, gids: [gid] }, 'writable'],
  ['for its group, which is another', 0o770, other, 'unwritable'],
  ['that may be searched only', 0o755, other, 'unwritable'],
  ['that may be written and not searched', 0o702, other, 'unwritable'],
  ['for root', 0o700, { uid: 0, gids: [0] }, 'writable'],
  ['of an unknown user', 0o700, null, 'unseen'],
])('a directory %s', async (_, mode, account, state) => {
  chmodSync(inner, mode);
  expect((await examineStateFile(join(inner, 'regulars'), account)).state).toBe(state);
});

it.each(['nowhere', 'file'])('no directory: %s', async (name) => {
  const path = join(directory, name, 'regulars');
  expect(await examineStateFile(path, other)).toEqual({
    path,
    directory: join(directory, name),
    state: 'absent',
  });
});
