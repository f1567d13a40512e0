/** How many decisions have which score, with both thresholds as lines that can be moved. */
import type { JSX, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { type Choice, withThreshold } from './choice.ts';
import type { Disposition } from '../src/policy/policy.ts';
import { OUTCOME_NAMES } from './decisions-view.tsx';
import { number } from './format.ts';
import { OUTCOMES, type ScoreCount } from './overview.ts';

const WIDTH = 640;
const HEIGHT = 270;
const EDGE = { left: 44, right: 14, top: 26, bottom: 30 } as const;
const INNER = { width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom } as const;

type Which = 'tempfailAt' | 'rejectAt';
const THRESHOLDS: readonly { readonly which: Which; readonly label: string; readonly kind: string }[] = [
  { which: 'tempfailAt', label: 'Delay from', kind: 'tempfail' },
  { which: 'rejectAt', label: 'Refuse from', kind: 'reject' },
];

interface HistogramProps {
  readonly scores: readonly ScoreCount[];
  readonly choice: Choice;
  readonly onChoice: (choice: Choice) => void;
}

export function Histogram({ scores, choice, onChoice }: HistogramProps): JSX.Element {
  const svg = useRef<SVGSVGElement>(null);
  const dragged = useRef<Which | null>(null);
  const top = Math.max(15, choice.rejectAt + 3, Math.min(40, scores.at(-1)?.score ?? 0) + 1);
  const most = Math.max(10, ...scores.map(({ now }) => total(now)));
  // Half a score is left on both sides, so that no bar covers the axis.
  const x = (score: number): number => EDGE.left + ((Math.min(score, top) + 0.5) / (top + 1)) * INNER.width;
  const y = (count: number): number => EDGE.top + INNER.height * (1 - Math.log1p(count) / Math.log1p(most));
  const wide = Math.max(2, Math.min(22, INNER.width / (top + 1) - 4));

  const scoreAt = (clientX: number): number => {
    const box = svg.current?.getBoundingClientRect();
    if (box === undefined) return 0;
    const at = ((clientX - box.left) / box.width) * WIDTH;
    return Math.max(1, Math.min(Math.ceil(top), Math.round(((at - EDGE.left) / INNER.width) * (top + 1))));
  };
  const drag = (event: TargetedPointerEvent<SVGGElement>): void => {
    if (dragged.current === null) return;
    const at = scoreAt(event.clientX);
    if (at !== choice[dragged.current]) onChoice(withThreshold(choice, dragged.current, at));
  };
  const steps = powersOfTen(most);
  const ticks = Array.from({ length: Math.floor(top / 5) + 1 }, (_, i) => i * 5);
  return (
    <figure class="chart" id="scores">
      <figcaption>
        Decisions by score <span class="faint">logarithmic; drag the lines, or use the sliders below</span>
      </figcaption>
      <svg ref={svg} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary(scores)}>
        {steps.map((step) => (
          <g key={step} class="grid">
            <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(step)} y2={y(step)} />
            <text x={EDGE.left - 6} y={y(step) + 4} text-anchor="end">
              {short(step)}
            </text>
          </g>
        ))}
        {ticks.map((tick) => (
          <text key={tick} class="tick" x={x(tick)} y={HEIGHT - 10} text-anchor="middle">
            {tick}
          </text>
        ))}
        {scores.map(({ score, now }) => (
          <g key={score}>
            <title>{`score ${score}: ${number(total(now))} decisions; ${number(now.accept)} accepted, ${number(now.tempfail)} delayed, ${number(now.reject)} refused`}</title>
            {partsOf(now, EDGE.top + INNER.height - y(total(now))).map(({ outcome, from, height }) => (
              <rect
                key={outcome}
                class={`fill ${outcome}`}
                x={x(score) - wide / 2}
                y={EDGE.top + INNER.height - from - height}
                width={wide}
                height={height}
              />
            ))}
          </g>
        ))}
        {THRESHOLDS.map(({ which, label, kind }) => {
          const at = x(choice[which] - 0.5);
          const isLow = which === 'tempfailAt' && choice.rejectAt - choice.tempfailAt < top / 4;
          return (
            <g
              key={which}
              class={`threshold ${kind}`}
              data-threshold={which}
              onPointerDown={(event) => {
                dragged.current = which;
                event.currentTarget.setPointerCapture(event.pointerId);
                event.preventDefault();
              }}
              onPointerMove={drag}
              onPointerUp={() => (dragged.current = null)}
              onPointerCancel={() => (dragged.current = null)}
            >
              <rect class="grip" x={at - 12} y={0} width={24} height={HEIGHT - EDGE.bottom} />
              <line x1={at} x2={at} y1={EDGE.top - 8} y2={HEIGHT - EDGE.bottom} />
              <circle cx={at} cy={EDGE.top - 8} r={5} />
              <text x={isLow ? at - 9 : at + 9} y={EDGE.top - 9} text-anchor={isLow ? 'end' : 'start'}>
                {label.toLowerCase()} {choice[which]}
              </text>
            </g>
          );
        })}
      </svg>
      <ul class="legend">
        {OUTCOMES.map((outcome) => (
          <li key={outcome}>
            <i class={`fill ${outcome}`} aria-hidden="true" />
            {OUTCOME_NAMES[outcome]}
          </li>
        ))}
        <li class="faint">otherwise than the lines say: exemptions, ramps, limits, other networks</li>
      </ul>
      <div class="pair">
        {THRESHOLDS.map(({ which, label, kind }) => (
          <label key={which} class={`slider ${kind}`}>
            <span>{label}</span>
            <input
              type="range"
              min={1}
              max={Math.ceil(top)}
              step={1}
              value={choice[which]}
              data-slider={which}
              onInput={(event) => {
                onChoice(withThreshold(choice, which, Number(event.currentTarget.value)));
              }}
            />
            <input
              type="number"
              aria-label={`${label}, as a number`}
              min={0.1}
              max={1000}
              step="any"
              value={choice[which]}
              onChange={(event) => {
                const value = Number(event.currentTarget.value);
                if (value > 0) onChoice(withThreshold(choice, which, value));
              }}
            />
          </label>
        ))}
      </div>
    </figure>
  );
}

/** Height that each outcome has at least in its bar, so that it is seen. */
const LEAST = 3;

/**
 * A bar of this height, cut as its decisions are shared out: the height of all is logarithmic, the parts of
 * it are not. From below.
 */
function partsOf(
  now: ScoreCount['now'],
  height: number,
): readonly { readonly outcome: Disposition; readonly from: number; readonly height: number }[] {
  const there = OUTCOMES.filter((outcome) => now[outcome] > 0);
  const least = Math.min(LEAST, height / Math.max(1, there.length));
  const shared = height - least * there.length;
  let from = 0;
  return there.map((outcome) => {
    const part = { outcome, from, height: least + (shared * now[outcome]) / total(now) };
    from += part.height;
    return part;
  });
}

function total(now: ScoreCount['now']): number {
  return now.accept + now.tempfail + now.reject;
}

function powersOfTen(most: number): number[] {
  const found: number[] = [];
  for (let step = 1; step <= most; step *= 10) found.push(step);
  return found;
}

/** `10k`. */
function short(count: number): string {
  return count >= 1000 ? `${count / 1000}k` : String(count);
}

function summary(scores: readonly ScoreCount[]): string {
  const heaviest = scores.toSorted((a, b) => total(b.now) - total(a.now)).slice(0, 3);
  return `Decisions by score; the most have ${heaviest.map(({ score, now }) => `score ${score} (${number(total(now))})`).join(', ')}`;
}
