/** `--check-config`: reads all that a start would read and says what is wrong, and what is right but may surprise. */
import { advice } from '../advice.ts';
import type { ConfigSource } from '../config-source.ts';
import type { Config } from '../config.ts';
import { requireDirectory } from '../directory.ts';
import { flagOf } from '../option-row.ts';
import type { OptionKey } from '../options.ts';
import { prepare } from '../prepared.ts';
import { namedIdentity } from '../privileges.ts';
import { checkSockets, socketsOf } from '../sockets.ts';

/** Rejects with UsageError for the first fault. */
export async function checkConfig(source: ConfigSource): Promise<string> {
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
  } catch (error) {
    throw source.locate(error);
  }
  const read = source.file ?? 'no configuration file was named, so none was read';
  return `${warnings.map((text) => `warning: ${text}\n`).join('')}ok (${read})\n`;
}

/** Users, groups and places for files: what a start would need of the system, as far as it shows without a start. */
async function checkStanding(config: Config): Promise<void> {
  await namedIdentity(config);
  await checkSockets(config);
  if (config.pidFile !== null) await requireDirectory('--pid-file', config.pidFile);
  if (config.decisionLog !== null) await requireDirectory('--decision-log', config.decisionLog);
}
