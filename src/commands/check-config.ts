/** `--check-config`: reads all that a start would read and says what is wrong, and what is right but may surprise. */
import { advice } from '../advice/advice.ts';
import type { ConfigSource } from '../config/source.ts';
import type { Config } from '../config/config.ts';
import { requireDirectory, requireWritable } from '../system/directory.ts';
import type { Host } from '../system/host.ts';
import { flagOf } from '../config/option.ts';
import type { OptionKey } from '../config/options.ts';
import { prepare } from '../service/live.ts';
import { becomeUser, type Identity, namedIdentity } from '../system/privileges.ts';
import { checkSockets, socketsOf } from '../service/sockets.ts';
import { OptionError, UsageError } from '../errors.ts';

/** A service under our unit is not root, and root hardly ever lacks a right. */
const READ_BY_ROOT =
  'this was read as root, who can read what the service perhaps cannot: --user USER reads it as that user, and docs/systemd.md has the command for the user of the unit';

/**
 * Rejects with UsageError for the first fault. Started by root with `--user`, the process is that user's afterwards, as it
 * would be after a start.
 */
export async function checkConfig(source: ConfigSource, host: Host): Promise<string> {
  const config = await source.read();
  const warnings: string[] = [];
  try {
    const sockets = socketsOf(config);
    await checkStanding(config);
    const prepared = await prepare(config, (file, { line }) => {
      warnings.push(`${file}:${line}: this line has expired`);
    });
    const placeOf = (key: OptionKey): string => source.settings.get(key)?.place ?? flagOf(key);
    for (const { key, text } of advice(config, prepared, sockets)) warnings.push(`${placeOf(key)}: ${text}`);
    const user = await otherIdentity(config, host);
    if (user === null) {
      await checkOwn(config);
      if (config.user === null && host.identity.current().euid === 0) warnings.push(READ_BY_ROOT);
    } else if (host.identity.current().euid === 0) {
      becomeUser(user, host);
      await asUser(user, async () => {
        await prepare(await source.read(), () => undefined);
        await checkOwn(config);
      });
    } else {
      warnings.push(`${placeOf('user')}: what "${user.user}" may read and write, only root can find out`);
    }
  } catch (error) {
    throw source.locate(error);
  }
  const read = source.file ?? 'no configuration file was named, so none was read';
  return `${warnings.map((text) => `warning: ${text}\n`).join('')}ok (${read})\n`;
}

/** Users, groups and places for files: what a start would need of the system, as far as it shows without a start. */
async function checkStanding(config: Config): Promise<void> {
  await checkSockets(config);
  if (config.pidFile !== null) await requireDirectory('--pid-file', config.pidFile);
  if (config.decisionLog !== null) await requireDirectory('--decision-log', config.decisionLog);
}

/** Whom a start would become; null where it would stay who we are. */
async function otherIdentity(config: Config, { identity }: Host): Promise<Identity | null> {
  const named = await namedIdentity(config);
  const { euid, egid } = identity.current();
  return named === null || (named.uid === euid && named.gid === egid) ? null : named;
}

/** What the service opens as the user that it has become. */
async function checkOwn({ decisionLog }: Config): Promise<void> {
  if (decisionLog !== null) await requireWritable('--decision-log', decisionLog);
}

/** Reads again, as a reload does, what could be read before by root: a fault now is one of rights. */
async function asUser({ user }: Identity, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    const who = `(as the user "${user}", who must be able to)`;
    if (error instanceof OptionError)
      throw new OptionError(error.flag, `${error.problem} ${who}`, error.value);
    throw error instanceof UsageError ? new UsageError(`${error.message} ${who}`) : error;
  }
}
