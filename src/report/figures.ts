/** Numbers, days and times as reports tell them. */

export const DAY_MS = 86_400_000;

/** `1 day`, `2 days`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The day in UTC, `2026-11-24`, of a Unix time in milliseconds. */
export function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** From the one Unix time to the other, by the day. */
export function spanText(first: number, last: number): string {
  const [from, to] = [dayText(first), dayText(last)];
  return from === to ? from : `${from} to ${to}`;
}

/** The same as short as ISO 8601 (§4.4.4) allows: `2026-11-24/12-03`. */
export function intervalText(first: number, last: number): string {
  const [from, to] = [dayText(first), dayText(last)];
  if (from === to) return from;
  return `${from}/${from.slice(0, 4) === to.slice(0, 4) ? to.slice(5) : to}`;
}

/** To the second, `2026-11-24 10:00:00 UTC`. */
export function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
