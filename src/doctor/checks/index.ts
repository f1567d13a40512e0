/** The registry of doctor's checks, in the order in which they are printed and documented. */
import type { Diagnosis, DiagnosisSpec, DoctorCheck, Severity } from '../diagnosis.ts';
import type { Facts } from '../facts.ts';
import { attachmentCheck } from './attachment.ts';
import { detoursCheck } from './detours.ts';
import { exemptionsCheck } from './exemptions.ts';
import { failureCheck } from './failure.ts';
import { macrosCheck } from './macros.ts';
import { namesCheck } from './names.ts';
import { optionsCheck } from './options.ts';
import { orderCheck } from './order.ts';
import { regularsCheck } from './regulars.ts';
import { resolverCheck } from './resolver.ts';
import { restrictionsCheck } from './restrictions.ts';
import { socketCheck } from './socket.ts';
import { storeCheck } from './store.ts';
import { timeoutsCheck } from './timeouts.ts';

export const doctorChecks: readonly DoctorCheck[] = [
  optionsCheck,
  attachmentCheck,
  orderCheck,
  detoursCheck,
  socketCheck,
  failureCheck,
  timeoutsCheck,
  macrosCheck,
  restrictionsCheck,
  exemptionsCheck,
  namesCheck,
  regularsCheck,
  storeCheck,
  resolverCheck,
];

/** What each diagnosis means. */
export const diagnoses: ReadonlyMap<string, DiagnosisSpec> = new Map(
  doctorChecks.flatMap((check) => Object.entries(check.diagnoses)),
);

export interface GradedDiagnosis extends Diagnosis {
  readonly severity: Severity;
  readonly topic: string;
  /** What to do about it, in general; null if there is nothing to fix. */
  readonly cure: string | null;
}

/** Runs all checks. What several services have in common and one change fixes is said once. */
export function diagnose(facts: Facts): GradedDiagnosis[] {
  const found = new Map<string, GradedDiagnosis>();
  for (const { topic, diagnoses: specs, run } of doctorChecks) {
    for (const { id, text, changes } of run(facts)) {
      const key = JSON.stringify([id, changes]);
      const same = found.get(key);
      const texts = same === undefined || same.text === text ? text : `${same.text}; ${text}`;
      found.set(key, {
        id,
        text: texts,
        changes,
        topic,
        severity: specs[id]?.severity ?? 'wrong',
        cure: specs[id]?.cure ?? null,
      });
    }
  }
  return [...found.values()];
}
