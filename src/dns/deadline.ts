/**
 * A deadline over many look-ups: when it passes, everything still open and everything new is unknown at once.
 */
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';
import { type Asker, askedBy, type SharedResolver } from './asker.ts';

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
  let expire: () => void = () => undefined;
  const expiry = new Promise<ReturnType<typeof late>>((resolve) => {
    expire = () => {
      resolve(late());
    };
  });
  const timer = setTimeout(() => {
    expired = true;
    asker.end('overload');
    // Wrappers pass these answers on a few turns of the event loop later; let them come first.
    setImmediate(expire);
  }, deadlineMs);
  return {
    resolver: {
      lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
        return expired ? Promise.resolve(late()) : Promise.race([inner.lookup(name, type), expiry]);
      },
    },
    done: () => {
      clearTimeout(timer);
      asker.end('dropped');
    },
  };
}
