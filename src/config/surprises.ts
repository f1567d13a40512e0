/** What is valid in a configuration and may still surprise. */
import { mismatchAlone } from '../policy/mismatch-alone.ts';
import { getHeapStatistics } from 'node:v8';
import { PRESETS } from '../core/check.ts';
import { formatDuration, formatSize } from './values.ts';
import type { Config } from './config.ts';
import type { OptionKey } from './options.ts';
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

export function surprises(
  config: Config,
  { rules }: { readonly rules: Rules },
  sockets: readonly Listening[],
): Surprise[] {
  const given: Surprise[] = [];
  const warn = (key: OptionKey, when: boolean, text: string): void => {
    if (when) given.push({ key, text });
  };
  for (const policy of new Set([rules.policy, ...rules.recipients.policies])) {
    const crossing = crossesRfc5321(policy);
    if (crossing !== null) given.push({ key: blamed(config, policy, rules.policy), text: crossing });
  }
  const policies = [rules.policy, ...rules.recipients.policies];
  const flat = [...rules.policy.ramps.keys()].filter((id) =>
    policies.every(({ weights }) => weights.get(id) === 0),
  );
  warn(
    'ramp',
    flat.length > 0,
    `nothing is refused for what weighs 0, as ${flat.join(', ')} does: no effect`,
  );
  const { deadline, dnsTimeout } = config;
  warn(
    'deadline',
    deadline >= SENDMAIL_WAITS_MS,
    `${formatDuration(deadline)} is as long as Sendmail waits for an answer (10s without a T= of its own), or longer; Postfix waits 30s unless told, and 15s with the lines of postfix-conf`,
  );
  warn(
    'dnsTimeout',
    dnsTimeout >= deadline,
    `one silent name server uses up the deadline of ${formatDuration(deadline)}: nothing is left for other questions`,
  );
  warn(
    'listen',
    sockets.some(({ kind, host = '' }) => kind === 'inet' && !/^(?:127\.|::1$|localhost$)/.test(host)),
    'it can be reached from outside, and the milter protocol has no password: keep others off by a packet filter',
  );
  warn(
    'socketMode',
    (config.socketMode & 0o002) !== 0 && sockets.some(({ kind }) => kind === 'unix'),
    'any user of this host may talk to the milter',
  );
  warn(
    'grace',
    config.grace >= SYSTEMD_WAITS_MS,
    'systemd kills a service that takes 90s to stop, unless its unit has Type=notify, like ours, or a longer TimeoutStopSec',
  );
  const { regulars } = config;
  warn(
    'regularsFile',
    config.regularsFile !== null && regulars === null,
    'nobody is regular without regulars: this has no effect',
  );
  warn(
    'regulars',
    regulars !== null && config.regularsFile === null,
    'without regulars-file a restart forgets them all',
  );
  warn(
    'regulars',
    regulars !== null && config.noAuthResults,
    'with no-auth-results the end of most messages is not seen, and what is not seen does not count',
  );
  warn(
    'selfTestRecipient',
    config.selfTestRecipient.length > 0 && config.applyAt !== 'rcpt',
    `who is refused at ${config.applyAt.toUpperCase()} gets no further, and cannot ask at RCPT why`,
  );
  warn('dnsZone', config.dnsZone !== null, 'no name server is asked: this is for trying things out');
  warn('cacheSize', config.cacheSize === 0, 'DNS is asked again for every session');
  warn(
    'cacheMemory',
    config.cacheSize > 0 && config.cacheMemory < LITTLE_CACHE,
    `a network may have ${formatSize(config.cacheMemory / 64)} of it at a time, which holds hardly any assessment`,
  );
  const heap = getHeapStatistics().heap_size_limit;
  warn(
    'cacheMemory',
    config.cacheSize > 0 && config.cacheMemory > heap / 2,
    `more than half of the ${formatSize(heap - (heap % 1024 ** 2))} that Node gives this program; NODE_OPTIONS=--max-old-space-size=MiB gives it more`,
  );
  warn(
    'enforcePercent',
    config.observe && config.enforcePercent < 100,
    'observe refuses nothing: this has no effect',
  );
  warn(
    'socketGroup',
    config.socketGroup !== null && sockets.every(({ kind }) => kind !== 'unix'),
    'no unix socket is opened: this has no effect',
  );
  warn(
    'httpPublic',
    config.httpPublic && config.http === null,
    'nothing is served without http: this has no effect',
  );
  warn(
    'logTime',
    config.logTime && config.logFormat === 'json',
    'JSON lines have the time in any case: this has no effect',
  );
  warn(
    'authservId',
    config.noAuthResults && config.authservId !== null,
    'no-auth-results adds no field: this has no effect',
  );
  warn(
    'forgedResults',
    config.noAuthResults && config.forgedResults !== FORGED_RESULTS[0],
    'no-auth-results removes no field: this has no effect',
  );
  return given;
}

/** RFC 5321 §4.1.4: the server MUST NOT refuse a message because the name does not lead to the client. */
function crossesRfc5321(policy: Policy): string | null {
  const { score, findings } = mismatchAlone(policy);
  if (score < policy.tempfailAt) return null;
  const [what, at] = score >= policy.rejectAt ? ['reject', policy.rejectAt] : ['tempfail', policy.tempfailAt];
  const sum = findings.map(({ id, weight }) => `${id} ${weight}`).join(' + ');
  return `crosses RFC 5321 §4.1.4: ${sum} alone ${findings.length === 1 ? 'reaches' : 'reach'} ${what}-at ${at}, though a message must not be refused because its client does not verify`;
}

/** The option closest to the cause. */
function blamed(config: Config, policy: Policy, general: Policy): OptionKey {
  if (policy !== general) return 'recipientPolicy';
  if (policy.preset !== PRESETS[0]) return 'policy';
  if (config.weight.length > 0) return 'weight';
  return 'tempfailAt';
}
