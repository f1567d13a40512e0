/** The words of `doctor`: a check looks at facts and gives diagnoses, each with the lines that would mend it. */
import type { Facts } from './facts.ts';

/** `wrong`: mail is refused, let through unchecked or lost sight of. `warning`: it works, and is worth a change. */
export type Severity = 'ok' | 'note' | 'warning' | 'wrong';

/** One line to write, and the file it belongs to. */
export interface Change {
  /** `main.cf`, `master.cf`, `sendmail.mc`, `shell`, or `helo-milter` for an option of ours. */
  readonly file: string;
  readonly line: string;
}

export interface Diagnosis<Id extends string = string> {
  readonly id: Id;
  /** What was seen, in one sentence. */
  readonly text: string;
  /** Empty where nothing needs mending. */
  readonly changes: readonly Change[];
}

/** What the manual says of one diagnosis. */
export interface DiagnosisSpec {
  readonly severity: Severity;
  readonly meaning: string;
  /** Null where there is nothing to cure. */
  readonly cure: string | null;
}

export interface DoctorCheck<Id extends string = string> {
  /** Heading under which its diagnoses are printed. */
  readonly topic: string;
  /** Ids are public: never renamed, only retired. */
  readonly diagnoses: Readonly<Record<Id, DiagnosisSpec>>;
  /** Pure: everything it looks at is in the facts. */
  readonly run: (facts: Facts) => readonly Diagnosis<NoInfer<Id>>[];
}

export function defineDoctorCheck<const Id extends string>(check: DoctorCheck<Id>): DoctorCheck<Id> {
  return check;
}

export function diagnosis<Id extends string>(
  id: Id,
  text: string,
  ...changes: readonly (readonly [file: string, line: string])[]
): Diagnosis<Id> {
  return { id, text, changes: changes.map(([file, line]) => ({ file, line })) };
}
