/** All decisions: search, sort, open. */
import type { JSX } from 'preact';
import { Pager } from './changed-view.tsx';
import { number, second } from './format.ts';
import { OUTCOMES } from './overview.ts';
import { type FoundRows, PAGE_ROWS, type Query, type SortKey } from './search.ts';

const COLUMNS: readonly (readonly [key: SortKey | null, label: string])[] = [
  ['time', 'Time (UTC)'],
  ['client', 'Client'],
  ['helo', 'HELO'],
  ['sender', 'From'],
  [null, 'To'],
  ['score', 'Score'],
  [null, 'Was'],
  [null, 'Would be'],
];

export const OUTCOME_NAMES = { accept: 'accepted', tempfail: 'delayed', reject: 'refused' } as const;

interface DecisionsViewProps {
  readonly query: Query;
  readonly found: FoundRows | null;
  /** Ids that can be chosen. */
  readonly findings: readonly string[];
  readonly onQuery: (query: Query) => void;
  readonly onOpen: (index: number) => void;
}

export function DecisionsView({ query, found, findings, onQuery, onOpen }: DecisionsViewProps): JSX.Element {
  const change = (changes: Partial<Query>): void => {
    onQuery({ ...query, page: 0, ...changes });
  };
  return (
    <>
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <label class="grow">
          <span>Search</span>
          <input
            type="search"
            value={query.text}
            placeholder="address, name, sender, recipient, reference, queue id"
            onInput={(event) => {
              change({ text: event.currentTarget.value });
            }}
          />
        </label>
        <label>
          <span>Change</span>
          <select
            value={query.change}
            onChange={(event) => {
              change({ change: event.currentTarget.value as Query['change'] });
            }}
          >
            <option value="any">any</option>
            <option value="stricter">stricter</option>
            <option value="milder">milder</option>
            <option value="same">none</option>
          </select>
        </label>
        <label>
          <span>Would be</span>
          <select
            value={query.now}
            onChange={(event) => {
              change({ now: event.currentTarget.value as Query['now'] });
            }}
          >
            <option value="any">any</option>
            {OUTCOMES.map((each) => (
              <option key={each} value={each}>
                {OUTCOME_NAMES[each]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Finding</span>
          <select
            value={query.finding}
            onChange={(event) => {
              change({ finding: event.currentTarget.value });
            }}
          >
            <option value="">any</option>
            {[...new Set([...findings, query.finding])]
              .filter((each) => each !== '')
              .map((each) => (
                <option key={each} value={each}>
                  {each}
                </option>
              ))}
          </select>
        </label>
      </form>
      {found === null ? (
        <p class="state">Searching …</p>
      ) : found.total === 0 ? (
        <p class="state">No decision is like that. Search for less, or take back a choice above.</p>
      ) : (
        <Rows query={query} found={found} onQuery={onQuery} onOpen={onOpen} />
      )}
    </>
  );
}

type RowsProps = Pick<DecisionsViewProps, 'query' | 'onQuery' | 'onOpen'> & { readonly found: FoundRows };

function Rows({ query, found, onQuery, onOpen }: RowsProps): JSX.Element {
  const sortBy = (key: SortKey): void => {
    const descending = query.sort === key ? !query.descending : key === 'time' || key === 'score';
    onQuery({ ...query, page: 0, sort: key, descending });
  };
  return (
    <>
      <p class="faint" role="status">
        {number(found.total)} {found.total === 1 ? 'decision' : 'decisions'}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Decisions">
        <table class="rows">
          <thead>
            <tr>
              {COLUMNS.map(([key, label]) => {
                if (key === null) return <th key={label}>{label}</th>;
                // Of the rows that are here: what was asked for last may still be on its way.
                const isSorted = found.sort === key;
                const order = found.descending ? 'descending' : 'ascending';
                return (
                  <th key={label} aria-sort={isSorted ? order : 'none'}>
                    <button
                      type="button"
                      class="plain"
                      onClick={() => {
                        sortBy(key);
                      }}
                    >
                      {label}
                      {isSorted ? (found.descending ? ' ↓' : ' ↑') : ''}
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {found.rows.map((row) => (
              <tr key={row.index}>
                <td class="n">
                  <button
                    type="button"
                    class="link"
                    aria-label={`Open the decision of ${second(row.time)}, ${row.helo}`}
                    onClick={() => {
                      onOpen(row.index);
                    }}
                  >
                    {second(row.time)}
                  </button>
                </td>
                <td>{row.client}</td>
                <td class="long">{row.helo}</td>
                <td class="long">{row.sender}</td>
                <td class="long">{row.recipients}</td>
                <td class="n" title={row.cause}>
                  {row.score ?? ''}
                </td>
                <td>
                  <span class={`chip ${row.then}`}>{OUTCOME_NAMES[row.then]}</span>
                </td>
                <td>
                  <span class={`chip ${row.now}`}>{OUTCOME_NAMES[row.now]}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pager
        page={found.page}
        pages={Math.ceil(found.total / PAGE_ROWS)}
        onPage={(page) => {
          onQuery({ ...query, page });
        }}
      />
    </>
  );
}
