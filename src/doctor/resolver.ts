/** Finds out what a name server is like by asking it. */
import type { Answer, RecordType, Resolver } from '../core/resolver.ts';

export interface ServerFacts {
  /** As `--dns-server` has it. */
  readonly server: string;
  /** Null if it answers for a name that exists; else what came instead: `timeout`, `servfail`, … */
  readonly fault: string | null;
  /** Median time of answers from its cache, in milliseconds; null if there were none. */
  readonly medianMs: number | null;
  /** Addresses that it gave for names that do not exist. */
  readonly invented: readonly { readonly name: string; readonly address: string }[];
  /** Whether it refuses answers with bad signatures; null if that could not be seen. */
  readonly validates: boolean | null;
  /** What it says about a reverse name that has a PTR record. */
  readonly reverse: Answer<RecordType>['status'];
}

/** Where a resolver on this host listens by default, whichever it is. */
export const LOCAL_SERVER = '127.0.0.1';

export interface Questions {
  /** A name that exists, with an address. */
  readonly known: string;
  /** A name whose zone has bad signatures. */
  readonly bogus: string;
  /** Names that cannot exist. */
  readonly impossible: readonly string[];
  /** A name with a PTR record. */
  readonly reverse: string;
}

/**
 * `example.com` is kept by IANA (RFC 2606, RFC 6761 §6.5), `dnssec-failed.org` by Comcast for this very
 * purpose, 198.41.0.4 is a.root-servers.net. A name below `.invalid` never exists (RFC 6761 §6.4), but a
 * resolver may know that without asking; nobody registers 24 random digits under `.com`. `random` gives
 * hexadecimal digits.
 */
export function questions(random: () => string, bogus: string): Questions {
  return {
    known: 'example.com',
    bogus,
    impossible: [`${random()}.com`, `${random()}.invalid`],
    reverse: '4.0.41.198.in-addr.arpa',
  };
}

/** How often the known name is asked for again, to see how far away the server is. */
const ROUNDS = 5;

/** `now` is in milliseconds. Takes at most one question's time limit if the server is dead. */
export async function observeServer(
  server: string,
  resolver: Resolver,
  { known, bogus, impossible, reverse }: Questions,
  now: () => number,
): Promise<ServerFacts> {
  const first = await resolver.lookup(known, 'A');
  if (first.status !== 'found') {
    const fault = first.status === 'temperror' ? first.detail : `${first.status} for ${known}`;
    return { server, fault, medianMs: null, invented: [], validates: null, reverse: 'temperror' };
  }
  const times: number[] = [];
  // One after the other, since they would delay each other.
  for (let i = 0; i < ROUNDS; i++) {
    const asked = now();
    const { status } = await resolver.lookup(known, 'A');
    if (status !== 'temperror') times.push(now() - asked);
  }
  const [signed, pointer, ...answers] = await Promise.all([
    resolver.lookup(bogus, 'A'),
    resolver.lookup(reverse, 'PTR'),
    ...impossible.map((name) => resolver.lookup(name, 'A')),
  ]);
  return {
    server,
    fault: null,
    medianMs: median(times),
    invented: answers.flatMap((answer, i) => {
      const address = answer.status === 'found' ? answer.records[0] : undefined;
      return address === undefined ? [] : [{ name: impossible[i] ?? '', address }];
    }),
    validates: validation(signed),
    reverse: pointer.status,
  };
}

const VALIDATED: ReadonlySet<string> = new Set(['servfail', 'bogus']);

/** A validating resolver answers SERVFAIL (RFC 4035 §5.5); any other failure says nothing. */
function validation(answer: Answer<'A'>): boolean | null {
  if (answer.status === 'found') return false;
  return answer.status === 'temperror' && VALIDATED.has(answer.detail) ? true : null;
}

function median(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
