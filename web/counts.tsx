/** The three numbers that an administrator looks at first. */
import type { JSX } from 'preact';
import { difference, number, share } from './format.ts';
import type { Overview } from './overview.ts';

const WORDS = [
  ['accept', 'Accepted'],
  ['tempfail', 'Delayed'],
  ['reject', 'Refused'],
] as const;

interface CountCardsProps {
  readonly overview: Overview;
  /** They change by themselves: nobody wants each change read out. */
  readonly isLive: boolean;
}

export function CountCards({ overview, isLive }: CountCardsProps): JSX.Element {
  const { all, uncertain } = overview;
  return (
    <section class="cards" aria-label="Counts" aria-live={isLive ? 'off' : 'polite'}>
      {WORDS.map(([key, word]) => {
        const change = all.now[key] - all.then[key];
        return (
          <div key={key} class={`card count ${key}`}>
            <h2>{word}</h2>
            <p class="big" data-count={key}>
              {number(all.now[key])}
            </p>
            <p class="faint">
              {share(all.now[key], all.decisions)}; was {number(all.then[key])} ({difference(change)})
            </p>
          </div>
        );
      })}
      <div class="card count">
        <h2>Would change</h2>
        <p class="big">{number(all.stricter + all.milder)}</p>
        <p class="faint">
          <span data-count="stricter">{number(all.stricter)}</span> stricter,{' '}
          <span data-count="milder">{number(all.milder)}</span> milder
          {uncertain > 0 && `; ${number(uncertain)} not certain`}
        </p>
      </div>
    </section>
  );
}
