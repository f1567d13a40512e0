/**
 * The option table: one row an option. From it come the flags, the keys of a configuration file, the variables of the
 * environment, `--help`, the manual page, the completions and the README's table. Everything the operator can tune is
 * here and nowhere else.
 */
import { PRESETS } from './core/check.ts';
import { LEVELS } from './log.ts';
import {
  account,
  address,
  countAndAge,
  domainName,
  durationBetween,
  fileMode,
  httpAddress,
  numberBetween,
  oneOf,
  prefix,
  replyText,
  template,
  token,
  verbatim,
  weight,
  word,
} from './option-values.ts';
import { flag, flagOf, many, one, optional, type OptionRow, readOption } from './option-row.ts';
import { DEFAULT_REJECT_AT, DEFAULT_TEMPFAIL_AT } from './policy.ts';
import { OptionError } from './usage-error.ts';

/** Keys are the flags without their dashes, in camel case. */
export const OPTIONS = {
  listen: many({
    value: 'SOCKET',
    group: 'Service',
    help: 'where the MTA finds us: inet:HOST:PORT, inet:PORT@HOST, unix:/PATH, local:/PATH, or systemd; sockets that systemd hands over are used instead in any case',
    parse: verbatim,
    default: 'inet:127.0.0.1:8892',
    restart: true,
  }),
  socketMode: one({
    value: 'MODE',
    group: 'Service',
    help: 'mode of a unix socket; the MTA must be able to write to it',
    parse: fileMode,
    default: '0660',
    restart: true,
  }),
  socketGroup: optional({
    value: 'GROUP',
    group: 'Service',
    help: 'group of a unix socket, by name or number: that of the MTA (default: our own)',
    parse: account,
    restart: true,
  }),
  user: optional({
    value: 'USER',
    group: 'Service',
    help: 'become this user once the sockets are open, if started by root',
    parse: account,
    restart: true,
  }),
  group: optional({
    value: 'GROUP',
    group: 'Service',
    help: 'with --user: become a member of this group (default: that of the user)',
    parse: account,
    restart: true,
  }),
  pidFile: optional({
    value: 'FILE',
    group: 'Service',
    help: 'write our process id to this file while we serve',
    parse: verbatim,
    path: true,
    restart: true,
  }),
  applyAt: one({
    value: 'STAGE',
    group: 'Service',
    help: 'the SMTP command at which a verdict is given: helo, mail or rcpt',
    parse: oneOf('helo', 'mail', 'rcpt'),
    default: 'rcpt',
  }),
  onError: one({
    value: 'ACTION',
    group: 'Service',
    help: 'what the MTA is told if this program itself fails: continue or tempfail',
    parse: oneOf('continue', 'tempfail'),
    default: 'continue',
  }),
  grace: one({
    value: 'TIME',
    group: 'Service',
    help: 'how long open sessions may finish when the service stops',
    parse: durationBetween(0, 3_600_000),
    default: '10s',
  }),
  policy: one({
    value: 'PRESET',
    group: 'Policy',
    help: 'rfc5321: RFC 5321 as written; emailcore: draft-ietf-emailcore-as; strict: unproven names are refused',
    parse: oneOf(...PRESETS),
    default: 'rfc5321',
    check: true,
  }),
  rejectAt: one({
    value: 'SCORE',
    group: 'Policy',
    help: 'score from which mail is rejected (5yz)',
    parse: numberBetween(0.1, 1_000_000, false),
    default: String(DEFAULT_REJECT_AT),
    check: true,
  }),
  tempfailAt: one({
    value: 'SCORE',
    group: 'Policy',
    help: 'score from which mail is tempfailed (4yz); at most that of --reject-at',
    parse: numberBetween(0.1, 1_000_000, false),
    default: String(DEFAULT_TEMPFAIL_AT),
    check: true,
  }),
  weight: many({
    value: 'ID=NUMBER',
    group: 'Policy',
    help: 'weight of one finding, in place of its preset; see --list-findings',
    parse: weight,
    check: true,
    table: true,
  }),
  require: optional({
    value: 'STRENGTH',
    group: 'Policy',
    help: 'the weakest proof that name and client belong together: exact, authorized or aligned (default: by preset)',
    parse: oneOf('exact', 'authorized', 'aligned'),
    check: true,
  }),
  tempfailLimit: one({
    value: 'COUNT/TIME',
    group: 'Policy',
    help: 'a client that was tempfailed so often for one name, over so long, is accepted: mail is delayed, never bounced',
    parse: countAndAge,
    default: '5/4h',
  }),
  observe: flag({
    group: 'Policy',
    help: 'refuse nothing; log what would have been done',
  }),
  enforcePercent: one({
    value: 'N',
    group: 'Policy',
    help: 'act on this share of client networks (by a stable hash), observe the rest',
    parse: numberBetween(0, 100),
    default: '100',
  }),
  shadowPolicy: optional({
    value: 'PRESET',
    group: 'Policy',
    help: 'log what this preset would have done, beside the policy in force',
    parse: oneOf(...PRESETS),
  }),
  churnLimit: one({
    value: 'N',
    group: 'Policy',
    help: 'more different names than this from one address within the window are helo-churn',
    parse: numberBetween(1, 1000),
    default: '10',
  }),
  churnWindow: one({
    value: 'TIME',
    group: 'Policy',
    help: 'length of the window in which names are counted',
    parse: durationBetween(1000, 86_400_000),
    default: '10m',
  }),
  check: many({
    value: 'FILE',
    group: 'Policy',
    help: 'load checks of your own from an ES module; see examples/',
    parse: verbatim,
    check: true,
    path: true,
  }),
  ourName: many({
    value: 'NAME',
    group: 'Who we are',
    help: 'a name of ours, with all names below it: nobody else may give it',
    parse: domainName,
    check: true,
  }),
  ourAddress: many({
    value: 'ADDRESS',
    group: 'Who we are',
    help: 'an address of ours: nobody else may give it as a literal',
    parse: address,
    check: true,
  }),
  trust: many({
    value: 'NETWORK',
    group: 'Exemptions',
    help: 'never refuse clients in this network; loopback never is',
    parse: prefix,
  }),
  access: optional({
    value: 'FILE',
    group: 'Exemptions',
    help: 'list of allow and deny lines; see docs/access.md',
    parse: verbatim,
    path: true,
  }),
  recipientPolicy: optional({
    value: 'FILE',
    group: 'Exemptions',
    help: 'recipients and domains with a policy of their own, or off; see docs/recipients.md',
    parse: verbatim,
    path: true,
  }),
  exemptDaemon: many({
    value: 'NAME',
    group: 'Exemptions',
    help: 'never refuse what arrives at this service: a {daemon_name} or {daemon_port} of the MTA, such as submission or 587',
    parse: word,
  }),
  dnsServer: many({
    value: 'ADDRESS',
    group: 'DNS and cache',
    help: 'resolver to ask: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT (default: those of the system)',
    parse: verbatim,
    check: true,
  }),
  dnsZone: optional({
    value: 'FILE',
    group: 'DNS and cache',
    help: 'answer from this zone file and ask no server; for check and publish, and to try things out',
    parse: verbatim,
    check: true,
    path: true,
  }),
  dnsTimeout: one({
    value: 'TIME',
    group: 'DNS and cache',
    help: 'how long one question may take, failover included',
    parse: durationBetween(50, 20_000),
    default: '3s',
    check: true,
  }),
  deadline: one({
    value: 'TIME',
    group: 'DNS and cache',
    help: 'how long one assessment may take; Sendmail waits 10s, Postfix 30s',
    parse: durationBetween(100, 25_000),
    default: '6s',
    check: true,
  }),
  cacheSize: one({
    value: 'N',
    group: 'DNS and cache',
    help: 'client addresses whose assessments are kept; 0 keeps none',
    parse: numberBetween(0, 1_000_000),
    default: '20000',
  }),
  cacheMin: one({
    value: 'TIME',
    group: 'DNS and cache',
    help: 'shortest life of an assessment, whatever the TTLs say',
    parse: durationBetween(0, 3_600_000),
    default: '10s',
  }),
  cacheMax: one({
    value: 'TIME',
    group: 'DNS and cache',
    help: 'longest life of an assessment, whatever the TTLs say',
    parse: durationBetween(0, 86_400_000),
    default: '15m',
  }),
  authservId: optional({
    value: 'NAME',
    group: 'Replies',
    help: 'name under which we sign Authentication-Results (default: the name of the MTA)',
    parse: token,
  }),
  noAuthResults: flag({
    group: 'Replies',
    help: 'add no Authentication-Results to accepted mail; spares the MTA all events after RCPT',
  }),
  helpUrl: optional({
    value: 'URL',
    group: 'Replies',
    help: 'page that explains a refusal; #FINDING-ID is appended',
    parse: replyText(120),
    check: true,
  }),
  contact: optional({
    value: 'TEXT',
    group: 'Replies',
    help: 'whom a refused sender may ask, for example postmaster@example.org or a phone number',
    parse: replyText(80),
    check: true,
  }),
  replyTemplate: many({
    value: 'ID=TEXT',
    group: 'Replies',
    help: 'your words for one finding; {helo}, {client} and what else its own text has in braces is filled in',
    parse: template,
    check: true,
    table: true,
    blanks: true,
  }),
  logFormat: one({
    value: 'FORMAT',
    group: 'Logging',
    help: 'kv: lines of key=value; json: one JSON object a line; see docs/log.md',
    parse: oneOf('kv', 'json'),
    default: 'kv',
    restart: true,
  }),
  logLevel: one({
    value: 'LEVEL',
    group: 'Logging',
    help: 'the least urgent lines that are written: error, warning, info (decisions) or debug',
    parse: oneOf(...LEVELS),
    default: 'info',
  }),
  logTime: flag({
    group: 'Logging',
    help: 'begin key=value lines with the time in UTC; the journal and JSON have theirs',
    restart: true,
  }),
  decisionLog: optional({
    value: 'FILE',
    group: 'Logging',
    help: 'append every decision with its evidence to this file, as JSON lines; opened anew on SIGUSR1, see docs/log.md',
    parse: verbatim,
    restart: true,
    path: true,
  }),
  traceClient: many({
    value: 'NETWORK',
    group: 'Logging',
    help: 'log the whole milter dialogue of clients in this network; see docs/log.md',
    parse: prefix,
  }),
  http: optional({
    value: 'ADDRESS:PORT',
    group: 'Monitoring',
    help: 'serve /metrics for Prometheus, /healthz and /readyz here, for example 127.0.0.1:9892; see docs/metrics.md',
    parse: httpAddress,
    restart: true,
  }),
  httpPublic: flag({
    group: 'Monitoring',
    help: 'let --http be an address that others can reach; there is no password',
    restart: true,
  }),
} as const;

