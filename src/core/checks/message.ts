/**
 * What is found in the message itself, after the HELO name was judged. Asks DNS nothing and is never cached.
 */
import { type Finding, found, none } from '../check.ts';
import { defineSessionCheck } from './session.ts';

/** What the message checks may know. */
export interface MessageFacts {
  /** The name under which we sign Authentication-Results. */
  readonly authservId: string;
  /** Number of fields under that name that are not ours, if there are too many to remove; else 0. */
  readonly forgedResults: number;
}

export const forgedResults = defineSessionCheck<'forged-results', MessageFacts>({
  name: 'forged-results',
  findings: {
    'forged-results': {
      basis: 'local',
      summary: 'more than 200 header fields pretend to be our Authentication-Results',
      reference: 'RFC 8601 §5',
      weight: 10,
      reason:
        'this many fields in our name are no accident, and removing each of them costs the MTA too much',
      why: 'These fields are written by the receiver itself. Nobody else may write them in its name, and in such numbers they are an attack.',
      remedies: ['remove-fields', 'ask-the-receiver'],
      reply: 'HELO {helo}: this message has {count} Authentication-Results fields in our name, {name}',
      fix: 'remove them',
    },
  },
  run: ({ helo }, { authservId, forgedResults: count }) =>
    count === 0
      ? none()
      : found('forged-results', { helo: helo.text, count: String(count), name: authservId }),
});

/** What this check must have been told, going by what it found; null if it found nothing. */
export function messageFactsOf(findings: readonly Finding[]): MessageFacts | null {
  const found = findings.find(({ id }) => Object.hasOwn(forgedResults.findings, id));
  if (found === undefined) return null;
  const { name = '', count = '0' } = found.evidence;
  return { authservId: name, forgedResults: Number(count) };
}
