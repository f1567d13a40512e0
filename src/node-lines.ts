/** Which lines of Node still get security fixes. */

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

/** A warning, if this Node (such as `v20.1.0`) has no support any more; `now` in milliseconds since 1970. */
export function endOfLifeWarning(nodeVersion: string, now: number): string | null {
  const line = Number(/^v(\d+)\./.exec(nodeVersion)?.[1]);
  const end = END_OF_LIFE[line];
  if (end === undefined || now < Date.parse(end) + 86_400_000) return null;
  return `Node ${line} has had no security fixes since ${end}; use a later even-numbered line`;
}
