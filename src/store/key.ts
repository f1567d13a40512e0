/**
 * The names of our values in the store: `PREFIX:VERSION:TABLE:HASH`. Another version of the layout uses other
 * names, so that two versions of the program can run side by side. Names of hosts and networks are in them as
 * a hash only, which bounds their length.
 */
import { createHash } from 'node:crypto';

/** Of the names and values in the store. */
const LAYOUT = 1;
/** Of a hash in base64: 132 bits. */
const HASH_LENGTH = 22;

export type KeyOf = (table: string, text: string) => string;

export function keyMaker(prefix: string): KeyOf {
  return (table, text) => `${prefix}:${LAYOUT}:${table}:${textDigest(text)}`;
}

/** The same on all hosts. */
export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, HASH_LENGTH);
}
