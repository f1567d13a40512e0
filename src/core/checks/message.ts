/**
 * What is found in the message itself, after its name was judged. Asks nothing of DNS and is never cached.
 */
import { found, none } from '../check.ts';
import { defineSessionCheck } from './session.ts';

/** What the checks of a message may know. */
export interface MessageFacts {
  /** The name under which we sign Authentication-Results. */
  readonly authservId: string;
  /** Fields in that name which are not ours, where they are too many to be taken off. */
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
      reason: 'so many fields in our name are no accident, and to take each one off costs the MTA too much',
      reply:
        'HELO {helo}: this message has {count} Authentication-Results fields in our name, {name}; remove them',
    },
  },
  run: ({ helo }, { authservId, forgedResults: count }) =>
    count === 0
      ? none()
      : found('forged-results', { helo: helo.text, count: String(count), name: authservId }),
});
