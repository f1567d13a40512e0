/**
 * The option table: one row an option, from which the flags, `--help` and the README's table are made. Everything the
 * operator can tune is here and nowhere else.
 */
import { PRESETS } from './core/check.ts';
import { LEVELS } from './log.ts';
import {
  address,
  countAndAge,
  domainName,
  durationBetween,
  fileMode,
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
import { UsageError } from './usage-error.ts';
import { DEFAULT_REJECT_AT, DEFAULT_TEMPFAIL_AT } from './policy.ts';

export type OptionGroup =
  'Service' | 'Policy' | 'Who we are' | 'Exemptions' | 'DNS and cache' | 'Replies' | 'Logging';

interface OptionDoc {
  /** Placeholder of the value in `--help`; absent for a switch. */
  readonly value?: string;
  readonly group: OptionGroup;
  readonly help: string;
  /** The `check` command understands the option as well. */
  readonly check?: boolean;
}

/** One option. `T` is what the program reads. */
export interface OptionRow<T> extends OptionDoc {
  /** As the operator would write it; null where nothing is set unless told. */
  readonly default: string | null;
  readonly repeatable: boolean;
  /** From the texts given (none for a switch that is off) to the value; throws UsageError. */
  readonly read: (texts: readonly string[]) => T;
}

type Parse<T> = (text: string) => T;

/** An option with one value, always set. */
function one<T>(doc: OptionDoc & { readonly parse: Parse<T>; readonly default: string }): OptionRow<T> {
  const { parse, ...rest } = doc;
  return { ...rest, repeatable: false, read: (texts) => parse(texts.at(-1) ?? doc.default) };
}

/** An option with one value, or none. */
function optional<T>(doc: OptionDoc & { readonly parse: Parse<T> }): OptionRow<T | null> {
  const { parse, ...rest } = doc;
  const read = (texts: readonly string[]): T | null => {
    const text = texts.at(-1);
    return text === undefined ? null : parse(text);
  };
  return { ...rest, default: null, repeatable: false, read };
}

/** An option that may be given several times; what is given replaces the default. */
function many<T>(
  doc: OptionDoc & { readonly parse: Parse<T>; readonly default?: string },
): OptionRow<readonly T[]> {
  const { parse, ...rest } = doc;
  const initial = doc.default === undefined ? [] : [doc.default];
  const read = (texts: readonly string[]): readonly T[] => (texts.length > 0 ? texts : initial).map(parse);
  return { ...rest, default: doc.default ?? null, repeatable: true, read };
}

function flag(doc: OptionDoc): OptionRow<boolean> {
  return { ...doc, default: null, repeatable: false, read: (texts) => texts.length > 0 };
}

/** Keys are the flags without their dashes, in camel case. */
export const OPTIONS = {
  listen: many({
    value: 'SOCKET',
    group: 'Service',
    help: 'where the MTA finds us: inet:HOST:PORT, inet:PORT@HOST, unix:/PATH or local:/PATH',
    parse: verbatim,
    default: 'inet:127.0.0.1:8892',
  }),
  socketMode: one({
    value: 'MODE',
    group: 'Service',
    help: 'mode of a unix socket; the MTA must be able to write to it',
    parse: fileMode,
    default: '0660',
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
    help: 'list of allow and deny lines; read again on SIGHUP, see docs/access.md',
    parse: verbatim,
  }),
  recipientPolicy: optional({
    value: 'FILE',
    group: 'Exemptions',
    help: 'recipients and domains with a policy of their own, or off; read again on SIGHUP, see docs/recipients.md',
    parse: verbatim,
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
  }),
  logFormat: one({
    value: 'FORMAT',
    group: 'Logging',
    help: 'kv: lines of key=value; json: one JSON object a line; see docs/log.md',
    parse: oneOf('kv', 'json'),
    default: 'kv',
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
  }),
} as const;

export type Options = typeof OPTIONS;
export type OptionKey = keyof Options;

/** The values of all options, read and checked one by one. */
export type Config = {
  readonly [K in OptionKey]: Options[K] extends OptionRow<infer T> ? T : never;
};

/** `socketMode` → `--socket-mode`. */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Reads all options from the texts given for each; a UsageError names the flag. */
export function readConfig(given: ReadonlyMap<string, readonly string[]>): Config {
  const entries = Object.entries(OPTIONS).map(([key, row]: [string, OptionRow<unknown>]) => {
    try {
      return [key, row.read(given.get(key) ?? [])];
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${flagOf(key)}: ${error.message}`);
      throw error;
    }
  });
  const config = Object.fromEntries(entries) as Config;
  if (config.tempfailAt > config.rejectAt) {
    throw new UsageError(`--tempfail-at ${config.tempfailAt} is above --reject-at ${config.rejectAt}`);
  }
  if (config.recipientPolicy !== null && config.applyAt !== 'rcpt') {
    throw new UsageError('--recipient-policy needs --apply-at rcpt: before that no recipient is known');
  }
  if (config.cacheMin > config.cacheMax) throw new UsageError('--cache-min is above --cache-max');
  return Object.freeze(config);
}
