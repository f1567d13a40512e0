/** A policy as the options of the same names give it. */
import type { FindingSpec, PresetName } from '../core/check.ts';
import { streamId, type Unproved } from '../core/checks/stream.ts';
import { makePolicy, type Policy, type Ramp } from './policy.ts';

export interface PolicyOptions {
  readonly policy: PresetName;
  readonly rejectAt: number;
  readonly tempfailAt: number;
  /** Null for the lines that the preset draws. */
  readonly require: Policy['require'] | null;
  readonly weight: readonly (readonly [id: string, weight: number])[];
  readonly ramp: readonly (readonly [id: string, ramp: Ramp])[];
  readonly streamWeight: readonly (readonly [stream: Unproved, weight: number])[];
  readonly txtOptsOut: boolean;
}

/** The caller has checked that there are such findings, and that `tempfailAt <= rejectAt`. */
export function policyFrom(options: PolicyOptions, findings: ReadonlyMap<string, FindingSpec>): Policy {
  const { policy, rejectAt, tempfailAt, require, weight, ramp, streamWeight, txtOptsOut } = options;
  return makePolicy(policy, findings, {
    rejectAt,
    tempfailAt,
    require: require ?? undefined,
    weights: new Map([
      ...weight,
      ...streamWeight.map(([stream, number]) => [streamId(stream), number] as const),
    ]),
    ramps: new Map(ramp),
    textOptsOut: txtOptsOut,
  });
}
