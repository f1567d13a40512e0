/** Dropping root: from a start as root to a service with an ordinary user, with no way back. */
import { findGroup, findUser } from './accounts.ts';
import type { Host, ProcessIdentity } from './host.ts';
import { describeError, OptionError, UsageError } from '../errors.ts';

/** The user and group to become. */
export interface UserIdentity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

interface Wanted {
  readonly user: string | null;
  readonly group: string | null;
}

/** Reads `--user` and `--group`; null if no user is given. Throws UsageError. */
export async function namedIdentity({ user, group }: Wanted): Promise<UserIdentity | null> {
  if (user === null) {
    if (group !== null) throw new OptionError('--group', 'it needs --user');
    return null;
  }
  const { name, uid, gid: own } = await named('--user', findUser(user));
  const gid = group === null ? own : await named('--group', findGroup(group));
  return { user: name, uid, gid };
}

/** The user that we have to become; null if we stay as we are. Throws UsageError. */
export async function wantedIdentity(
  wanted: Wanted,
  identity: ProcessIdentity,
): Promise<UserIdentity | null> {
  const named = await namedIdentity(wanted);
  if (named === null) return null;
  const { euid, egid } = identity.current();
  if (euid === named.uid && egid === named.gid) return null;
  if (euid !== 0)
    throw new OptionError('--user', `only root can become "${wanted.user}"; start as root, or leave it out`);
  return named;
}

/** Drops root's rights for good. Throws UsageError if the system does not let us, or would let us back. */
export function becomeUser(
  { user, uid, gid }: UserIdentity,
  { identity, environment }: Pick<Host, 'identity' | 'environment'>,
): void {
  try {
    identity.initGroups(user, gid);
    identity.setGid(gid);
    identity.setUid(uid);
  } catch (error) {
    throw new OptionError('--user', `cannot become "${user}": ${whyNot(error, environment)}`);
  }
  const now = identity.current();
  const changed = now.uid === uid && now.euid === uid && now.gid === gid && now.egid === gid;
  if (!changed || (uid !== 0 && canReturn(identity))) {
    throw new OptionError('--user', 'this system does not let us drop root for good');
  }
}

/**
 * Node does not let a process change its user if io_uring may be in use (CVE-2024-22017): if the environment
 * asks for it, and in builds such as Debian's, which cannot tell.
 */
function whyNot(error: unknown, { UV_USE_IO_URING: asked = '' }: Host['environment']): string {
  if ((error as { readonly code?: unknown }).code !== 'ERR_INVALID_STATE') return describeError(error);
  if (Number(asked) > 0) return 'Node does not allow it while UV_USE_IO_URING is set; unset it';
  return (
    'this build of Node does not allow it (CVE-2024-22017), as those of Debian do not; leave out --user and start it as ' +
    'that user by systemd (docs/systemd.md) or setpriv(1), or use a Node of another make'
  );
}

function canReturn(identity: ProcessIdentity): boolean {
  return [
    () => {
      identity.setUid(0);
    },
    () => {
      identity.setGroups([0]);
    },
  ].some((attempt) => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  });
}

async function named<T>(flag: string, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    throw error instanceof UsageError ? new OptionError(flag, error.message) : error;
  }
}
