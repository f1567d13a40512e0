/** The head of the page, and what stands in its place where there is nothing to show. */
import type { JSX } from 'preact';
import { spanText } from '../src/report/figures.ts';
import type { PageData } from '../src/report/page-data.ts';
import { ConnectionBar } from './connection.tsx';
import { minute, number } from './format.ts';
import type { FromWorker } from './messages.ts';
import type { LiveState } from './use-live.ts';

export type Told<Kind extends FromWorker['kind']> = Extract<FromWorker, { readonly kind: Kind }>;

/** What there is to judge. */
export type Stock = Pick<Told<'grown'>, 'decisions' | 'unreadable' | 'left'>;

interface PageHeadProps {
  readonly data: PageData;
  readonly live: LiveState | null;
  readonly stock: Stock;
  readonly judged: Told<'overview'>;
}

export function PageHead({ data, live, stock, judged }: PageHeadProps): JSX.Element {
  const { slices, sliceMs } = judged.overview;
  const [first, last] = [slices[0]?.from ?? 0, (slices.at(-1)?.from ?? 0) + sliceMs - 1];
  const notes = [
    ...data.notes,
    ...(stock.left === 0 ? [] : [`${number(stock.left)} older decisions are not in this page`]),
    ...(stock.unreadable === 0 ? [] : [`${number(stock.unreadable)} decisions could not be read`]),
  ];
  return (
    <>
      {live !== null && <ConnectionBar live={live} />}
      <header class="head">
        <h1>What if the policy were different?</h1>
        <p>
          {number(stock.decisions)} {stock.decisions === 1 ? 'decision' : 'decisions'},{' '}
          {spanText(first, last)}; {live === null ? 'page of' : 'options as read at'} {minute(data.made)} UTC.{' '}
          {data.masked
            ? 'Recipients and senders are masked; addresses of hosts are not.'
            : 'It holds addresses of people: keep it to yourself.'}
        </p>
        {notes.map((note) => (
          <p key={note} class="faint">
            Note: {note}
          </p>
        ))}
      </header>
    </>
  );
}

export function Loading({ progress }: { readonly progress: Told<'progress'> | null }): JSX.Element {
  const { done, total } = progress ?? { done: 0, total: 1 };
  return (
    <div class="whole" role="status">
      <h1>Reading the decisions …</h1>
      <progress aria-label="Read" max={total} value={done} />
      <p class="faint">{total > 1 ? `${Math.floor((100 * done) / total)} %` : 'One moment.'}</p>
    </div>
  );
}

export function Empty({ unreadable }: { readonly unreadable: number }): JSX.Element {
  return (
    <div class="whole">
      <h1>There is no decision in this page</h1>
      <p>
        {unreadable > 0
          ? `${number(unreadable)} lines could not be read: a newer helo-milter may have written them.`
          : 'Let the milter write a decision log (--decision-log), wait for some mail, and make the page again.'}
      </p>
    </div>
  );
}