export type Options = typeof OPTIONS;
export type OptionKey = keyof Options;

/** The rows of the table in its order. */
export const ROWS = Object.entries(OPTIONS) as [OptionKey, OptionRow<unknown>][];

/** The values of all options, read and checked one by one. */
export type Config = {
  readonly [K in OptionKey]: Options[K] extends OptionRow<infer T> ? T : never;
};

/** What must hold between two options: the two, and whether it does. */
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
];

/**
 * Reads all options from the texts given for each. Throws OptionError for the first fault, the others with it. Of two
 * options that do not go together the one is blamed that was given.
 */
export function readConfig(given: ReadonlyMap<string, readonly string[]>): Config {
  const faults: OptionError[] = [];
  const entries = ROWS.map(([key, row]) => {
    try {
      return [key, readOption(key, row, given.get(key) ?? [])];
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      faults.push(error);
      return [key, null];
    }
  });
  const config = Object.freeze(Object.fromEntries(entries) as Config);
  for (const { keys, holds, problem } of faults.length > 0 ? [] : RELATIONS) {
    if (holds(config)) continue;
    const blamed = keys.find((key) => given.has(key)) ?? keys[0];
    faults.push(new OptionError(flagOf(blamed), problem(config)));
  }
  const [first, ...others] = faults;
  if (first === undefined) return config;
  throw new OptionError(first.flag, first.problem, first.value, others);
}
