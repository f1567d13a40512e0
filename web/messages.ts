/** What the page and its worker say to each other. */
import type { PageData } from '../src/report/page-data.ts';
import type { Changed } from './changed.ts';
import type { Choice } from './choice.ts';
import type { Opened } from './opened.ts';
import type { Overview } from './overview.ts';
import type { FoundRows, Query } from './search.ts';

export type ToWorker =
  /** Chunks of lines, each gzip in base64. */
  | { readonly kind: 'load'; readonly data: PageData; readonly chunks: readonly string[] }
  /** Records that have come since. */
  | { readonly kind: 'more'; readonly records: readonly string[] }
  | { readonly kind: 'judge'; readonly choice: Choice }
  | { readonly kind: 'find'; readonly query: Query }
  | { readonly kind: 'open'; readonly index: number; readonly choice: Choice };

/** What is known of a finding, whatever is tried. */
export interface KnownFinding {
  readonly id: string;
  readonly summary: string;
  readonly basis: string;
}

export type FromWorker =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'loaded';
      readonly decisions: number;
      readonly unreadable: number;
      readonly findings: readonly KnownFinding[];
    }
  /** How many there are now; of these, `left` older ones are forgotten. */
  | { readonly kind: 'grown'; readonly decisions: number; readonly unreadable: number; readonly left: number }
  | {
      readonly kind: 'overview';
      readonly choice: Choice;
      readonly overview: Overview;
      readonly weights: ReadonlyMap<string, number>;
      /** Milliseconds that it took. */
      readonly tookMs: number;
      /** Somebody has moved something; not only that more decisions have come. */
      readonly asked: boolean;
    }
  | { readonly kind: 'detail'; readonly choice: Choice; readonly refused: Changed; readonly letIn: Changed }
  | { readonly kind: 'found'; readonly found: FoundRows }
  | { readonly kind: 'opened'; readonly opened: Opened | null }
  | { readonly kind: 'failed'; readonly why: string };
