/** How a service starts: sockets, process id, privileges. Each step needs rights that the next gives up. */
import type { Host } from '../system/host.ts';
import type { MilterServer } from '../milter/index.ts';
import type { Config } from '../config/config.ts';
import { writePidFile } from '../system/pid-file.ts';
import { becomeUser, wantedIdentity, type UserIdentity } from '../system/privileges.ts';
import { openSockets, type OpenSocket } from './sockets.ts';
import type { HandedFd } from '../system/systemd/handed-sockets.ts';

/** What our program gives its service, and a program that embeds it does not. */
export interface Standing {
  readonly host: Host;
  /** Sockets that systemd opened for us. */
  readonly handed: readonly HandedFd[];
}

/**
 * From nothing to a service that reads its first byte, in the order in which rights are needed and given up.
 * What `open` opens belongs to the user that we have become, which must be able to open it again.
 */
export async function launch(
  server: MilterServer,
  config: Config,
  standing: Standing | null,
  open: () => Promise<void>,
): Promise<{ readonly sockets: readonly OpenSocket[]; readonly removePidFile: () => Promise<void> }> {
  const host = standing?.host ?? null;
  let identity: UserIdentity | null = null;
  let removePidFile = (): Promise<void> => Promise.resolve();
  try {
    if (host !== null) identity = await wantedIdentity(config, host.identity);
    const sockets = await openSockets(server, { config, handed: standing?.handed ?? [], identity });
    if (host !== null && config.pidFile !== null) removePidFile = await writePidFile(config.pidFile, host);
    if (host !== null && identity !== null) becomeUser(identity, host);
    await open();
    server.admit();
    return { sockets, removePidFile };
  } catch (error) {
    await server.close();
    await removePidFile();
    throw error;
  }
}
