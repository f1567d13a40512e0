/**
 * One assessment's view of DNS: the same question is asked once, every answer is kept for the explanation and
 * for the life of the result, and what a hostile zone can make us ask and keep is bounded.
 */
import { isAskable } from './domain.ts';
import { keptText } from './kept-text.ts';
import {
  type Answer,
  type ExtendedError,
  MAX_RECORDS,
  MAX_TEXT,
  type RecordType,
  type Resolver,
} from './resolver.ts';

/** The most questions that one assessment may ask; the rest are answered `temperror` with detail `budget`. */
export const QUERY_BUDGET = 40;
/**
 * In addition, those about the client's reverse name, the ten names that it may lead to, and ten others that
 * SPF may choose of them: a client with many of them must not use up the questions for the name's owner, who
 * would then count as not having answered.
 */
export const REVERSE_BUDGET = 21;

/** Characters kept of one record, of the records of one answer, and of those of one assessment. */
export const KEPT_OF_RECORD = 1024;
const KEPT_OF_ANSWER = 4096;
const KEPT_IN_ALL = 16_384;
/** Characters kept of the first record of an answer when no room is left. */
const KEPT_OF_FIRST = 64;
/** Extended errors kept of an answer, and characters of the text of each. */
export const KEPT_ERRORS = 2;
export const KEPT_OF_ERROR = 128;

/** One question and what came back, ready to print. Records hold a stranger's bytes. */
export interface DnsAnswer {
  readonly name: string;
  readonly type: RecordType;
  /** found, nodata, nxdomain or temperror. */
  readonly status: Answer<RecordType>['status'];
  /** Each record as text, long ones cut with `...`; for a temperror its detail. */
  readonly records: readonly string[];
  /** Seconds; null where it is not known. */
  readonly ttl: number | null;
  /** A trusted resolver validated it (DNSSEC); absent where that is not known. */
  readonly authenticated?: true;
  /** The reasons that the resolver gave; absent where it gave none. */
  readonly errors?: readonly ExtendedError[];
  /**
   * The name is an alias, and the answer is about this one; absent where it is none, or that is not known.
   */
  readonly alias?: string;
  /** How many records were left out for their number or length; absent where none was. */
  readonly omitted?: number;
  /** The answer did not come, but nothing depends on it: the assessment may be kept as long as with it. */
  readonly moot?: true;
}

/** Two views of a resolver, and what was asked through them. */
export interface Recording {
  readonly resolver: Resolver;
  /** The same view of DNS, charged to the client's reverse zone. */
  readonly reverse: Resolver;
  /** The answers so far, in the order of asking; questions still open are left out. */
  readonly answers: () => DnsAnswer[];
}

interface Asked {
  readonly name: string;
  readonly type: RecordType;
  promise: Promise<Answer<RecordType>>;
  answer: Answer<RecordType> | null;
  /** Records that came and were not looked at. */
  unread: number;
}

/**
 * Wraps a resolver so that answers are remembered and no question is sent twice. One view sends at most
 * `budget` questions, the one for the reverse zone `REVERSE_BUDGET`; more of them are a `temperror`.
 */
export function recordingResolver(inner: Resolver, budget: number = QUERY_BUDGET): Recording {
  const asked = new Map<string, Asked>();
  const within = (most: number): Resolver => {
    let left = most;
    return {
      lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
        const key = `${type} ${name.toLowerCase()}`;
        const known = asked.get(key);
        if (known !== undefined) return known.promise as Promise<Answer<T>>;
        // What cannot be a name is not in DNS: there is no need to ask a server.
        if (!isAskable(name)) return Promise.resolve({ status: 'nxdomain', ttl: null });
        if (left === 0) return Promise.resolve({ status: 'temperror', detail: 'budget' });
        left--;
        const entry: Asked = {
          name,
          type,
          promise: inner.lookup(name, type),
          answer: null,
          unread: 0,
        };
        asked.set(key, entry);
        entry.promise = entry.promise.then((answer) => {
          entry.answer = readable(answer);
          if (answer.status === 'found') entry.unread = Math.max(0, answer.records.length - MAX_RECORDS);
          return entry.answer;
        });
        return entry.promise as Promise<Answer<T>>;
      },
    };
  };
  return {
    resolver: within(budget),
    reverse: within(REVERSE_BUDGET),
    answers: () => {
      let room = KEPT_IN_ALL;
      return [...asked.values()].flatMap((entry) => {
        if (entry.answer === null) return [];
        const described = describe(entry, entry.answer, Math.min(room, KEPT_OF_ANSWER));
        for (const record of described.records) room -= record.length;
        return [described];
      });
    },
  };
}

/** The answer within the bounds that `resolver.ts` promises to the checks. */
function readable(answer: Answer<RecordType>): Answer<RecordType> {
  if (answer.status !== 'found') return answer;
  const { records } = answer;
  const isLong = (record: unknown): boolean => typeof record === 'string' && record.length > MAX_TEXT;
  if (records.length <= MAX_RECORDS && !records.some(isLong)) return answer;
  const read = records
    .slice(0, MAX_RECORDS)
    .map((record) =>
      typeof record === 'string' && isLong(record) ? keptText(record.slice(0, MAX_TEXT), MAX_TEXT) : record,
    );
  return { ...answer, records: read };
}

const NO_RECORDS: readonly string[] = Object.freeze([]);

/** `room` is for the records, in characters; the first is always kept, if only its beginning. */
function describe({ name: asked, type, unread }: Asked, answer: Answer<RecordType>, room: number): DnsAnswer {
  const { status } = answer;
  const told = {
    ...(answer.authenticated === true ? { authenticated: true as const } : {}),
    ...(answer.errors === undefined || answer.errors.length === 0
      ? {}
      : { errors: keptErrors(answer.errors) }),
    ...(answer.alias === undefined ? {} : { alias: keptText(answer.alias, 255) }),
  };
  // The name may have been taken from a record.
  const name = keptText(asked, 255);
  switch (status) {
    case 'found': {
      const records: string[] = [];
      let left = room;
      for (const record of answer.records) {
        const most =
          records.length > 0 ? KEPT_OF_RECORD : Math.min(KEPT_OF_RECORD, Math.max(left, KEPT_OF_FIRST));
        const text = keptText(recordText(record), most);
        if (records.length > 0 && text.length > left) break;
        records.push(text);
        left -= text.length;
      }
      const omitted = answer.records.length - records.length + unread;
      return { name, type, status, records, ttl: answer.ttl, ...told, ...(omitted === 0 ? {} : { omitted }) };
    }
    case 'temperror':
      return { name, type, status, records: [answer.detail], ttl: null, ...told };
    case 'nodata':
    case 'nxdomain':
      return { name, type, status, records: NO_RECORDS, ttl: answer.ttl, ...told };
  }
}

function keptErrors(errors: readonly ExtendedError[]): ExtendedError[] {
  return errors
    .slice(0, KEPT_ERRORS)
    .map(({ code, text }) => ({ code, text: keptText(text, KEPT_OF_ERROR) }));
}

/** A record in the order of its RDATA. */
function recordText(record: string | object): string {
  return typeof record === 'string' ? record : Object.values(record).join(' ');
}
