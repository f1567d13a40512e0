import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineSocket } from '../../src/doctor/socket-file.ts';

describe('examineSocket', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hm-'));
  const inner = join(directory, 'inner');
  const path = join(inner, 'socket');
  const server = createServer();
  const other = { uid: 54_321, gids: [54_321] };

  beforeAll(async () => {
    mkdirSync(inner);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    writeFileSync(join(inner, 'file'), '');
  });

  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  const { gid } = statSync(directory);

  it.each<[title: string, outer: number, socket: number, account: typeof other | null, state: string]>([
    ['open to all', 0o755, 0o666, other, 'ready'],
    ['for its group, which is another', 0o755, 0o660, other, 'unwritable'],
    ['for its group', 0o755, 0o660, { ...other, gids: [gid] }, 'ready'],
    ['for its group, directory too', 0o710, 0o660, { ...other, gids: [gid] }, 'ready'],
    ['read only', 0o755, 0o644, other, 'unwritable'],
    ['directory closed', 0o700, 0o666, other, 'closed'],
    ['for root all is open', 0o700, 0o600, { uid: 0, gids: [0] }, 'ready'],
    ['no such user', 0o700, 0o600, null, 'unseen'],
  ])('%s', async (_, outer, mode, account, state) => {
    chmodSync(directory, outer);
    chmodSync(inner, 0o755);
    chmodSync(path, mode);
    const found = await examineSocket(path, account);
    expect(found.state).toBe(state);
    if (state === 'closed') expect(found).toMatchObject({ at: directory, mode: 0o700 });
    if (state === 'unwritable') expect(found).toMatchObject({ at: path, mode });
  });

  it('tells a file and nothing from a socket', async () => {
    chmodSync(directory, 0o755);
    expect((await examineSocket(join(inner, 'file'), other)).state).toBe('not-a-socket');
    expect((await examineSocket(join(inner, 'nothing'), other)).state).toBe('absent');
    expect((await examineSocket(join(inner, 'file', 'below'), other)).state).toBe('absent');
  });

  it('names the first directory that others may write to', async () => {
    expect((await examineSocket(path, other)).writableDirectory).toBe(tmpdir());
  });
});
