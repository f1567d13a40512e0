/**
 * A policy: weights per finding and two thresholds; pure data. And a verdict: what `decide` says of an
 * assessment under a policy.
 */
import {
  type Check,
  type Correspondence,
  type Denial,
  type Finding,
  type FindingSpec,
  type PresetName,
  type Weight,
} from '../core/check.ts';
import { type Unproved, UNPROVED } from '../core/checks/stream.ts';

/** What can be done with mail, from the mildest. */
export const DISPOSITIONS = ['accept', 'tempfail', 'reject'] as const;

/** What is done with mail. */
export type Disposition = (typeof DISPOSITIONS)[number];

/**
 * `verified`: correspondence of the required strength. `unverified`: the client is a neighbour that the
 * policy excuses, or opted out (its own address literal, or a declaration of the name's owner), or the name's
 * owner could not be asked. `failed`: the rest, and every declared "no".
 */
export type Stream = 'verified' | Unproved;

export const STREAMS: readonly Stream[] = ['verified', ...UNPROVED];

/**
 * A finding that is answered 4yz at first, and 5yz after so many tries over so long, as Gmail does for a
 * missing PTR.
 */
export interface Ramp {
  readonly count: number;
  /** Milliseconds. */
  readonly ageMs: number;
}

/** From which scores mail is delayed and refused, and what each finding weighs. */
export interface Policy {
  readonly preset: PresetName;
  /** Score from which mail is rejected. */
  readonly rejectAt: number;
  /** Score from which mail is tempfailed; never above `rejectAt`. */
  readonly tempfailAt: number;
  /** The weakest correspondence with which the stream is `verified`. */
  readonly require: Exclude<Correspondence, 'near' | 'none'>;
  /**
   * The weakest with which the mail is not held against the name: with less, a name that resolves is a
   * mismatch.
   */
  readonly excuseFrom: Exclude<Correspondence, 'none'>;
  /** Weight of every known finding, zero or more. */
  readonly weights: ReadonlyMap<string, number>;
  /** Findings whose weight the operator set; it is never waived. */
  readonly operatorSet: ReadonlySet<string>;
  /** By finding; none of basis `dns`, which never refuses for good. */
  readonly ramps: ReadonlyMap<string, Ramp>;
  /** A name that has nothing but a text for people opts its host out. */
  readonly textOptsOut: boolean;
  /** The specifications of all known findings. */
  readonly findings: ReadonlyMap<string, FindingSpec>;
}

/** What the operator may change of a preset. */
export interface PolicyChanges {
  readonly rejectAt?: number | undefined;
  readonly tempfailAt?: number | undefined;
  /** Draws both lines. */
  readonly require?: Policy['require'] | undefined;
  readonly weights?: ReadonlyMap<string, number> | undefined;
  readonly ramps?: ReadonlyMap<string, Ramp> | undefined;
  readonly textOptsOut?: boolean | undefined;
}

/** What a policy makes of an assessment. */
export interface Verdict {
  readonly disposition: Disposition;
  /** Sum of the weights of the counted findings. */
  readonly score: number;
  readonly stream: Stream;
  /** The finding that weighs most, and of equal ones the most telling; null where none counts. */
  readonly cause: Finding | null;
  /** All findings with the weight each was given; zero also where the weight was waived. */
  readonly counted: readonly CountedFinding[];
}

/** A finding with the weight that it was given. */
export interface CountedFinding {
  readonly finding: Finding;
  readonly weight: number;
  /** What is left of it, whatever the answers that did not come would have said; absent where all is. */
  readonly certain?: number;
}

/**
 * Where a preset draws its two lines. The second has no effect on the score of rfc5321: a mismatch weighs
 * nothing.
 */
export const LINES: Readonly<Record<PresetName, Pick<Policy, 'require' | 'excuseFrom'>>> = {
  rfc5321: { require: 'aligned', excuseFrom: 'near' },
  emailcore: { require: 'aligned', excuseFrom: 'near' },
  strict: { require: 'authorized', excuseFrom: 'authorized' },
};

export const DEFAULT_REJECT_AT = 10;
export const DEFAULT_TEMPFAIL_AT = 5;

/**
 * A preset with the operator's changes. The caller has checked that `tempfailAt <= rejectAt` and all weights.
 */
export function makePolicy(
  preset: PresetName,
  findings: ReadonlyMap<string, FindingSpec>,
  changes: PolicyChanges = {},
): Policy {
  const weights = new Map([...findings].map(([id, spec]) => [id, presetWeight(spec, preset)]));
  for (const [id, weight] of changes.weights ?? []) weights.set(id, weight);
  return {
    preset,
    rejectAt: changes.rejectAt ?? DEFAULT_REJECT_AT,
    tempfailAt: changes.tempfailAt ?? DEFAULT_TEMPFAIL_AT,
    require: changes.require ?? LINES[preset].require,
    excuseFrom: changes.require ?? LINES[preset].excuseFrom,
    weights,
    operatorSet: new Set(changes.weights?.keys() ?? []),
    ramps: changes.ramps ?? new Map(),
    textOptsOut: changes.textOptsOut ?? false,
    findings,
  };
}

export function presetWeight(spec: FindingSpec, preset: PresetName): number {
  return inPreset(spec.weight, preset);
}

export function inPreset(weight: Weight, preset: PresetName): number {
  return typeof weight === 'number' ? weight : weight[preset];
}

/**
 * The checks worth running under these policies: a finding to which the operator gives a weight, even zero,
 * is wanted.
 */
export function worthwhile(checks: readonly Check[], policies: readonly Policy[]): readonly Check[] {
  return checks.filter(
    ({ onlyIfWeighed, findings }) =>
      onlyIfWeighed !== true ||
      policies.some(({ weights, operatorSet }) =>
        Object.keys(findings).some((id) => operatorSet.has(id) || (weights.get(id) ?? 0) > 0),
      ),
  );
}

/** Whose plain "no" the finding is. */
export function denialOf({ id }: Finding, { findings }: Pick<Policy, 'findings'>): Denial {
  return findings.get(id)?.denies ?? 'none';
}
