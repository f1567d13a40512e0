/**
 * What a line of the access list may ask of the checks, beside the address of the client: whatever they
 * declare, such as `spf=pass` and `ptr=mail.example.org`.
 */
import type { CheckOutcome } from '../core/assessment.ts';
import type { Check } from '../core/check.ts';
import { isQueryName, isWithin } from '../core/domain.ts';
import { UsageError } from '../errors.ts';
import { writtenName } from './written-name.ts';

/**
 * What one condition wants of one check: that it passed, or that one of its names is this one or lies below
 * it.
 */
export interface Shown {
  readonly check: string;
  /** It is about the client, whatever the text of HELO. */
  readonly ofClient: boolean;
  readonly holds: (outcome: CheckOutcome) => boolean;
}

/** Words that conditions begin with, and that no check may take. */
export const OWN_CONDITIONS: readonly string[] = ['ip', 'until', 'text'];

/** What checks can be asked for, by the word for it, in alphabetical order. */
export type Conditions = ReadonlyMap<string, Asked>;

interface Asked {
  /** As an example: `spf=pass`, `ptr=`. */
  readonly example: string;
  /** What the value asks for. Throws UsageError. */
  readonly read: (value: string) => Shown;
}

export function conditionsOf(checks: readonly Check[]): Conditions {
  const asked = checks.flatMap(({ name: check, provesCorrespondence, method }): [string, Asked][] => {
    if (method?.access === undefined) return [];
    const { access, about } = method;
    const { key } = access;
    const ofClient = about === 'client';
    if (access.takes === 'pass') {
      // To pass is not enough for a method of correspondence: a record that permits everybody identifies
      // nobody.
      const holds = ({ correspondence }: CheckOutcome): boolean =>
        provesCorrespondence !== true || correspondence !== 'none';
      const read = (value: string): Shown => {
        if (value !== 'pass') throw new UsageError(`${key}= can only be pass`);
        return { check, ofClient, holds };
      };
      return [[key, { example: `${key}=pass`, read }]];
    }
    const read = (value: string): Shown => {
      const fits = parseName(key, value);
      const holds = ({ evidence }: CheckOutcome): boolean =>
        (evidence[access.names] ?? '').split(' ').some(fits);
      return { check, ofClient, holds };
    };
    return [[key, { example: `${key}=`, read }]];
  });
  return new Map(asked.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a name is the one that the condition gives, or with a leading dot lies at or below it. */
function parseName(key: string, text: string): (name: string) => boolean {
  const below = text.startsWith('.');
  const wanted = writtenName(below ? text.slice(1) : text);
  if (!isQueryName(wanted)) throw new UsageError(`${key}=${text} is not a name`);
  return (name) => (below ? isWithin(name, wanted) : name === wanted);
}
