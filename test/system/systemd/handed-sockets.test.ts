import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { handedFds, unixPathOf } from '../../../src/system/systemd/handed-sockets.ts';
import { UsageError } from '../../../src/errors.ts';

describe('handedFds', () => {
  it.each<[Record<string, string>, [number, string][]]>([
    [{}, []],
    [{ LISTEN_FDS: '1' }, []],
    [{ LISTEN_FDS: '1', LISTEN_PID: '1' }, []],
    [{ LISTEN_FDS: '0', LISTEN_PID: '7' }, []],
    [{ LISTEN_FDS: '1', LISTEN_PID: '7' }, [[3, '']]],
    [
      { LISTEN_FDS: '2', LISTEN_PID: '7', LISTEN_FDNAMES: 'a:b' },
      [
        [3, 'a'],
        [4, 'b'],
      ],
    ],
    [
      { LISTEN_FDS: '2', LISTEN_PID: '7', LISTEN_FDNAMES: 'a' },
      [
        [3, 'a'],
        [4, ''],
      ],
    ],
  ])('%j', (environment, wanted) => {
    expect(handedFds({ environment, pid: 7 }).map(({ fd, name }) => [fd, name])).toEqual(wanted);
  });

  it.each(['-1', 'x', '', '257', '99999999999'])('refuses LISTEN_FDS=%j', (count) => {
    const environment = { LISTEN_FDS: count, LISTEN_PID: '7' };
    expect(() => handedFds({ environment, pid: 7 })).toThrow(UsageError);
  });
});

describe.skipIf(process.platform !== 'linux')('unixPathOf', () => {
  const fdOf = (server: unknown): number => (server as { _handle: { fd: number } })._handle.fd;

  it('finds the path of a unix socket, and none of another', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'handed '));
    const path = join(directory, 's');
    const [unix, inet] = [createServer(), createServer()];
    await new Promise<void>((resolve) => unix.listen(path, resolve));
    await new Promise<void>((resolve) => inet.listen(0, '127.0.0.1', resolve));
    expect(await unixPathOf(fdOf(unix))).toBe(path);
    expect(await unixPathOf(fdOf(inet))).toBeNull();
    expect(await unixPathOf(9999)).toBeNull();
    unix.close();
    inet.close();
    rmSync(directory, { recursive: true, force: true });
  });
});
