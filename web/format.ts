/** How numbers and times are written on the page. */

const NUMBER = new Intl.NumberFormat('en-GB');

export function number(value: number): string {
  return NUMBER.format(value);
}

/** `+1,204`, `0`; with a minus sign that a screen reader knows. */
export function difference(value: number): string {
  return value > 0 ? `+${NUMBER.format(value)}` : NUMBER.format(value);
}

/** `7.3 %`. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '0 %';
  const percent = (100 * part) / whole;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `2026-11-26 15:04`, in UTC. */
export function minute(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

/** `2026-11-26 15:04:05`, in UTC. */
export function second(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

/** `6 hours`. */
export function span(ms: number): string {
  const [length, noun] =
    ms % 86_400_000 === 0
      ? [ms / 86_400_000, 'day']
      : ms % 3_600_000 === 0
        ? [ms / 3_600_000, 'hour']
        : [ms / 60_000, 'minute'];
  return length === 1 ? `${noun === 'hour' ? 'an' : 'a'} ${noun}` : `${length} ${noun}s`;
}
