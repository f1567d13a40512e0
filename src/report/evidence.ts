import type { Evidence } from '../core/check.ts';

/** What was seen, for a person who is told the HELO name anyway. The texts are a stranger's. */
export function toldEvidence(evidence: Evidence): (readonly [key: string, value: string])[] {
  return Object.entries(evidence).filter(([key]) => key !== 'helo');
}
