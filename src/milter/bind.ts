/**
 * From an address to a listening socket, and what a unix socket needs for that: a free path, mode and owner.
 */
import { chmod, lchown, lstat, stat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { AddressError, formatSocketAddress, type SocketAddress } from './address.ts';

const BACKLOG = 1024;

/** Who owns a unix socket, as numbers; what is left out stays as it is. */
export interface SocketOwner {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Listens; a unix socket gets its mode and owner before anybody else may connect. Rejects with the system's
 * error, or with AddressError if the directory of a unix socket is missing, which Node would report as
 * EACCES.
 */
export async function bind(
  server: Server,
  address: SocketAddress,
  mode: number,
  owner: SocketOwner,
): Promise<void> {
  const { uid = -1, gid = -1 } = owner;
  const given = uid !== -1 || gid !== -1;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (address.kind === 'inet')
      server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, done);
    else if (address.kind === 'fd') server.listen({ fd: address.fd, backlog: BACKLOG }, done);
    else {
      // The file must never exist with wider permissions than asked for: chmod afterwards would leave a gap.
      // While it has the wrong owner or group, only its owner may use it.
      const before = process.umask(0o777 & ~(given ? mode & 0o700 : mode));
      try {
        server.listen({ path: address.path, backlog: BACKLOG }, done);
      } finally {
        process.umask(before);
      }
    }
  }).catch(async (error: unknown) => {
    if (address.kind === 'unix') await requireDirectory(address);
    throw error;
  });
  if (address.kind !== 'unix' || !given) return;
  try {
    await lchown(address.path, uid, gid);
    if (!(await lstat(address.path)).isSocket()) throw new AddressError('somebody has replaced the socket');
    await chmod(address.path, mode);
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Throws AddressError if there is no directory for the socket. */
async function requireDirectory(address: { readonly kind: 'unix'; readonly path: string }): Promise<void> {
  const directory = dirname(address.path);
  try {
    await stat(directory);
  } catch (error) {
    // A directory that we may not look into exists.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return;
    throw new AddressError(
      `${formatSocketAddress(address)} cannot be made: there is no directory ${directory}`,
    );
  }
}

/** Removes a socket file at which nobody answers; anything else in its place is left alone. */
export async function removeStale(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return;
  const shown = formatSocketAddress({ kind: 'unix', path });
  if (!stats.isSocket()) throw new AddressError(`${shown} is in use: there is a file that is no socket`);
  const served = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => {
      resolve(false);
    });
  });
  if (served) throw new AddressError(`${shown} is in use: another program answers there`);
  await unlink(path);
}
