/** The registry of doctor's checks, in the order in which they are printed. The manual follows it. */
import type { DiagnosisSpec, DoctorCheck } from '../diagnosis.ts';
import { attachmentCheck } from './attachment.ts';
import { detoursCheck } from './detours.ts';
import { exemptionsCheck } from './exemptions.ts';
import { failureCheck } from './failure.ts';
import { macrosCheck } from './macros.ts';
import { namesCheck } from './names.ts';
import { resolverCheck } from './resolver.ts';
import { restrictionsCheck } from './restrictions.ts';
import { socketCheck } from './socket.ts';
import { timeoutsCheck } from './timeouts.ts';

export const doctorChecks: readonly DoctorCheck[] = [
  attachmentCheck,
  detoursCheck,
  socketCheck,
  failureCheck,
  timeoutsCheck,
  macrosCheck,
  restrictionsCheck,
  exemptionsCheck,
  namesCheck,
  resolverCheck,
];

/** What each diagnosis means. */
export const diagnoses: ReadonlyMap<string, DiagnosisSpec> = new Map(
  doctorChecks.flatMap((check) => Object.entries(check.diagnoses)),
);
