/**
 * Things in the order in which they were used, each in one list at most. The links are in the things
 * themselves: tens of thousands of small sets would take more memory than what they hold, and keep the
 * garbage collector busy.
 */

/** Something that can be in a list. */
export interface Linked<L> {
  before: L | null;
  after: L | null;
}

/** The ends of a list. */
export interface UseOrder<L> {
  /** The one that was used least recently. */
  first: L | null;
  last: L | null;
}

/** `item` is in no list, and used just now. */
export function link<L extends Linked<L>>(list: UseOrder<L>, item: L): void {
  item.before = list.last;
  item.after = null;
  if (list.last === null) list.first = item;
  else list.last.after = item;
  list.last = item;
}

/** Takes `item` out of its list. */
export function unlink<L extends Linked<L>>(list: UseOrder<L>, item: L): void {
  if (item.before === null) list.first = item.after;
  else item.before.after = item.after;
  if (item.after === null) list.last = item.before;
  else item.after.before = item.before;
  item.before = item.after = null;
}

/** `item` is in the list, and used just now. */
export function relink<L extends Linked<L>>(list: UseOrder<L>, item: L): void {
  if (list.last === item) return;
  unlink(list, item);
  link(list, item);
}
