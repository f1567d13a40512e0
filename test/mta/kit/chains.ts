/** The lists in which filters of a host stand: every choice of them in every order, and us at every place of each. */

/** Milters of a list; `opendmarc-spf` looks at SPF itself where no field says anything of it. A host has one OpenDMARC. */
export type FilterName = 'opendkim' | 'opendmarc' | 'opendmarc-spf' | 'rspamd';

/** What policyd-spf prepends before any milter is asked: Authentication-Results (AR), Received-SPF (SPF) or nothing. */
export type Policyd = 'AR' | 'SPF' | null;

export interface Chain {
  readonly title: string;
  /** In the order in which they are asked. */
  readonly filters: readonly FilterName[];
  readonly policyd: Policyd;
}

/** Where we stand: before the filter of this index, or behind all of them. */
export interface Ours {
  readonly place: number;
  /** Whether we only watch. */
  readonly observe: boolean;
}

/** A service of the MTA: the chain without us (null), or with us. */
export type Way = Ours | null;

/** All chains of any of these filters that satisfy a condition. */
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
