/** What the process of `asking.ts` is told to do, and what it reports. */

export interface Job {
  /**
   * Address and reverse-name questions in turns; all the questions of a cold verdict at once, sent without a
   * gate and judged by nobody; whole assessments of new clients whose HELO is exact; or a hundred times
   * such an assessment out of a cache that holds those of all clients.
   */
  readonly what: 'questions' | 'transport' | 'verdicts' | 'hits';
  /** Number of clients; they are those of `hostOf` from `first` on. */
  readonly first: number;
  readonly count: number;
  /** Number under way at once. */
  readonly open: number;
}

export interface Done {
  /** Microseconds of user and system time for each question, set, assessment or hundred hits. */
  readonly cpu: number;
  /** Of these, how many a second. */
  readonly rate: number;
  /** Milliseconds to an answer: median and slowest. */
  readonly p50: number;
  readonly max: number;
}

/** Number of clients whose names are in the zones. */
export const CLIENTS = 4096;

/**
 * The address and the name of a client. As with real strangers, each is in a network and a domain of its own:
 * clients that share one wait for each other.
 */
export function hostOf(client: number): { readonly address: readonly number[]; readonly name: string } {
  const i = (client * 257) % CLIENTS;
  // Beside those of `load.c`, which end with 1 and have a lower third number.
  return { address: [11, 1 + (i & 15), 128 + (i >> 8), i & 255], name: `mail.c${i}.org` };
}

/** The name at which the reverse name of an address is looked up. */
export function reverseName(address: readonly number[]): string {
  return `${address.toReversed().join('.')}.in-addr.arpa`;
}
