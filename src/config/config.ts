/** Turns the texts given for the options into the one frozen Config that the program reads. */
import { flagOf, type OptionRow, readOption } from './option.ts';
import { type OptionKey, type Options, ROWS } from './options.ts';
import { Faults, OptionError, soundly } from '../errors.ts';

/** The values of all options, each read and checked. */
export type Config = {
  readonly [K in OptionKey]: Options[K] extends OptionRow<infer T> ? T : never;
};

/** What must hold between two options. */
const RELATIONS: readonly {
  readonly keys: readonly [OptionKey, OptionKey];
  readonly holds: (config: Config) => boolean;
  readonly problem: (config: Config) => string;
}[] = [
  {
    keys: ['tempfailAt', 'rejectAt'],
    holds: ({ tempfailAt, rejectAt }) => tempfailAt <= rejectAt,
    problem: ({ tempfailAt, rejectAt }) => `tempfail-at ${tempfailAt} is above reject-at ${rejectAt}`,
  },
  {
    keys: ['recipientPolicy', 'applyAt'],
    holds: ({ recipientPolicy, applyAt }) => recipientPolicy === null || applyAt === 'rcpt',
    problem: () => 'recipient-policy needs apply-at rcpt: before that no recipient is known',
  },
  {
    keys: ['streamLimit', 'applyAt'],
    holds: ({ streamLimit, applyAt }) => streamLimit.length === 0 || applyAt === 'rcpt',
    problem: () =>
      'stream-limit needs apply-at rcpt: before that nobody knows whether mail is for postmaster',
  },
  {
    keys: ['cacheMin', 'cacheMax'],
    holds: ({ cacheMin, cacheMax }) => cacheMin <= cacheMax,
    problem: () => 'cache-min is above cache-max',
  },
  {
    keys: ['http', 'httpPublic'],
    holds: ({ http, httpPublic }) => http === null || http.loopback || httpPublic,
    problem: ({ http }) =>
      `${http?.host ?? ''} is not loopback, so others could read the numbers; add http-public if they may`,
  },
  {
    keys: ['httpPage', 'http'],
    holds: ({ http, httpPage }) => http !== null || !httpPage,
    problem: () =>
      'http-page needs http, which says where the page is served, such as http = "127.0.0.1:9892"',
  },
  {
    keys: ['httpPage', 'httpPublic'],
    holds: ({ httpPage, httpPublic }) => !httpPage || !httpPublic,
    problem: () =>
      'http-page shows addresses of people, so it is for this host alone: not together with http-public',
  },
];

/**
 * Reads all options from the texts given for each. Throws an OptionError for the first mistake, which carries
 * the others. If two options do not go together, the one that was given is blamed.
 */
export function readConfig(given: ReadonlyMap<string, readonly string[]>): Config {
  return soundly((faults) => readOptions(given, faults));
}

/** As `readConfig`, but collects the faults; an option with a fault has its default. */
export function readOptions(given: ReadonlyMap<string, readonly string[]>, faults: Faults): Config {
  const own = new Faults();
  const entries = ROWS.map(([key, row]) => {
    try {
      return [key, readOption(key, row, given.get(key) ?? [])];
    } catch (error) {
      own.add(error);
      return [key, readOption(key, row, [])];
    }
  });
  const config = Object.freeze(Object.fromEntries(entries) as Config);
  for (const { keys, holds, problem } of own.all.length === 0 ? RELATIONS : []) {
    if (holds(config)) continue;
    const blamed = keys.find((key) => given.has(key)) ?? keys[0];
    own.add(new OptionError(flagOf(blamed), problem(config)));
  }
  for (const fault of own.all) faults.add(fault);
  return config;
}
