/** The rules of a Config: its policies and reply texts, and the files that it names. */
import { closest } from '../config/closest.ts';
import type { Config } from '../config/config.ts';
import type { Check, FindingSpec } from '../core/check.ts';
import { Faults, OptionError } from '../errors.ts';
import { AccessList, type OnExpired, parseAccess } from '../policy/access.ts';
import { makePolicy, type Policy, worthwhile } from '../policy/policy.ts';
import { policyFrom, type PolicyOptions } from '../policy/policy-options.ts';
import { parseRecipientRules, RecipientPolicies } from '../policy/recipients.ts';
import { policiesOf, type Rules } from '../policy/rules.ts';
import type { ReplyCodes, ReplyOptions } from '../policy/smtp-reply.ts';
import { placeholders } from '../policy/template.ts';
import { networkShare } from './network-share.ts';
import type { Registry } from './registry.ts';
import { namedFile } from '../system/named-file.ts';

/**
 * Reads the files that the Config names. Rejects with a UsageError for the first mistake, which carries the
 * others.
 */
export async function readRules(
  config: Config,
  { checks, findings }: Registry,
  onExpired: OnExpired,
): Promise<Rules> {
  const faults = new Faults();
  const made = faults.try(() => ({
    policy: policyOf(config, findings),
    shadowPolicy: config.shadowPolicy === null ? null : makePolicy(config.shadowPolicy, findings),
  }));
  const lists = await faults.attempt(() => readLists(config, checks, onExpired));
  const reply = faults.try(() => replyOf(config, findings));
  faults.throwAny();
  if (made === null || lists === null || reply === null) throw new Error('no fault was told');
  const recipients = new RecipientPolicies(lists.recipients, (preset) => {
    return policyOf({ ...config, policy: preset }, findings);
  });
  const policies = { ...made, recipients };
  return {
    ...policies,
    checks: worthwhile(checks, policiesOf(policies)),
    enforcement: { observe: config.observe, percent: config.enforcePercent, shareOf: networkShare },
    streamLimits: new Map(config.streamLimit),
    applyAt: config.applyAt,
    trusted: config.trust,
    nat64: config.nat64Prefix,
    exemptDaemons: config.exemptDaemon,
    ourNames: config.ourName,
    ourAddresses: config.ourAddress,
    access: lists.access,
    churnLimit: config.churnLimit,
    reply,
    selfTest: config.selfTestRecipient,
    traceClients: config.traceClient,
  };
}

/** The lists. The access list can have the conditions that `checks` declare. Rejects as `readRules` does. */
export async function readLists(
  config: Config,
  checks: readonly Check[],
  onExpired: OnExpired,
): Promise<{ readonly access: AccessList; readonly recipients: ReturnType<typeof parseRecipientRules> }> {
  const faults = new Faults();
  const recipients = await faults.attempt(() => readRecipients(config));
  const access = await faults.attempt(() => readAccess(config, checks, onExpired));
  faults.throwAny();
  if (recipients === null || access === null) throw new Error('no fault was told');
  return { access, recipients };
}

async function readAccess(
  { access: file }: Config,
  checks: readonly Check[],
  onExpired: OnExpired,
): Promise<AccessList> {
  if (file === null) return new AccessList({ entries: [], expired: [] }, () => undefined);
  const parsed = parseAccess(await namedFile('--access', file), file, Date.now(), checks);
  for (const entry of parsed.expired) onExpired(file, entry);
  return new AccessList(parsed, (entry) => {
    onExpired(file, entry);
  });
}

async function readRecipients({
  recipientPolicy: file,
}: Config): Promise<ReturnType<typeof parseRecipientRules>> {
  return file === null ? new Map() : parseRecipientRules(await namedFile('--recipient-policy', file), file);
}

/** The policy that the flags give. Throws UsageError for weights and ramps of findings that do not exist. */
export function policyOf(config: PolicyOptions, known: ReadonlyMap<string, FindingSpec>): Policy {
  const { weight, ramp } = config;
  const faults = new Faults();
  for (const [id] of weight) {
    if (!known.has(id)) faults.add(noFinding('--weight', id, known));
  }
  for (const [id] of ramp) {
    const basis = known.get(id)?.basis;
    if (basis === undefined) faults.add(noFinding('--ramp', id, known));
    else if (basis === 'dns') {
      const why = `${id} says what DNS could not answer, for which nothing is ever rejected`;
      faults.add(new OptionError('--ramp', why, id));
    }
  }
  faults.throwAny();
  return policyFrom(config, known);
}

function noFinding(flag: string, id: string, known: ReadonlyMap<string, FindingSpec>): OptionError {
  const meant = closest(id, [...known.keys()]);
  return new OptionError(
    flag,
    `there is no finding "${id}"${meant === '' ? '; see --list-findings' : meant}`,
    id,
  );
}

type ReplyConfig = Pick<Config, 'helpUrl' | 'contact' | 'replyTemplate' | 'replyCode'>;

/**
 * The reply texts and codes that the flags give. Throws UsageError for a finding that does not exist, for a
 * placeholder that its evidence does not fill, as the sender would read a question mark, and for a code
 * that could never be given.
 */
export function replyOf(
  { helpUrl, contact, replyTemplate, replyCode }: ReplyConfig,
  known: ReadonlyMap<string, FindingSpec>,
): ReplyOptions {
  const faults = new Faults();
  for (const [id, text] of replyTemplate) {
    const spec = known.get(id);
    if (spec === undefined) {
      faults.add(noFinding('--reply-template', id, known));
      continue;
    }
    const allowed = new Set(['client', 'helo', ...placeholders(spec.reply), ...placeholders(spec.fix ?? '')]);
    const has = [...allowed].map((name) => `{${name}}`).join(', ');
    for (const stray of placeholders(text).filter((name) => !allowed.has(name))) {
      faults.add(new OptionError('--reply-template', `${id} has no {${stray}}, only ${has}`, id));
    }
  }
  const codes = new Map<string, ReplyCodes>();
  for (const [id, code] of replyCode) {
    const spec = known.get(id);
    const kind = code < 500 ? 'tempfail' : 'reject';
    if (spec === undefined) faults.add(noFinding('--reply-code', id, known));
    else if (kind === 'reject' && spec.basis === 'dns') {
      const problem = `${id} never rejects mail, as DNS could not say: a code for it is 4yz, not ${code}`;
      faults.add(new OptionError('--reply-code', problem, id));
    } else codes.set(id, { ...codes.get(id), [kind]: code });
  }
  faults.throwAny();
  return { helpUrl, contact, templates: new Map(replyTemplate), codes };
}
