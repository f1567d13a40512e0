/**
 * What follows from a list of checks alone. A list is the same for all clients until a reload, so this is
 * worked out once for each, and not for every assessment.
 */
import type { Check, Zone } from './check.ts';
import { findingsOf } from './checks/index.ts';

export interface CheckList {
  readonly checks: readonly Check[];
  /** Those that look at the text alone. */
  readonly formal: readonly Check[];
  readonly others: readonly Check[];
  /** The names of those that can show correspondence. */
  readonly provers: ReadonlySet<string>;
  /** Whose zones each reads; undefined is the owner's. */
  readonly reads: ReadonlyMap<string, Zone | undefined>;
  /** The place of each check in the list, by name. */
  readonly places: ReadonlyMap<string, number>;
  /** The place of each finding in registry order, by id. */
  readonly findingPlaces: ReadonlyMap<string, number>;
}

const known = new WeakMap<readonly Check[], CheckList>();

/** What is known of the list as it is now: whoever has made it may have added to it since. */
export function listed(checks: readonly Check[]): CheckList {
  const before = known.get(checks);
  if (before !== undefined && isSame(before.checks, checks)) return before;
  const list: CheckList = {
    checks: checks.slice(),
    formal: checks.filter(isFormal),
    others: checks.filter((check) => !isFormal(check)),
    provers: new Set(checks.filter((check) => check.provesCorrespondence === true).map(({ name }) => name)),
    reads: new Map(checks.map(({ name, reads }) => [name, reads])),
    places: new Map(checks.map(({ name }, place) => [name, place])),
    findingPlaces: new Map([...findingsOf(checks).keys()].map((id, place) => [id, place])),
  };
  known.set(checks, list);
  return list;
}

function isSame(a: readonly Check[], b: readonly Check[]): boolean {
  return a.length === b.length && a.every((check, place) => check === b[place]);
}

/** Whether a check looks at the text alone: its findings say so. */
function isFormal({ findings }: Check): boolean {
  const specs = Object.values(findings);
  return specs.length > 0 && specs.every(({ basis }) => basis === 'form');
}

/** A comparison for sorting by place: what has none comes first. */
export function byPlace<T>(
  places: ReadonlyMap<string, number>,
  key: (item: T) => string,
): (a: T, b: T) => number {
  return (a, b) => (places.get(key(a)) ?? -1) - (places.get(key(b)) ?? -1);
}
