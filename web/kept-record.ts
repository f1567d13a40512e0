/** Decisions as the page keeps them: there may be 100,000, and most of what they hold is the same in all. */
import type { CheckOutcome } from '../src/core/assessment.ts';
import { isUnasked } from '../src/core/unasked.ts';
import type { RecordedDecision } from '../src/decisions/record-reader.ts';

/** Makes one out of many equal outcomes of checks that found nothing. */
export class RecordKeeper {
  readonly #plain = new Map<string, CheckOutcome>();

  /**
   * The record with the answers of DNS left out, of which a verdict only needs whether they were asked for:
   * whoever opens a decision reads its line anew.
   */
  keep(record: RecordedDecision): RecordedDecision {
    const { judged } = record;
    if (judged === null) return record;
    const { assessment } = judged;
    const dns = assessment.dns.filter(
      ({ status, records: [detail = ''] }) => status === 'temperror' && isUnasked(detail),
    );
    const outcomes = assessment.outcomes.map((each) => this.#shared(each));
    return { ...record, judged: { ...judged, assessment: { ...assessment, dns, outcomes } } };
  }

  #shared(outcome: CheckOutcome): CheckOutcome {
    const { check, result, evidence, finding, correspondence, optOut } = outcome;
    if (finding !== null || correspondence !== 'none' || optOut || Object.keys(evidence).length > 0)
      return outcome;
    const key = `${check} ${result}`;
    const known = this.#plain.get(key);
    if (known === undefined) this.#plain.set(key, outcome);
    return known ?? outcome;
  }
}
