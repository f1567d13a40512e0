/** The rules of a Config: its policies and reply texts, and the files that it names. */
import { readFile } from 'node:fs/promises';
import { closest } from '../config/closest.ts';
import type { Config } from '../config/config.ts';
import type { Check, FindingSpec } from '../core/check.ts';
import { describeError, OptionError } from '../errors.ts';
import { AccessList, type OnVoid, parseAccess } from '../policy/access.ts';
import { makePolicy, type Policy, worthwhile } from '../policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../policy/recipients.ts';
import { policiesOf, type Rules } from '../policy/rules.ts';
import { placeholders, type ReplyOptions } from '../policy/smtp-reply.ts';
import { networkShare } from './network-share.ts';
import type { Registry } from './registry.ts';

/** Reads the files that the Config names. Rejects with UsageError. */
export async function readRules(
  config: Config,
  { checks, findings }: Registry,
  onVoid: OnVoid,
): Promise<Rules> {
  const policies = {
    policy: policyOf(config, findings),
    shadowPolicy: config.shadowPolicy === null ? null : makePolicy(config.shadowPolicy, findings),
    recipients: await readRecipients(config, (preset) => {
      const { rejectAt, tempfailAt, require, weight } = config;
      return policyOf({ policy: preset, rejectAt, tempfailAt, require, weight }, findings);
    }),
  };
  return {
    ...policies,
    checks: worthwhile(checks, policiesOf(policies)),
    enforcement: { observe: config.observe, percent: config.enforcePercent, shareOf: networkShare },
    applyAt: config.applyAt,
    trusted: config.trust,
    exemptDaemons: config.exemptDaemon,
    ourNames: config.ourName,
    ourAddresses: config.ourAddress,
    access: await readAccess(config, checks, onVoid),
    churnLimit: config.churnLimit,
    reply: replyOf(config, findings),
    traceClients: config.traceClient,
  };
}

async function readAccess(
  { access: file }: Config,
  checks: readonly Check[],
  onVoid: OnVoid,
): Promise<AccessList> {
  if (file === null) return new AccessList({ entries: [], expired: [] }, () => undefined);
  const parsed = parseAccess(await text(file, '--access'), file, Date.now(), checks);
  for (const entry of parsed.expired) onVoid(file, entry);
  return new AccessList(parsed, (entry) => {
    onVoid(file, entry);
  });
}

async function readRecipients(
  { recipientPolicy: file }: Config,
  make: ConstructorParameters<typeof RecipientPolicies>[1],
): Promise<RecipientPolicies> {
  const rules = file === null ? [] : parseRecipientRules(await text(file, '--recipient-policy'), file);
  return new RecipientPolicies(new Map(rules), make);
}

async function text(file: string, flag: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new OptionError(flag, describeError(error));
  });
}

export type PolicyConfig = Pick<Config, 'policy' | 'rejectAt' | 'tempfailAt' | 'require' | 'weight'>;

/** The policy of the flags. Throws UsageError for a weight of a finding that does not exist. */
export function policyOf(
  { policy, rejectAt, tempfailAt, require, weight }: PolicyConfig,
  known: ReadonlyMap<string, FindingSpec>,
): Policy {
  for (const [id] of weight) {
    if (!known.has(id)) throw noFinding('--weight', id, known);
  }
  return makePolicy(policy, known, {
    rejectAt,
    tempfailAt,
    require: require ?? undefined,
    weights: new Map(weight),
  });
}

function noFinding(flag: string, id: string, known: ReadonlyMap<string, FindingSpec>): OptionError {
  const meant = closest(id, [...known.keys()]);
  return new OptionError(
    flag,
    `there is no finding "${id}"${meant === '' ? '; see --list-findings' : meant}`,
    id,
  );
}

/**
 * Reply texts of the flags. Throws UsageError for a finding that does not exist, and for a placeholder that its evidence
 * does not have: the sender would read a question mark.
 */
export function replyOf(
  { helpUrl, contact, replyTemplate }: Pick<Config, 'helpUrl' | 'contact' | 'replyTemplate'>,
  known: ReadonlyMap<string, FindingSpec>,
): ReplyOptions {
  for (const [id, text] of replyTemplate) {
    const spec = known.get(id);
    if (spec === undefined) throw noFinding('--reply-template', id, known);
    const allowed = new Set(['client', 'helo', ...placeholders(spec.reply)]);
    const stray = placeholders(text).find((name) => !allowed.has(name));
    if (stray !== undefined) {
      const has = [...allowed].map((name) => `{${name}}`).join(', ');
      throw new OptionError('--reply-template', `${id} has no {${stray}}, only ${has}`, id);
    }
  }
  return { helpUrl, contact, templates: new Map(replyTemplate) };
}
