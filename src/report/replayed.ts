/** What a replay says about one decision: what would have been done, and for whom. */
import type { RecordedDecision } from '../decisions/record-reader.ts';
import type { Exemption } from '../policy/exemption.ts';
import type { Judged } from '../policy/judge.ts';
import type { Disposition } from '../policy/policy.ts';

/** What would be done for a group of recipients that would be treated alike. */
export interface Part {
  readonly recipients: readonly string[];
  readonly recipientCount: number;
  readonly action: Disposition;
  readonly exempt: Exemption | null;
  readonly limit: 'within' | 'spent' | null;
  readonly judged: Judged | null;
}

/**
 * Why a record does not say what would have been done. `not-looked-up`: the client was exempt then and would
 * not be now; `settled`: its text alone decided, so DNS was not asked, and now it would be;
 * `earlier-mail`: it depends on mail from before the first record, or on how a message ended that was not
 * seen to its end.
 */
export const UNKNOWNS = ['not-looked-up', 'settled', 'earlier-mail'] as const;
export type Unknown = (typeof UNKNOWNS)[number];

export interface Replayed {
  readonly record: RecordedDecision;
  /** At least one; more if recipients would be treated differently. */
  readonly parts: readonly Part[];
  /** If it is not null, `parts` still say what is known. */
  readonly unknown: Unknown | null;
}

/** As they are told: once for each exemption, once for each policy. */
export function asTold(parts: readonly Part[]): readonly Part[] {
  const byKind = new Map<string, Part>();
  for (const part of parts) {
    const kind = part.exempt ?? `policy ${part.judged?.ownPolicy?.preset ?? ''}`;
    const before = byKind.get(kind);
    byKind.set(
      kind,
      before === undefined
        ? part
        : {
            ...before,
            recipients: [...before.recipients, ...part.recipients],
            recipientCount: before.recipientCount + part.recipientCount,
          },
    );
  }
  return [...byKind.values()];
}

/** All recipients alike, with no verdict. */
export function whole({ recipients, recipientCount }: RecordedDecision, exempt: Exemption | null): Part {
  return { recipients, recipientCount, action: 'accept', exempt, limit: null, judged: null };
}

/** The session that it was decided in; a reference is that of a name given in it. */
export function sessionOf({ reference }: Pick<RecordedDecision, 'reference'>): string {
  return reference.slice(0, reference.lastIndexOf('.'));
}

/** Records of one message have this key in common. */
export function messageOf(record: Pick<RecordedDecision, 'reference' | 'message' | 'stage'>): string {
  const { reference, message, stage } = record;
  return stage === 'helo' ? reference : `${sessionOf(record)} ${message}`;
}
