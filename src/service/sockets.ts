/**
 * Opens what the MTA connects to: the sockets that systemd hands over, else those of `--listen`. Handed-over
 * ones replace the option and are all used: nothing would answer at a socket that systemd holds open and we
 * ignore.
 */
import { findGroup } from '../system/accounts.ts';
import { requireDirectory } from '../system/directory.ts';
import {
  AddressError,
  type ListenOptions,
  type MilterServer,
  type SocketAddress,
  type SocketOwner,
} from '../milter/index.ts';
import { HANDED_ONLY, type ListenValue, listenValues } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import type { UserIdentity } from '../system/privileges.ts';
import { type HandedFd, unixPathOf } from '../system/systemd/handed-sockets.ts';
import { describeError, OptionError, UsageError } from '../errors.ts';

/**
 * Over TCP, Postfix sends the macros of a declined DATA and then waits 40 ms for an acknowledgement, for
 * every message; what Sendmail sends after an unanswered CONNECT or header field waits as long. A unix socket
 * has no such waits.
 */
const OVER_TCP = { keep: ['data'] } as const;
const OVER_UNIX = { noReply: ['connect', 'header'] } as const;

export interface SocketNeeds {
  readonly config: Pick<Config, 'listen' | 'socketMode' | 'socketGroup'>;
  readonly handed: readonly HandedFd[];
  /** The user that we become later: a unix socket belongs to that user from the start. */
  readonly identity: UserIdentity | null;
}

export interface OpenSocket {
  /** What the MTA is to connect to. */
  readonly address: SocketAddress;
  /** By systemd: then its path may be where the sandbox of the service does not let us look. */
  readonly handed: boolean;
}

/** Opens all. Throws UsageError. */
export async function openSockets(
  server: MilterServer,
  { config, handed, identity }: SocketNeeds,
): Promise<readonly OpenSocket[]> {
  if (handed.length > 0) return openHanded(server, handed);
  if (config.listen.includes(HANDED_ONLY)) {
    throw new OptionError(
      '--listen',
      'systemd has handed no socket over; start the service with its socket unit, or give another --listen',
      HANDED_ONLY,
    );
  }
  const placed = await placedSockets(config);
  const owner = await ownerOf(config, identity);
  const opened: OpenSocket[] = [];
  for (const { address: wanted, text } of placed) {
    const wishes = wanted.kind === 'inet' ? OVER_TCP : OVER_UNIX;
    const address = await open(
      server,
      { address: wanted, text, shown: text },
      {
        mode: config.socketMode,
        owner,
        wishes,
      },
    );
    opened.push({ address, handed: false });
  }
  return opened;
}

async function openHanded(server: MilterServer, handed: readonly HandedFd[]): Promise<OpenSocket[]> {
  const opened: OpenSocket[] = [];
  for (const { fd, name } of handed) {
    const path = await unixPathOf(fd);
    const shown = `the socket ${name === '' ? '' : `"${name}" `}that systemd handed over`;
    const socket: Wanted = { address: { kind: 'fd', fd }, text: `fd:${fd}`, shown };
    const address = await open(server, socket, { wishes: path === null ? OVER_TCP : OVER_UNIX });
    opened.push({ address: path?.startsWith('/') === true ? { kind: 'unix', path } : address, handed: true });
  }
  return opened;
}

interface Wanted {
  readonly address: SocketAddress;
  /** The value of `--listen`. */
  readonly text: string;
  /** What an operator is told. */
  readonly shown: string;
}

async function open(
  server: MilterServer,
  { address, text, shown }: Wanted,
  options: ListenOptions,
): Promise<SocketAddress> {
  try {
    return await server.listen(address, options);
  } catch (error) {
    const detail =
      error instanceof AddressError ? error.message : `cannot listen on ${shown}: ${describeError(error)}`;
    throw new OptionError('--listen', detail, text);
  }
}

/** Checks that all could be opened, as far as possible without opening them. Throws OptionError. */
export async function checkSockets(config: SocketNeeds['config']): Promise<void> {
  await placedSockets(config);
  await ownerOf(config, null);
}

/** As `listenValues`, and checks that the directory of each unix socket exists. */
async function placedSockets(config: Pick<Config, 'listen'>): Promise<readonly ListenValue[]> {
  const sockets = listenValues(config);
  for (const { address, text } of sockets) {
    if (address.kind === 'unix') await requireDirectory('--listen', address.path, text);
  }
  return sockets;
}

async function ownerOf(
  { socketGroup }: SocketNeeds['config'],
  identity: UserIdentity | null,
): Promise<SocketOwner> {
  const own = identity === null ? {} : { uid: identity.uid, gid: identity.gid };
  if (socketGroup === null) return own;
  try {
    return { ...own, gid: await findGroup(socketGroup) };
  } catch (error) {
    throw error instanceof UsageError ? new OptionError('--socket-group', error.message) : error;
  }
}
