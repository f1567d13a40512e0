/** What is valid in a configuration and may still surprise. */
import { mismatchAlone } from '../policy/mismatch-alone.ts';
import { getHeapStatistics } from 'node:v8';
import { PRESETS } from '../core/check.ts';
import { formatDuration, formatSize } from './values.ts';
import type { Config } from './config.ts';
import type { OptionKey } from './options.ts';
import type { StoreAddress } from './store-address.ts';
import { FORGED_RESULTS } from '../policy/forged-results.ts';
import type { Policy } from '../policy/policy.ts';
import type { Rules } from '../policy/rules.ts';

export interface Surprise {
  /** The option that this is about. */
  readonly key: OptionKey;
  readonly text: string;
}

/** Where the milter listens, as far as it matters here. */
interface Listening {
  readonly kind: 'inet' | 'unix' | 'fd';
  readonly host?: string;
}

/** `INPUT_MAIL_FILTER` of Sendmail without a `T=`; Postfix's `milter_command_timeout` is 30 s. */
const SENDMAIL_WAITS_MS = 10_000;
/** `DefaultTimeoutStopSec` of systemd. */
const SYSTEMD_WAITS_MS = 90_000;
/** Bytes of cache below which the share of a network holds only a few assessments. */
const LITTLE_CACHE = 1024 * 1024;

/** What the warnings look at. */
interface Facts {
  readonly config: Config;
  readonly rules: Rules;
  readonly sockets: readonly Listening[];
}

/** The option, when there is something to say, and what. */
type Row = readonly [key: OptionKey, when: (facts: Facts) => boolean, text: (facts: Facts) => string];

const ROWS: readonly Row[] = [
  [
    'ramp',
    ({ rules }) => flatRamps(rules).length > 0,
    ({ rules }) => `nothing is refused for what weighs 0, as ${flatRamps(rules).join(', ')} does: no effect`,
  ],
  [
    'deadline',
    ({ config }) => config.deadline >= SENDMAIL_WAITS_MS,
    ({ config }) =>
      `${formatDuration(config.deadline)} is as long as Sendmail waits for an answer (10s without a T= of its own), or longer; Postfix waits 30s unless told, and 15s with the lines of postfix-conf`,
  ],
  [
    'dnsTimeout',
    ({ config }) => config.dnsTimeout >= config.deadline,
    ({ config }) =>
      `one silent name server uses up the deadline of ${formatDuration(config.deadline)}: nothing is left for other questions`,
  ],
  [
    'listen',
    ({ sockets }) =>
      sockets.some(({ kind, host = '' }) => kind === 'inet' && !/^(?:127\.|::1$|localhost$)/.test(host)),
    () =>
      'it can be reached from outside, and the milter protocol has no password: keep others off by a packet filter',
  ],
  [
    'socketMode',
    ({ config, sockets }) => (config.socketMode & 0o002) !== 0 && sockets.some(({ kind }) => kind === 'unix'),
    () => 'any user of this host may talk to the milter',
  ],
  [
    'grace',
    ({ config }) => config.grace >= SYSTEMD_WAITS_MS,
    () =>
      'systemd kills a service that takes 90s to stop, unless its unit has Type=notify, like ours, or a longer TimeoutStopSec',
  ],
  [
    'regularsFile',
    ({ config }) => config.regularsFile !== null && config.regulars === null,
    () => 'nobody is regular without regulars: this has no effect',
  ],
  [
    'regulars',
    ({ config }) => config.regulars !== null && config.regularsFile === null,
    () => 'without regulars-file a restart forgets them all',
  ],
  [
    'regulars',
    ({ config }) => config.regulars !== null && config.noAuthResults,
    () => 'with no-auth-results the end of most messages is not seen, and what is not seen does not count',
  ],
  [
    'storePasswordFile',
    ({ config }) => config.store === null && config.storePasswordFile !== null,
    () => 'there is no store: this has no effect',
  ],
  [
    'storeCa',
    ({ config }) => config.storeCa !== null && config.store?.tls !== true,
    () => 'there is no store with TLS (rediss://): this has no effect',
  ],
  [
    'store',
    ({ config }) => config.store !== null && config.storePasswordFile !== null && isOpenLine(config.store),
    () => 'the password and what is known of senders go over the network as they are: use rediss://',
  ],
  [
    'store',
    ({ config }) =>
      config.store !== null && config.storeShare.includes('assessments') && config.dnsZone !== null,
    () => 'with dns-zone no assessments are shared',
  ],
  [
    'selfTestRecipient',
    ({ config }) => config.selfTestRecipient.length > 0 && config.applyAt !== 'rcpt',
    ({ config }) =>
      `who is refused at ${config.applyAt.toUpperCase()} gets no further, and cannot ask at RCPT why`,
  ],
  [
    'dnsZone',
    ({ config }) => config.dnsZone !== null,
    () => 'no name server is asked: this is for trying things out',
  ],
  ['cacheSize', ({ config }) => config.cacheSize === 0, () => 'DNS is asked again for every session'],
  [
    'cacheMemory',
    ({ config }) => config.cacheSize > 0 && config.cacheMemory < LITTLE_CACHE,
    ({ config }) =>
      `a network may have ${formatSize(config.cacheMemory / 64)} of it at a time, which holds hardly any assessment`,
  ],
  [
    'cacheMemory',
    ({ config }) => config.cacheSize > 0 && config.cacheMemory > heapSize() / 2,
    () =>
      `more than half of the ${formatSize(heapSize() - (heapSize() % 1024 ** 2))} that Node gives this program; NODE_OPTIONS=--max-old-space-size=MiB gives it more`,
  ],
  [
    'enforcePercent',
    ({ config }) => config.observe && config.enforcePercent < 100,
    () => 'observe refuses nothing: this has no effect',
  ],
  [
    'socketGroup',
    ({ config, sockets }) => config.socketGroup !== null && sockets.every(({ kind }) => kind !== 'unix'),
    () => 'no unix socket is opened: this has no effect',
  ],
  [
    'httpPublic',
    ({ config }) => config.httpPublic && config.http === null,
    () => 'nothing is served without http: this has no effect',
  ],
  [
    'history',
    ({ config }) => config.history !== null && !config.httpPage,
    () => 'only the page shows recent decisions: without http-page this has no effect',
  ],
  [
    'logTime',
    ({ config }) => config.logTime && config.logFormat === 'json',
    () => 'JSON lines have the time in any case: this has no effect',
  ],
  [
    'authservId',
    ({ config }) => config.noAuthResults && config.authservId !== null,
    () => 'no-auth-results adds no field: this has no effect',
  ],
  [
    'forgedResults',
    ({ config }) => config.noAuthResults && config.forgedResults !== FORGED_RESULTS[0],
    () => 'no-auth-results removes no field: this has no effect',
  ],
];

