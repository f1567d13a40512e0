/** Lists of a host's filters: every selection in every order, with us at every place of each. */

/** Milters of a list; `opendmarc-spf` checks SPF itself if no field reports it. A host has one OpenDMARC. */
export type FilterName = 'opendkim' | 'opendmarc' | 'opendmarc-spf' | 'rspamd';

/**
 * What policyd-spf prepends before any milter is asked: Authentication-Results (AR), Received-SPF (SPF) or
 * nothing.
 */
export type Policyd = 'AR' | 'SPF' | null;

export interface Chain {
  readonly title: string;
  /** In the order in which they are asked. */
  readonly filters: readonly FilterName[];
  readonly policyd: Policyd;
}

/** Our place: before the filter of this index, or after all of them. */
export interface Ours {
  readonly place: number;
  /** Whether we only watch. */
  readonly observe: boolean;
}

/** A service of the MTA: the chain without us (null), or with us. */
export type Way = Ours | null;

/** All chains of any of these filters that meet a condition. */
export function chainsOf(
  filters: readonly FilterName[],
  policyd: readonly Policyd[],
  wanted: (filters: readonly FilterName[]) => boolean = () => true,
): Chain[] {
  return orders(filters)
    .filter((order) => order.length > 0 && wanted(order))
    .flatMap((order) =>
      policyd.map((header) => ({
        title: [...(header === null ? [] : [`policyd-spf (${header})`]), ...order].join(', '),
        filters: order,
        policyd: header,
      })),
    );
}

/** Without us, and with us at every place, refusing and watching. */
export function waysOf({ filters }: Chain): Way[] {
  return [
    null,
    ...[...filters, null].flatMap((_, place) => [
      { place, observe: false },
      { place, observe: true },
    ]),
  ];
}

/** All sequences of some of these without repetition, the empty one too. */
function orders<T>(items: readonly T[]): T[][] {
  return [
    [],
    ...items.flatMap((item) =>
      orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
    ),
  ];
}
