/** Which mail speaks for its sender: what `--regulars` counts. */
import type { Decision } from './decision.ts';

/** A decision, as far as it matters. */
export type Ended = Pick<Decision, 'judged' | 'exempt' | 'stage' | 'limit'> & {
  /** Null where it is not known. */
  readonly end: Decision['end'] | null;
};

/**
 * Whether we saw a message to its end and let it in on its own account: by the verdict of the general policy,
 * or because its sender was tempfailed often enough. Not what we only watched where it would have been
 * refused, nor what an exemption or the policy of a recipient let in, nor what ended where we did not see it.
 * Of the decisions on one message it holds for one at most.
 */
export function isWelcome({ judged, exempt, stage, limit, end }: Ended): boolean {
  if (judged?.ownPolicy !== null || end !== 'accepted' || stage === 'message') return false;
  if (exempt !== null && exempt !== 'tempfail-limit') return false;
  const { disposition } = judged.verdict;
  return disposition === 'accept' || (disposition === 'tempfail' && limit === 'spent');
}
