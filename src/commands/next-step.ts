/** Which options a report is about. */
import type { Config } from '../config/config.ts';
import type { OptionKey } from '../config/options.ts';

export interface NextStep {
  readonly config: Config;
  /**
   * `given`: the options given, acted on. Without any, what comes after the configuration: `enforce`,
   * the policy acted on in place of only watching (`observe`), and where it is in force already,
   * `enforce-percent`, all client networks in place of a share; `shadow-policy`, that policy in place of the
   * one in force.
   */
  readonly step: 'given' | 'enforce' | 'enforce-percent' | 'shadow-policy';
}

/** What is said or asked with a report, and changes no policy. */
const ASIDE: ReadonlySet<OptionKey> = new Set([
  'shadowPolicy',
  'contact',
  'helpUrl',
  'dnsServer',
  'dnsZone',
  'dnsTimeout',
  'deadline',
  'nat64Prefix',
]);

/**
 * `flags` are the options given on the command line. Without any that bears on a verdict the question is what
 * comes after the configuration as it is: first that it is acted on, then for all networks, then the shadow
 * policy.
 */
export function nextStep(config: Config, flags: ReadonlySet<OptionKey>): NextStep {
  const acted = { ...config, observe: config.observe && flags.has('observe') };
  if (![...flags].every((key) => ASIDE.has(key))) return { config: acted, step: 'given' };
  if (config.observe) return { config: acted, step: 'enforce' };
  if (config.enforcePercent < 100)
    return { config: { ...acted, enforcePercent: 100 }, step: 'enforce-percent' };
  if (config.shadowPolicy !== null && config.shadowPolicy !== config.policy)
    return { config: { ...acted, policy: config.shadowPolicy, shadowPolicy: null }, step: 'shadow-policy' };
  return { config: acted, step: 'given' };
}
