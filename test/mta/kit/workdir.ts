/**
 * Places for a test's private servers: a directory that goes away at the end, and ports that are free now.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Short, since paths of unix sockets must be; and open to the unprivileged users that mail daemons become.
 */
export function makeWorkdir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hm-'));
  chmodSync(directory, 0o755);
  process.once('exit', () => {
    removeWorkdir(directory);
  });
  return directory;
}

export function removeWorkdir(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

export async function freePort(host = '127.0.0.1'): Promise<number> {
  const [port = 0] = await freePorts(1, host);
  return port;
}

/** All different: each is held until all are found. */
export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, host, resolve);
      });
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
