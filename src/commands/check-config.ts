/**
 * `--check-config`: reads everything a start would read, says what is wrong, and warns of what is valid but
 * may surprise.
 */
import { socketsOf } from '../config/addresses.ts';
import type { ConfigSource } from '../config/source.ts';
import type { Config } from '../config/config.ts';
import { surprises } from '../config/surprises.ts';
import { requireDirectory, requireWritable } from '../system/directory.ts';
import type { Host } from '../system/host.ts';
import { flagOf } from '../config/option.ts';
import type { OptionKey } from '../config/options.ts';
import { prepare } from '../service/live.ts';
import { storeAilment } from '../service/open-store.ts';
import { becomeUser, type UserIdentity, namedIdentity } from '../system/privileges.ts';
import { checkSockets } from '../service/sockets.ts';
import { Faults, FileError, UsageError } from '../errors.ts';

/** Under our unit the service is not root, and root can read nearly everything. */
const READ_BY_ROOT =
  'this was read as root, who can read files that the service may not be able to: --user USER reads it as that user, and docs/systemd.md has the command for the user of the unit';

/**
 * Rejects with a UsageError for the first mistake, which carries all others that one run can find. Started by
 * root with `--user`, the process runs as that user afterwards, as it would after a start.
 */
export async function checkConfig(source: ConfigSource, host: Host): Promise<string> {
  const faults = new Faults((fault) => source.locate(fault) as UsageError);
  const config = await source.examine(faults);
  const warnings: string[] = [];
  await checkStanding(config, faults);
  const prepared = await faults.attempt(() =>
    prepare(config, (file, { line }) => {
      warnings.push(`${file}:${line}: this line has expired`);
    }),
  );
  const placeOf = (key: OptionKey): string => source.settings.get(key)?.place ?? flagOf(key);
  if (prepared !== null) {
    const sockets = faults.try(() => socketsOf(config)) ?? [];
    for (const { key, text } of surprises(config, prepared, sockets)) {
      warnings.push(`${placeOf(key)}: ${text}`);
    }
  }
  const ailment = await faults.attempt(() => storeAilment(config));
  if (ailment !== null) {
    warnings.push(`${placeOf('store')}: it does not work, and until it does each host is alone: ${ailment}`);
  }
  const user = await faults.attempt(() => otherIdentity(config, host));
  if (user === null) {
    await faults.attempt(() => checkOwn(config));
    if (config.user === null && host.identity.current().euid === 0) warnings.push(READ_BY_ROOT);
  } else if (host.identity.current().euid !== 0) {
    warnings.push(`${placeOf('user')}: only root can find out what "${user.user}" may read and write`);
  } else {
    await faults.attempt(async () => {
      becomeUser(user, host);
      await examineAs(user, source, faults);
    });
  }
  faults.throwAny();
  const read = source.file ?? 'no configuration file was named, so none was read';
  return `${warnings.map((text) => `warning: ${text}\n`).join('')}ok (${read})\n`;
}

/** Users, groups and directories that a start would need, as far as they can be checked without starting. */
async function checkStanding(config: Config, faults: Faults): Promise<void> {
  for (const socket of config.listen) {
    await faults.attempt(() => checkSockets({ ...config, listen: [socket] }));
  }
  const { pidFile, decisionLog, regularsFile } = config;
  if (regularsFile !== null) await faults.attempt(() => requireDirectory('--regulars-file', regularsFile));
  if (pidFile !== null) await faults.attempt(() => requireDirectory('--pid-file', pidFile));
  if (decisionLog !== null) await faults.attempt(() => requireDirectory('--decision-log', decisionLog));
}

/** The user that a start would switch to; null if it would not switch. */
async function otherIdentity(config: Config, { identity }: Host): Promise<UserIdentity | null> {
  const named = await namedIdentity(config);
  const { euid, egid } = identity.current();
  return named === null || (named.uid === euid && named.gid === egid) ? null : named;
}

/** What the service opens after it has switched to its own user. */
async function checkOwn({ decisionLog }: Config): Promise<void> {
  if (decisionLog === null) return;
  await requireDirectory('--decision-log', decisionLog);
  await requireWritable('--decision-log', decisionLog);
}

/**
 * Reads again, as a reload does, what root has read: a fault that root did not meet is one of permissions.
 */
async function examineAs({ user }: UserIdentity, source: ConfigSource, faults: Faults): Promise<void> {
  const again = new Faults((fault) => source.locate(fault) as UsageError);
  const config = await source.examine(again);
  await again.attempt(() => prepare(config, () => undefined));
  await again.attempt(() => checkOwn(config));
  const known = new Set(faults.all.map(({ message }) => message));
  for (const fault of again.all) {
    if (known.has(fault.message)) continue;
    const message = `${fault.message} (as user "${user}", which needs access to it)`;
    faults.add(fault instanceof FileError ? new FileError(message) : new UsageError(message));
  }
}
