/** Reads lists of milters in Postfix, and writes them again in the operator's own words. */
import type { Filter, FilterItem, FilterList } from './mta.ts';
import type { MasterLine } from './postconf.ts';
import type { PostfixConfig } from './postfix-config.ts';
import { splitList } from './postfix-value.ts';

/** An item that is a reference to a setting and nothing else. */
const NAMED = /^\$(?:(\w+)|\{\s*(\w+)\s*\}|\(\s*(\w+)\s*\))$/;
/** Deeper nesting is a loop, on which Postfix exits with an error. */
const MAX_DEPTH = 20;

/** Where a list is written, and how one of its items is read. */
interface Reading {
  readonly config: PostfixConfig;
  readonly line: MasterLine | undefined;
  readonly filterOf: (text: string) => Filter;
}

/**
 * Reads the list that a setting has. `raw` is its text as it is written, `before` and `after` are what
 * surrounds the items.
 */
export function readList(
  setting: string,
  raw: string,
  reading: Reading,
  [opening, closing]: readonly [before: string, after: string] = ['', ''],
  depth = 0,
): FilterList {
  const own = reading.line?.overrides.has(setting) === true;
  return {
    setting,
    opening,
    closing,
    own,
    items: splitList(raw).map((text) => readItem(text, reading, depth)),
  };
}

function readItem(text: string, reading: Reading, depth: number): FilterItem {
  const { config, line, filterOf } = reading;
  const name = NAMED.exec(text)?.slice(1).join('') ?? '';
  if (name === '' || depth === MAX_DEPTH) {
    return { text, filters: splitList(config.expand(text, line)).map(filterOf), named: null };
  }
  const named = readList(name, config.written(name, line), reading, ['', ''], depth + 1);
  return { text, filters: filtersOf(named), named };
}

/** The milters of a list, in order. */
export function filtersOf({ items }: FilterList): readonly Filter[] {
  return items.flatMap(({ filters }) => filters);
}

/** A milter of a list, or the text of a new one. */
export type Wanted = Filter | string;

/**
 * The items that give these milters, in the words of the list: `$name` stays if everything it stands for is
 * wanted unchanged, or if it stands for nothing at present.
 */
export function itemsFor(list: FilterList, wanted: readonly Wanted[]): string[] {
  const known = everyItem(list).filter(({ filters }) => filters.length > 0);
  const texts: string[] = [];
  for (let at = 0; at < wanted.length;) {
    const next = wanted[at];
    const item = known.find(({ filters }) => filters.every((filter, i) => wanted[at + i] === filter));
    texts.push(item?.text ?? (typeof next === 'object' ? next.text : (next ?? '')));
    at += item?.filters.length ?? 1;
  }
  return [...texts, ...list.items.filter(({ filters }) => filters.length === 0).map(({ text }) => text)];
}

/** Outer items come before those within them. */
function everyItem({ items }: FilterList): FilterItem[] {
  return items.flatMap((item) => [item, ...(item.named === null ? [] : everyItem(item.named))]);
}

/** The list in which a milter is written out, perhaps that of a setting that this list names. */
export function listWith(list: FilterList, filter: Filter): FilterList {
  const named = list.items.find(({ filters }) => filters.includes(filter))?.named ?? null;
  return named === null ? list : listWith(named, filter);
}
