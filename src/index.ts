/**
 * The whole service inside another program: read a configuration, start, reload, stop. The checks by
 * themselves are in `helo-milter/core`, the milter protocol in `helo-milter/milter`.
 *
 * @example
 * ```ts
 * import { createLog, readConfig, startService } from 'helo-milter';
 *
 * const config = readConfig(new Map([['listen', ['inet:127.0.0.1:8892']], ['policy', ['emailcore']]]));
 * const service = await startService(config, createLog((line) => process.stdout.write(line)));
 * process.once('SIGTERM', () => service.stop());
 * ```
 * @module
 */

// The configuration: from texts by option, or from a file, the environment and flags, as the program reads
// it.
export { type Config, readConfig } from './config/config.ts';
export type { Environment, Setting, Settings, SettingValue } from './config/given.ts';
export type { OptionKey } from './config/options.ts';
export { type ConfigPlaces, ConfigSource, STANDARD_CONFIG } from './config/source.ts';

// The service.
export type { Source } from './service/reload.ts';
export { type Service, startService, type Surroundings } from './service/service.ts';

// Its log.
export { type EventFields, type EventName, EVENTS, type Level, type LogEvent } from './log/events.ts';
export { LEVELS } from './log/levels.ts';
export { createLog, type Log, type LogFormat, type LogOptions } from './log/log.ts';

// What an operator got wrong.
export { describeError, Faults, FileError, OptionError, UsageError } from './errors.ts';
