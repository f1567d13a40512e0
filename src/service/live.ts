/**
 * What the service works with: everything that a Config names, read and found valid before any of it is used,
 * at the start and at every reload. Parts that must follow a reload get functions that read it here whenever
 * they need it.
 */
import type { OnExpired } from '../policy/access.ts';
import type { SharedResolver } from '../dns/asker.ts';
import { type Registry, registryOf } from './registry.ts';
import { resolverOf } from './resolver.ts';
import type { Config } from '../config/config.ts';
import { checks } from '../core/checks/index.ts';
import type { Rules } from '../policy/rules.ts';
import { Faults } from '../errors.ts';
import type { PageSubject } from './page-data-of.ts';
import { readLists, readRules } from './read-rules.ts';
import type { AddressMask } from '../report/address-mask.ts';
import type { PageData } from '../report/page-data.ts';

export interface InForce {
  readonly config: Config;
  readonly registry: Registry;
  readonly rules: Rules;
  readonly resolver: SharedResolver;
  /** What the live page judges with; null if there is none. */
  readonly page: PageData | null;
}

/**
 * Rejects with a UsageError for the first mistake, which carries the others. `mask` hides people on the live
 * page.
 */
export async function prepare(
  config: Config,
  onExpired: OnExpired,
  mask: AddressMask | null = null,
): Promise<InForce> {
  const faults = new Faults();
  const registry = await faults.attempt(() => registryOf(config));
  const rules = registry === null ? null : await faults.attempt(() => readRules(config, registry, onExpired));
  // Without the operator's checks it is not known whether a finding that an option names exists.
  if (registry === null) await faults.attempt(() => readLists(config, checks, onExpired));
  const resolver = await faults.attempt(() => resolverOf(config));
  faults.throwAny();
  if (registry === null || rules === null || resolver === null) throw new Error('no fault was told');
  const page = config.httpPage ? await pageOf({ config, registry, reply: rules.reply, mask }) : null;
  return { config, registry, rules, resolver, page };
}

/**
 * What is in force now. A reload replaces all of it at once: nobody sees half of the old and half of the new.
 */
export class Live {
  #now: InForce;

  constructor(first: InForce) {
    this.#now = first;
  }

  get config(): Config {
    return this.#now.config;
  }

  get registry(): Registry {
    return this.#now.registry;
  }

  get rules(): Rules {
    return this.#now.rules;
  }

  get page(): PageData | null {
    return this.#now.page;
  }

  get resolver(): SharedResolver {
    return this.#now.resolver;
  }

  /** Replaces what is in force by `next`, and returns what was. A resolver that can go on is kept. */
  replace(next: InForce): InForce {
    const before = this.#now;
    this.#now = sameResolver(before.config, next.config) ? { ...next, resolver: before.resolver } : next;
    return before;
  }
}

/** The page is about what would be done: of a service that only watches, by the same options without that. */
async function pageOf(subject: PageSubject): Promise<PageData> {
  // Loaded at the start or never: a reload cannot switch the page on.
  const { pageDataOf } = await import('./page-data-of.ts');
  const { observe } = subject.config;
  const notes = observe
    ? ['the service only watches (observe); counts are those of a service that acts']
    : [];
  const acting = { ...subject, config: { ...subject.config, observe: false } };
  return pageDataOf(acting, { made: Date.now(), left: 0, notes });
}

/** Whether the old resolver can go on: it knows which servers are failing and which questions are open. */
function sameResolver(before: Config, after: Config): boolean {
  return sameServers(before, after) && before.dnsTimeout === after.dnsTimeout;
}

function sameServers(before: Config, after: Config): boolean {
  // A zone file may have changed under the same name.
  return (
    before.dnsZone === null && after.dnsZone === null && String(before.dnsServer) === String(after.dnsServer)
  );
}

/**
 * Whether assessments made before can be used after: the same servers are asked, the operator's own checks
 * are unchanged, and nothing is checked that was not checked then.
 */
export function sameAssessments(before: InForce, after: InForce): boolean {
  const asked = new Set(before.rules.checks.map(({ name }) => name));
  return (
    sameServers(before.config, after.config) &&
    String(before.registry.versions) === String(after.registry.versions) &&
    // What other hosts wrote must not be there any longer.
    (before.rules.access.refusesByProof || !after.rules.access.refusesByProof) &&
    after.rules.checks.every(({ name }) => asked.has(name))
  );
}
