/**
 * A deadline over many look-ups: when it passes, everything still open and everything new is unknown at once.
 */
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';
import { type Asker, askedBy, type SharedResolver } from './asker.ts';

/** A resolver for one assessment, and how to be done with it. */
export interface DeadlineResolver {
  readonly resolver: Resolver;
  /** Releases the timer, and cancels what is still in flight: nobody waits for it. */
  readonly done: () => void;
}

/**
 * Wraps a resolver for one assessment. After `deadlineMs` milliseconds open questions are answered
 * `temperror` with detail `deadline`, whatever the transport is doing, so an assessment ends in bounded time
 * and says truthfully what it did not learn: `overload` if a question had not even been sent.
 */
export function withDeadline(shared: SharedResolver, deadlineMs: number, asker: Asker): DeadlineResolver {
  const inner = askedBy(shared, asker);
  const late = (): { readonly status: 'temperror'; readonly detail: string } => ({
    status: 'temperror',
    detail: asker.crowded ? 'share' : 'deadline',
  });
  let expired = false;
  /** Of every question so far; to answer one again does nothing. */
  const answering: ((answer: ReturnType<typeof late>) => void)[] = [];
  const timer = setTimeout(() => {
    expired = true;
    asker.end('overload');
    // Wrappers pass these answers on a few turns of the event loop later; let them come first.
    setImmediate(() => {
      for (const answer of answering) answer(late());
    });
  }, deadlineMs);
  return {
    resolver: {
      lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
        if (expired) return Promise.resolve(late());
        // Not `Promise.race`, which makes four more promises for each question.
        return new Promise((resolve, reject) => {
          answering.push(resolve);
          inner.lookup(name, type).then(resolve, reject);
        });
      },
    },
    done: () => {
      clearTimeout(timer);
      asker.end('dropped');
    },
  };
}
