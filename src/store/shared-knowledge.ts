/**
 * What the hosts of a farm know of a client together: the names that its network gave, whether it is known by
 * its mail, and what DNS said about it. What comes back is taken over into the tables of this host.
 */
import type { Assessment } from '../core/assessment.ts';
import type { Check } from '../core/check.ts';
import { networkOf, networksOf } from '../core/client-networks.ts';
import { canonicalName } from '../core/domain.ts';
import { parseHelo } from '../core/helo.ts';
import type { IpAddress } from '../core/ip.ts';
import type { Regulars } from '../state/regulars.ts';
import { assessmentText, readAssessmentText } from './assessment-text.ts';
import type { ChurnSpan, SharedStore } from './shared-store.ts';

/** How assessments are made here, now. */
export interface Assessing {
  readonly checks: readonly Check[];
  /** Identifies the checks with everything that their results depend on. */
  readonly version: string;
}

export interface SharedKnowledgeOptions {
  readonly store: SharedStore;
  /** What is shared with other hosts, as it is now; null for what is not. */
  readonly churn: () => ChurnSpan | null;
  readonly regulars: Regulars | null;
  readonly assessing: () => Assessing | null;
}

/** What the farm knows of a client. */
export interface Acquainted {
  /** Different names that its network gave, with this one; 0 if nobody was asked. */
  readonly names: number;
  readonly isNewName: boolean;
  readonly assessment: FarmAssessment | null;
}

export interface FarmAssessment {
  readonly value: Assessment;
  readonly lifeMs: number;
}

/** Longer than any name. */
const MAX_HELO = 255;
/** In the network's name there is no blank. */
const keyText = (ip: IpAddress, helo: string, version: string): string =>
  `${ip.text} ${helo.toLowerCase()} ${version}`;

export class SharedKnowledge {
  readonly #options: SharedKnowledgeOptions;
  /** Assessments taken from other hosts. */
  assessments = 0;
  /** Of them, those that were not what we write. */
  invalid = 0;

  constructor(options: SharedKnowledgeOptions) {
    this.#options = options;
  }

  /**
   * Notes that a client gives this name. Null at once where nobody is asked. Never rejects; null if there was
   * no answer in time.
   */
  meet(ip: IpAddress | null, helo: string, withAssessment: boolean): Promise<Acquainted | null> | null {
    if (ip === null || helo.length > MAX_HELO) return null;
    const { store, churn, regulars, assessing } = this.#options;
    const limits = churn();
    const made = withAssessment ? assessing() : null;
    const regular = regulars?.nameOf(ip, helo) ?? null;
    if (limits === null && regular === null && made === null) return null;
    const pending = store.meet({
      churn:
        limits === null
          ? null
          : { network: churnNetwork(ip), block: networksOf(ip).block, name: canonicalName(helo), limits },
      regular,
      assessment: made === null ? null : keyText(ip, helo, made.version),
    });
    if (pending === null) return null;
    return pending.then((met) => {
      if (met === null) return null;
      if (met.regular !== null) regulars?.merge(ip, helo, met.regular);
      const { names, isNewName, assessment } = met;
      const value =
        assessment === null || made === null
          ? null
          : readAssessmentText(assessment.text, { ip, helo: parseHelo(helo) }, made.checks);
      if (assessment !== null && value === null) this.invalid++;
      if (value !== null) this.assessments++;
      return {
        names: names ?? 0,
        isNewName,
        assessment: assessment === null || value === null ? null : { value, lifeMs: assessment.lifeMs },
      };
    });
  }

  /** A name that was only tried is not one of those that the client gives. */
  forgetName(ip: IpAddress, helo: string): void {
    if (this.#options.churn() !== null) {
      this.#options.store.forgetName(churnNetwork(ip), canonicalName(helo));
    }
  }

  /** A message of theirs was accepted, and is counted here already. */
  learn(ip: IpAddress, helo: string): void {
    const { store, regulars } = this.#options;
    const known = regulars?.known(ip, helo) ?? null;
    const name = regulars?.nameOf(ip, helo) ?? null;
    if (known !== null && name !== null) store.learn(name, networksOf(ip).block, known);
  }

  /** An assessment was made here, and may be used so long; see `assessmentText`. */
  keep(assessment: Assessment, lifeMs: number): void {
    const { store, assessing } = this.#options;
    const made = assessing();
    const { client } = assessment;
    if (made === null || client.ip === null || lifeMs <= 0) return;
    const text = assessmentText(assessment);
    if (text === null) return;
    const key = keyText(client.ip, client.helo.text, made.version);
    store.keep(key, networksOf(client.ip).block, text, lifeMs);
  }
}

/** An IPv6 client owns its /64. */
function churnNetwork(ip: IpAddress): string {
  return ip.family === 4 ? ip.text : networkOf(ip, 'network');
}
