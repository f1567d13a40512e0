/** What the process of `asking.ts` is told to do, and what it says of that. */

export interface Job {
  /** Questions for addresses and reverse names in turns, or whole assessments of exact hosts that nobody has seen. */
  readonly what: 'questions' | 'verdicts';
  /** Of so many clients, as `hostOf` names them, one after another from `first` on. */
  readonly first: number;
  readonly count: number;
  /** At once. */
  readonly open: number;
}

export interface Done {
  /** Microseconds of user and system time for each. */
  readonly cpu: number;
  /** A second. */
  readonly rate: number;
  /** Milliseconds until half of them were answered, and the slowest. */
  readonly p50: number;
  readonly max: number;
}

/** So many clients have their names in the zones. */
export const CLIENTS = 4096;

/**
 * The address and the name of a client. As strangers are, one and the next are in different networks and domains: those
 * who share one wait for each other.
 */
export function hostOf(client: number): { readonly address: readonly number[]; readonly name: string } {
  const i = (client * 257) % CLIENTS;
  return { address: [11, 1 + (i & 15), i >> 8, i & 255], name: `mail.c${i}.org` };
}

/** The name that is asked for the name of an address. */
export function reverseName(address: readonly number[]): string {
  return `${address.toReversed().join('.')}.in-addr.arpa`;
}
