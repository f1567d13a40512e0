/**
 * One assessment's view of DNS: the same question is asked once, every answer is kept for the explanation and for the
 * life of the result, and a budget bounds what a hostile zone can make us ask.
 */
import { isQueryName } from './domain.ts';
import type { Answer, RecordType, Resolver } from './resolver.ts';

/** The most questions that one assessment may ask; the rest are answered `temperror` with detail `budget`. */
export const QUERY_BUDGET = 40;
/**
 * Besides, those about the client's reverse name and the ten names that it may lead to: a client with many of them must
 * not use up what is asked of the name's owner, who would then count as not having answered.
 */
export const REVERSE_BUDGET = 11;

/** One question and what came back, ready to print. Records hold a stranger's bytes. */
export interface DnsAnswer {
  readonly name: string;
  readonly type: RecordType;
  /** found, nodata, nxdomain or temperror. */
  readonly status: Answer<RecordType>['status'];
  /** Each record as text; for a temperror its detail. */
  readonly records: readonly string[];
  /** Seconds; null where the transport could not tell. */
  readonly ttl: number | null;
}

export interface Recording {
  readonly resolver: Resolver;
  /** The same view of DNS on the account of the client's reverse zone. */
  readonly reverse: Resolver;
  /** The answers so far, in the order of asking; questions still open are left out. */
  readonly answers: () => DnsAnswer[];
}

export function recordingResolver(inner: Resolver, budget: number = QUERY_BUDGET): Recording {
  const asked = new Map<
    string,
    {
      name: string;
      type: RecordType;
      promise: Promise<Answer<RecordType>>;
      answer: Answer<RecordType> | null;
    }
  >();
  const within = (most: number): Resolver => {
    let left = most;
    return {
      lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
        const key = `${type} ${name.toLowerCase()}`;
        const known = asked.get(key);
        if (known !== undefined) return known.promise as Promise<Answer<T>>;
        // What cannot be a name is not in DNS: no server needs to be asked for that.
        if (!isQueryName(name)) return Promise.resolve({ status: 'nxdomain', ttl: null });
        if (left === 0) return Promise.resolve({ status: 'temperror', detail: 'budget' });
        left--;
        const entry = {
          name,
          type,
          promise: inner.lookup(name, type) as Promise<Answer<RecordType>>,
          answer: null as Answer<RecordType> | null,
        };
        asked.set(key, entry);
        entry.promise = entry.promise.then((answer) => (entry.answer = answer));
        return entry.promise as Promise<Answer<T>>;
      },
    };
  };
  return {
    resolver: within(budget),
    reverse: within(REVERSE_BUDGET),
    answers: () =>
      [...asked.values()].flatMap(({ name, type, answer }) =>
        answer === null ? [] : [describe(name, type, answer)],
      ),
  };
}

const NO_RECORDS: readonly string[] = Object.freeze([]);

function describe(name: string, type: RecordType, answer: Answer<RecordType>): DnsAnswer {
  const { status } = answer;
  switch (status) {
    case 'found':
      return { name, type, status, records: answer.records.map(recordText), ttl: answer.ttl };
    case 'temperror':
      return { name, type, status, records: [answer.detail], ttl: null };
    case 'nodata':
    case 'nxdomain':
      return { name, type, status, records: NO_RECORDS, ttl: answer.ttl };
  }
}

/** A record in the order of its RDATA. */
function recordText(record: string | object): string {
  return typeof record === 'string' ? record : Object.values(record).join(' ');
}
