/** Senders that would newly be refused, or be let in. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Changed, ChangedSender } from './changed.ts';
import { dayText } from '../src/report/figures.ts';
import { number } from './format.ts';

interface ChangedViewProps {
  /** Null while it is worked out. */
  readonly changed: Changed | null;
  readonly empty: string;
  readonly onSender: (name: string) => void;
}

const COLUMNS = [
  ['points', 'Looks legitimate'],
  ['name', 'Sender'],
  ['messages', 'Messages'],
  ['tempfail', 'Delayed'],
  ['reject', 'Refused'],
  ['days', 'Days'],
  ['last', 'Last'],
] as const;
type Column = (typeof COLUMNS)[number][0];
const ROWS = 25;

export function ChangedView({ changed, empty, onSender }: ChangedViewProps): JSX.Element {
  const [sort, setSort] = useState<Column>('points');
  const [page, setPage] = useState(0);
  if (changed === null) return <p class="state">Working out who that is …</p>;
  if (changed.count === 0) return <p class="state">{empty}</p>;
  // By points they come as they are: then by messages.
  const sorted = sort === 'points' ? changed.senders : changed.senders.toSorted(by(sort));
  const pages = Math.ceil(sorted.length / ROWS);
  const at = Math.min(page, pages - 1);
  return (
    <>
      <p class="faint">
        {number(changed.count)} senders with {number(changed.messages)} messages
        {changed.count > changed.senders.length && `; the first ${number(changed.senders.length)} are shown`}.
        A sender is the domain that HELO claims, and where its hosts belong.
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Senders">
        <table>
          <thead>
            <tr>
              {COLUMNS.map(([key, label]) => (
                <th
                  key={key}
                  aria-sort={sort === key ? (key === 'name' ? 'ascending' : 'descending') : 'none'}
                >
                  <button
                    type="button"
                    class="plain"
                    onClick={() => {
                      setSort(key);
                      setPage(0);
                    }}
                  >
                    {label}
                    {sort === key ? (key === 'name' ? ' ↑' : ' ↓') : ''}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(at * ROWS, (at + 1) * ROWS).map((sender) => (
              <SenderRow key={`${sender.name} ${sender.origin}`} sender={sender} onSender={onSender} />
            ))}
          </tbody>
        </table>
      </div>
      <Pager page={at} pages={pages} onPage={setPage} />
    </>
  );
}

function SenderRow({
  sender,
  onSender,
}: {
  readonly sender: ChangedSender;
  readonly onSender: ChangedViewProps['onSender'];
}): JSX.Element {
  const { name, origin, points, signs, messages, now, days, last } = sender;
  return (
    <tr>
      <td>
        <details>
          <summary>
            <meter min={0} max={100} value={points} aria-label={`${points} of 100 points`} /> {points}
          </summary>
          <ul class="signs">
            {signs.map((sign) => (
              <li key={sign.text}>
                <b>{sign.points > 0 ? `+${sign.points}` : sign.points}</b> {sign.text}
              </li>
            ))}
          </ul>
        </details>
      </td>
      <td class="long">
        <button
          type="button"
          class="link"
          onClick={() => {
            onSender(name);
          }}
        >
          {name}
        </button>
        {origin !== name && <span class="faint"> from {origin}</span>}
      </td>
      <td class="n">{number(messages)}</td>
      <td class="n">{number(now.tempfail)}</td>
      <td class="n">{number(now.reject)}</td>
      <td class="n">{number(days)}</td>
      <td class="n">{dayText(last)}</td>
    </tr>
  );
}

function by(sort: Column): (a: ChangedSender, b: ChangedSender) => number {
  if (sort === 'name') return (a, b) => (a.name < b.name ? -1 : 1);
  const value = (sender: ChangedSender): number =>
    sort === 'tempfail' || sort === 'reject' ? sender.now[sort] : sender[sort];
  return (a, b) => value(b) - value(a);
}

interface PagerProps {
  readonly page: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}

export function Pager({ page, pages, onPage }: PagerProps): JSX.Element | null {
  if (pages < 2) return null;
  // At either end the button stays one that can have the focus: whoever pressed it has it.
  return (
    <nav class="pager" aria-label="Pages">
      <button
        type="button"
        aria-disabled={page === 0}
        onClick={() => {
          if (page > 0) onPage(page - 1);
        }}
      >
        Previous
      </button>
      <span>
        Page {number(page + 1)} of {number(pages)}
      </span>
      <button
        type="button"
        aria-disabled={page >= pages - 1}
        onClick={() => {
          if (page < pages - 1) onPage(page + 1);
        }}
      >
        Next
      </button>
    </nav>
  );
}
