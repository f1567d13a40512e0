/** Time on the page: cut into slices, so that a chart has a bar for each. */

/** Parts into which the time between the first and the last decision is cut. */
const SLICES = 48;

/** Cuts time into slices of a length that people have a word for. */
export class TimeScale {
  readonly from: number;
  readonly sliceMs: number;
  readonly count: number;

  constructor(first: number, last: number) {
    const HOUR = 3_600_000;
    const lengths = [60_000, 300_000, 900_000, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 168 * HOUR];
    const span = Math.max(0, last - first);
    const whole = 672 * HOUR;
    this.sliceMs = lengths.find((each) => span / each <= SLICES) ?? Math.ceil(span / SLICES / whole) * whole;
    this.from = Math.floor(first / this.sliceMs) * this.sliceMs;
    this.count = Math.floor((last - this.from) / this.sliceMs) + 1;
  }

  sliceOf(time: number): number {
    return Math.min(this.count - 1, Math.max(0, Math.floor((time - this.from) / this.sliceMs)));
  }
}
