/** The least TTL of the answers that an evaluation used: how long its result may be kept. */
import type { Answer, RecordType, Resolver } from './resolver.ts';

export interface TtlWatch {
  readonly resolver: Resolver;
  /** Seconds; null while no answer had one. */
  readonly least: () => number | null;
}

export function watchTtl(inner: Resolver): TtlWatch {
  let least: number | null = null;
  return {
    resolver: {
      async lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
        const answer = await inner.lookup(name, type);
        if (answer.status !== 'temperror' && answer.ttl !== null) {
          least = least === null ? answer.ttl : Math.min(least, answer.ttl);
        }
        return answer;
      },
    },
    least: () => least,
  };
}
