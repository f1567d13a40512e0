/**
 * Where what a sender has been told is counted, in a table that strangers fill: the places that its messages
 * may have, and which of them gets a new record.
 */
import type { BudgetKey } from './budget-key.ts';
import type { FairTable, TableKey, Tries } from './fair-table.ts';

/**
 * The most places that one site has under the names of organisations; anything more is counted in its own
 * row.
 */
const MAX_ORGANISED = 256;

export type Accounts =
  readonly [own: TableKey, last: TableKey] | readonly [organised: TableKey, own: TableKey, last: TableKey];

/** The places under one text: what hosts of a farm count under. Which row it has is each host's affair. */
export type AccountName = readonly [organised: TableKey] | readonly [own: TableKey, last: TableKey];

/**
 * The places of the organisation, if known, and of the network, in the row of its site or that of its block:
 * whichever has been seen before is used again. All networks of a site, or block, compete for one row.
 * `about` is what is counted, where one table counts several things.
 */
export function accountsOf({ name, organisation, network, site, block }: BudgetKey, about = ''): Accounts {
  const owners = { network, site, block };
  // Neither a domain name nor a network has a space in it.
  const text = `${network} ${name}${about}`;
  const own = { text, row: site, ...owners };
  const last = { text, row: block, ...owners };
  if (organisation === null) return [own, last];
  const organised = `${organisation} ${name}${about}`;
  return [{ text: organised, row: organised, ...owners }, own, last];
}

/**
 * Where a new record goes: to the organisation, unless the site has shown too many of them, or to the site; a
 * block that has one place in each row, on average, gets no more but in its own.
 */
export function newAccount(accounts: Accounts, table: FairTable): TableKey {
  const [first, second, last] = accounts;
  if (last === undefined) return ownPlace([first, second], table);
  return organisedPlace(first, table) ?? ownPlace([second, last], table);
}

/** The organisation, if known, and the network: in the order in which a record is looked for. */
export function namesOf([first, second, last]: Accounts): readonly AccountName[] {
  return last === undefined ? [[first, second]] : [[first], [second, last]];
}

/** Where a new record of this name goes; null if there is no room for it. */
export function newPlace([first, last]: AccountName, table: FairTable): TableKey | null {
  return last === undefined ? organisedPlace(first, table) : ownPlace([first, last], table);
}

/** What is recorded under each name at `since` or later, in seconds. */
export function triesByName(
  accounts: Accounts,
  table: FairTable,
  now: number,
  since: number,
): readonly (Tries | null)[] {
  return namesOf(accounts).map((name) => {
    const used = name.find((each) => table.find(each, since) !== null);
    return used === undefined ? null : (table.find(used, since)?.tries(now) ?? null);
  });
}

/** Raises the record of one of the names to what all know who count together with us, if there is room. */
export function raiseName(
  { name, tries }: { readonly name: AccountName; readonly tries: Tries },
  table: FairTable,
  now: number,
  since: number,
): void {
  const used = name.find((each) => table.find(each, since) !== null) ?? newPlace(name, table);
  if (used !== null) (table.find(used, since) ?? table.add(used, now, since)).raise(tries, now);
}

function organisedPlace(organised: TableKey, table: FairTable): TableKey | null {
  const isFull = table.held(organised.block) >= table.rows;
  return isFull || table.held(organised.site) >= MAX_ORGANISED ? null : organised;
}

function ownPlace([own, last]: readonly [TableKey, TableKey], table: FairTable): TableKey {
  return table.held(own.block) >= table.rows ? last : own;
}
