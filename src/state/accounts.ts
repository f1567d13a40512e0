/**
 * Where what a sender has been told is counted, in a table that strangers fill: the places that its messages
 * may have, and which of them gets a new record.
 */
import type { BudgetKey } from './budget-key.ts';
import type { FairTable, TableKey } from './fair-table.ts';

/**
 * The most places that one site has under the names of organisations; anything more is counted in its own
 * row.
 */
const MAX_ORGANISED = 256;

export type Accounts =
  readonly [own: TableKey, last: TableKey] | readonly [organised: TableKey, own: TableKey, last: TableKey];

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
  if (table.held(first.block) >= table.rows) return last ?? second;
  return last === undefined || table.held(first.site) < MAX_ORGANISED ? first : second;
}
