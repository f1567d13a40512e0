/** What became of the mail over time, and how well its senders were identified. */
import type { JSX } from 'preact';
import { STREAMS } from '../src/policy/policy.ts';
import { dayText } from '../src/report/figures.ts';
import { minute, number, span } from './format.ts';
import { OUTCOMES, type Overview, type Slice } from './overview.ts';

const WIDTH = 420;
const HEIGHT = 210;
const EDGE = { left: 40, right: 4, top: 8, bottom: 24 } as const;
const TWO_DAYS = 2 * 86_400_000;
const INNER = HEIGHT - EDGE.top - EDGE.bottom;

interface Series {
  readonly key: string;
  readonly label: string;
  readonly of: (slice: Slice) => number;
}

const OUTCOME_WORDS = { accept: 'accepted', tempfail: 'delayed', reject: 'refused' } as const;
const OUTCOME_SERIES: readonly Series[] = OUTCOMES.map((key) => ({
  key,
  label: OUTCOME_WORDS[key],
  of: ({ now }) => now[key],
}));
const STREAM_SERIES: readonly Series[] = STREAMS.map((key) => ({
  key,
  label: key,
  of: ({ streams }) => streams[key],
}));

export function Timelines({ overview }: { readonly overview: Overview }): JSX.Element {
  return (
    <div class="charts">
      <Timeline title="Outcome over time" series={OUTCOME_SERIES} overview={overview} />
      <Timeline title="Streams over time" series={STREAM_SERIES} overview={overview} />
    </div>
  );
}

interface TimelineProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly overview: Overview;
}

function Timeline({ title, series, overview }: TimelineProps): JSX.Element {
  const { slices, sliceMs } = overview;
  const sums = slices.map((slice) => series.reduce((total, { of }) => total + of(slice), 0));
  const most = niceTop(Math.max(1, ...sums));
  const step = (WIDTH - EDGE.left - EDGE.right) / Math.max(1, slices.length);
  const high = (count: number): number => (count / most) * INNER;
  const totals = series.map(
    ({ label, of }) => `${number(slices.reduce((total, slice) => total + of(slice), 0))} ${label}`,
  );
  const [first, last] = [slices[0], slices.at(-1)];
  // Of some hours one day would be all that is said.
  const moment = slices.length * sliceMs < TWO_DAYS ? minute : dayText;
  return (
    <figure class="chart">
      <figcaption>
        {title} <span class="faint">a bar is {span(sliceMs)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}: ${totals.join(', ')}`}>
        {[0, 0.5, 1].map((part) => (
          <g key={part} class="grid">
            <line
              x1={EDGE.left}
              x2={WIDTH - EDGE.right}
              y1={EDGE.top + INNER * (1 - part)}
              y2={EDGE.top + INNER * (1 - part)}
            />
            <text x={EDGE.left - 6} y={EDGE.top + INNER * (1 - part) + 4} text-anchor="end">
              {number(most * part)}
            </text>
          </g>
        ))}
        {slices.map((slice, i) => {
          let base = EDGE.top + INNER;
          const told = series.map(({ label, of }) => `${number(of(slice))} ${label}`).join(', ');
          return (
            <g key={slice.from}>
              <title>{`${minute(slice.from)} UTC: ${told}`}</title>
              {series.map(({ key, of }) => {
                const height = high(of(slice));
                base -= height;
                return (
                  <rect
                    key={key}
                    class={`fill ${key}`}
                    x={EDGE.left + i * step + 0.5}
                    width={Math.max(1, Math.min(40, step - 1))}
                    y={base}
                    height={height}
                  />
                );
              })}
            </g>
          );
        })}
        {first !== undefined && (
          <text class="tick" x={EDGE.left} y={HEIGHT - 6}>
            {moment(first.from)}
          </text>
        )}
        {last !== undefined && slices.length > 8 && (
          <text class="tick" x={WIDTH - EDGE.right} y={HEIGHT - 6} text-anchor="end">
            {moment(last.from + sliceMs - 1)}
          </text>
        )}
      </svg>
      <ul class="legend">
        {series.map(({ key, label }, i) => (
          <li key={key}>
            <i class={`fill ${key}`} aria-hidden="true" />
            {totals[i] ?? label}
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** The next of 1, 2, 4, 6, 10, 20, …: half of it is a whole number too, from 2. */
function niceTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 10].map((each) => each * power).find((each) => each >= most && each >= 2) ?? 10 * power;
}
