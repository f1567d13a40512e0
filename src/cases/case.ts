/** A policy test: a session, and what is expected to be done about it. */
import type { IpAddress } from '../core/ip.ts';
import type { Resolver } from '../core/resolver.ts';
import type { RecordedDecision } from '../decisions/record-reader.ts';
import type { AccessList } from '../policy/access.ts';
import type { SessionSeen } from '../policy/judge.ts';
import type { Disposition, Stream } from '../policy/policy.ts';

/** What a verdict is made from: a zone that is asked now, or the evidence of a decision. */
export type CaseSource =
  | {
      readonly kind: 'zone';
      readonly client: IpAddress;
      readonly helo: string;
      readonly resolver: Resolver;
      readonly session: SessionSeen;
    }
  | { readonly kind: 'record'; readonly record: RecordedDecision };

/** Null is "anything". */
export interface Expected {
  readonly disposition: Disposition | null;
  /** The id of a finding, or `none`. */
  readonly cause: string | null;
  readonly stream: Stream | null;
  readonly score: number | null;
}

export interface Case {
  readonly name: string;
  /** `FILE:LINE:COLUMN`. */
  readonly place: string;
  readonly source: CaseSource;
  /** Without angle brackets; null for the recipient of the record, or for nobody in particular. */
  readonly recipient: string | null;
  /** In place of the access list of the configuration; null for that one. */
  readonly access: AccessList | null;
  /**
   * Unix time in milliseconds at which lines of an access list are looked at; null for that of the record, or
   * now.
   */
  readonly at: number | null;
  readonly expected: Expected;
}

/** The word for a verdict without a cause. */
export const NO_CAUSE = 'none';
