/** Finds decisions by what an administrator knows of them. */
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import type { Disposition } from '../src/policy/policy.ts';
import { strictness } from '../src/report/group.ts';
import { inert } from './inert.ts';
import type { WouldBe } from './overview.ts';

export const SORTS = ['time', 'client', 'helo', 'sender', 'score'] as const;
export type SortKey = (typeof SORTS)[number];

export interface Query {
  /** Words, all of which are somewhere in the decision. */
  readonly text: string;
  readonly change: 'any' | 'stricter' | 'milder' | 'same';
  readonly now: Disposition | 'any';
  /** Id of a finding that weighs; empty for any. */
  readonly finding: string;
  readonly sort: SortKey;
  readonly descending: boolean;
  /** From 0. */
  readonly page: number;
}

/** Every decision, the latest first. */
export const EVERYTHING: Query = {
  text: '',
  change: 'any',
  now: 'any',
  finding: '',
  sort: 'time',
  descending: true,
  page: 0,
};

export interface Row {
  /** Place among all decisions that there were. */
  readonly index: number;
  /** Unix time in milliseconds. */
  readonly time: number;
  /** Texts are printable ASCII. */
  readonly client: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipients: string;
  readonly then: Disposition;
  readonly now: Disposition;
  readonly score: number | null;
  readonly cause: string;
}

/** Decisions of a page, in the order in which they are. */
export interface FoundRows extends Pick<Query, 'sort' | 'descending'> {
  readonly total: number;
  readonly page: number;
  readonly rows: readonly Row[];
}

export const PAGE_ROWS = 50;

interface Decisions {
  readonly records: readonly RecordedDecision[];
  readonly texts: readonly string[];
  /** Empty before the first full judgement. */
  readonly outcomes: readonly WouldBe[];
}

/** What is searched of a decision. */
export function searchable(record: RecordedDecision): string {
  const { client, helo, sender, recipients, reference, queueId } = record;
  return inert(
    [client, helo, sender, ...recipients, reference, queueId].filter((each) => each !== null).join(' '),
  ).toLowerCase();
}

export function search(query: Query, { records, texts, outcomes }: Decisions): FoundRows {
  const words = query.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found: number[] = [];
  for (let i = 0; i < records.length; i++) {
    if (!isWanted(query, outcomes[i])) continue;
    const text = texts[i] ?? '';
    if (words.every((word) => text.includes(word))) found.push(i);
  }
  const order = found.sort(orderOf(query, records, outcomes));
  const last = Math.max(0, Math.ceil(order.length / PAGE_ROWS) - 1);
  const page = Math.min(Math.max(0, query.page), last);
  const rows = order.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS).flatMap((index): Row[] => {
    const record = records[index];
    return record === undefined ? [] : [rowOf(index, record, outcomes[index])];
  });
  const { sort, descending } = query;
  return { total: order.length, sort, descending, page, rows };
}

function isWanted({ change, now, finding }: Query, outcome: WouldBe | undefined): boolean {
  if (change === 'any' && now === 'any' && finding === '') return true;
  if (outcome === undefined) return false;
  const by = strictness(outcome.now) - strictness(outcome.then);
  return (
    (change === 'any' || change === (by > 0 ? 'stricter' : by < 0 ? 'milder' : 'same')) &&
    (now === 'any' || now === outcome.now) &&
    (finding === '' || outcome.weighed.includes(finding))
  );
}

function orderOf(
  { sort, descending }: Query,
  records: readonly RecordedDecision[],
  outcomes: readonly WouldBe[],
): (a: number, b: number) => number {
  const sign = descending ? -1 : 1;
  const number = (i: number): number =>
    sort === 'time' ? (records[i]?.time ?? 0) : (outcomes[i]?.score ?? -1);
  if (sort === 'time' || sort === 'score') return (a, b) => sign * (number(a) - number(b) || a - b);
  const text = (i: number): string => records[i]?.[sort]?.toLowerCase() ?? '';
  return (a, b) => {
    const [x, y] = [text(a), text(b)];
    return sign * (x < y ? -1 : x > y ? 1 : a - b);
  };
}

function rowOf(index: number, record: RecordedDecision, outcome: WouldBe | undefined): Row {
  const { time, client, helo, sender, recipients, recipientCount, action } = record;
  const more = recipientCount - 1;
  const first = inert(recipients[0] ?? '');
  return {
    index,
    time,
    client: inert(client ?? 'unknown'),
    helo: inert(helo),
    sender: inert(sender ?? ''),
    recipients: more > 0 ? `${first} and ${more} more` : first,
    then: action,
    now: outcome?.now ?? action,
    score: outcome?.score ?? record.judged?.verdict.score ?? null,
    cause: outcome?.cause ?? '',
  };
}
