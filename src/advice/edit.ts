/** Changes to a zone: records to put, to change and to remove. Owners are host names without a final dot. */
import type { PublishedRecord } from './records.ts';

/** A TXT record to change. Both texts are without the quotes of a master file, and a stranger's. */
export interface ChangedRecord {
  readonly owner: string;
  readonly type: 'TXT';
  /** As it is now; ends in `...` where it is not known as a whole. */
  readonly from: string;
  /** As it should be; null where it is not known as a whole. */
  readonly to: string | null;
  /** What to insert, and the word after which, where that is all. */
  readonly insert: { readonly text: string; readonly after: string } | null;
}

export interface RemovedRecord {
  readonly owner: string;
  readonly type: 'CNAME' | 'SRV' | 'TXT';
  /** As in a master file, but for a TXT, which is without quotes and may end in `...`; a stranger's. */
  readonly rdata: string;
}

export interface ZoneEdit {
  readonly put: readonly PublishedRecord[];
  readonly change: readonly ChangedRecord[];
  readonly remove: readonly RemovedRecord[];
}

export const NO_EDIT: ZoneEdit = { put: [], change: [], remove: [] };

/** All of them, each record once; null where one of them is not known. */
export function joined(edits: readonly (ZoneEdit | null)[]): ZoneEdit | null {
  const known = edits.filter((each) => each !== null);
  if (known.length < edits.length) return null;
  return {
    put: once(known.flatMap(({ put }) => put)),
    change: once(known.flatMap(({ change }) => change)),
    remove: once(known.flatMap(({ remove }) => remove)),
  };
}

export function isEmpty({ put, change, remove }: ZoneEdit): boolean {
  return put.length + change.length + remove.length === 0;
}

function once<T extends { readonly owner: string; readonly type: string }>(
  records: readonly T[],
): readonly T[] {
  if (records.length < 2) return records;
  const keyOf = (record: T): string => JSON.stringify({ ...record, purpose: '', optional: false });
  return records.filter((record, i) => records.findIndex((each) => keyOf(each) === keyOf(record)) === i);
}
