/**
 * The terms of `doctor`: a check looks at facts and gives diagnoses, each with the lines that would fix it.
 */
import type { Facts } from './facts.ts';

/** `wrong`: mail is refused, passes unchecked or is missed. `warning`: it works, but is worth changing. */
export type Severity = 'ok' | 'note' | 'warning' | 'wrong';

/** One line to write, and the file that it belongs in. */
export interface Edit {
  /** `main.cf`, `master.cf`, `sendmail.mc`, `shell`, or `helo-milter` for an option of ours. */
  readonly file: string;
  readonly line: string;
}

export interface Diagnosis<Id extends string = string> {
  readonly id: Id;
  /** What was seen, in one sentence. */
  readonly text: string;
  /** Empty if nothing needs fixing. */
  readonly changes: readonly Edit[];
}

/** What the manual says about one diagnosis. */
export interface DiagnosisSpec {
  readonly severity: Severity;
  readonly meaning: string;
  /** Null if there is nothing to fix. */
  readonly cure: string | null;
}

export interface DoctorCheck<Id extends string = string> {
  /** Heading under which its diagnoses are printed. */
  readonly topic: string;
  /** Ids are public: never renamed, only retired. */
  readonly diagnoses: Readonly<Record<Id, DiagnosisSpec>>;
  /** Pure: everything that it looks at is in the facts. */
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