export function surprises(
  config: Config,
  { rules }: { readonly rules: Rules },
  sockets: readonly Listening[],
): Surprise[] {
  const crossings = [...new Set(policiesIn(rules))].flatMap((policy): Surprise[] => {
    const text = crossesRfc5321(policy);
    return text === null ? [] : [{ key: blamed(config, policy, rules.policy), text }];
  });
  const facts = { config, rules, sockets };
  const told = ROWS.filter(([, when]) => when(facts)).map(([key, , text]) => ({ key, text: text(facts) }));
  return [...crossings, ...told];
}

/** Without TLS, and to another host. */
function isOpenLine({ place, tls }: StoreAddress): boolean {
  if (tls || place.kind === 'unix') return false;
  const hosts = place.kind === 'tcp' ? [place] : place.sentinels;
  return hosts.some(({ host }) => !/^(?:127\.|::1$|localhost$)/.test(host));
}

function policiesIn({ policy, recipients }: Rules): readonly Policy[] {
  return [policy, ...recipients.policies];
}

/** Findings with a ramp that weigh nothing under any policy. */
function flatRamps(rules: Rules): readonly string[] {
  return [...rules.policy.ramps.keys()].filter((id) =>
    policiesIn(rules).every(({ weights }) => weights.get(id) === 0),
  );
}

function heapSize(): number {
  return getHeapStatistics().heap_size_limit;
}

/** RFC 5321 §4.1.4: the server MUST NOT refuse a message because the name does not lead to the client. */
function crossesRfc5321(policy: Policy): string | null {
  const { score, findings } = mismatchAlone(policy);
  if (score < policy.tempfailAt) return null;
  const [what, at] = score >= policy.rejectAt ? ['reject', policy.rejectAt] : ['tempfail', policy.tempfailAt];
  const sum = findings.map(({ id, weight }) => `${id} ${weight}`).join(' + ');
  return `crosses RFC 5321 §4.1.4: ${sum} alone ${findings.length === 1 ? 'reaches' : 'reach'} ${what}-at ${at}, though no message may be refused because the HELO name and the address of its client do not match`;
}

/** The option closest to the cause. */
function blamed(config: Config, policy: Policy, general: Policy): OptionKey {
  if (policy !== general) return 'recipientPolicy';
  if (policy.preset !== PRESETS[0]) return 'policy';
  if (config.weight.length > 0) return 'weight';
  return 'tempfailAt';
}
