/** Which lines of Node still get security fixes, and from whom. */

/** The Node that runs us, and where it comes from. */
export interface NodeBuild {
  /** Such as `v24.1.0`. */
  readonly version: string;
  /** Built by this system's distribution, which then provides its fixes. */
  readonly ofDistribution: boolean;
}

/** The last day of each line, from the schedule of nodejs/Release. */
const END_OF_LIFE: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};

/**
 * Distributions that maintain a line beyond its end: `PRETTY_NAME` of os-release(5) begins with the name.
 * Debian's security team looks after a release for three years; Debian 13 came out on 2025-08-09.
 */
const DISTRIBUTIONS: readonly { readonly name: RegExp; readonly line: number; readonly until: string }[] = [
  { name: /^Debian GNU\/Linux 13\b/, line: 20, until: '2028-08-09' },
];

const LATER = 'use a later even-numbered line';

/**
 * A warning if this Node is no longer supported. `system` is what os-release(5) calls the system; `now` is in
 * milliseconds since 1970.
 */
export function endOfLifeWarning(
  { version, ofDistribution }: NodeBuild,
  system: string,
  now: number,
): string | null {
  const line = Number(/^v(\d+)\./.exec(version)?.[1]);
  const end = END_OF_LIFE[line];
  const over = (day: string): boolean => now >= Date.parse(day) + 86_400_000;
  if (end === undefined || !over(end)) return null;
  if (!ofDistribution) return `Node ${line} has had no security fixes since ${end}; ${LATER}`;
  const maintained = DISTRIBUTIONS.find((each) => each.line === line && each.name.test(system));
  if (maintained === undefined) {
    return `Node ${line} has had no security fixes from the Node project since ${end}; find out whether your distribution makes its own, or ${LATER}`;
  }
  if (!over(maintained.until)) return null;
  return `Node ${line} has had no security fixes from ${system} since ${maintained.until}; ${LATER}`;
}
