/**
 * Macros: names and values that the MTA sends ahead of a command. Kept as received and read on demand, since most
 * are never asked for.
 *
 * Lifetimes are libmilter's: a set replaces the set of its stage; CONNECT, HELO, MAIL and RCPT clear the stages after
 * them; ABORT clears nothing.
 */
import { SMFIC } from './constants.ts';

/** Stages in the order of a session. */
const ORDER: readonly number[] = [
  SMFIC.CONNECT,
  SMFIC.HELO,
  SMFIC.MAIL,
  SMFIC.RCPT,
  SMFIC.DATA,
  SMFIC.HEADER,
  SMFIC.EOH,
  SMFIC.BODY,
  SMFIC.BODYEOB,
];
const LAST = ORDER.length;

export class Macros {
  /** The raw set of each stage; the one past the end is that of UNKNOWN, which may come at any time. */
  readonly #sets: (string | undefined)[] = [];

  /** Bytes of all sets. */
  get size(): number {
    let size = 0;
    for (const set of this.#sets) size += set?.length ?? 0;
    return size;
  }

  /** Takes the data of a MACRO packet; sets of stages that nobody knows are dropped. */
  set(command: number, text: string): void {
    const stage = command === SMFIC.UNKNOWN ? LAST : ORDER.indexOf(command);
    if (stage !== -1) this.#sets[stage] = text === '' ? undefined : text;
  }

  /** To be called when the command itself arrives. */
  begin(command: number): void {
    const stage = ORDER.indexOf(command);
    if (stage !== -1 && stage <= ORDER.indexOf(SMFIC.RCPT))
      this.#sets.length = Math.min(this.#sets.length, stage + 1);
  }

  /** The raw set that belongs to a stage. */
  of(command: number): string | undefined {
    return this.#sets[ORDER.indexOf(command)];
  }

  /** The value of a macro, from the latest stage that has it. `x` and `{x}` are the same name. */
  get(name: string): string | undefined {
    const bare = bareName(name);
    for (let stage = this.#sets.length - 1; stage >= 0; stage--) {
      const set = this.#sets[stage];
      const value = set === undefined ? undefined : find(set, bare);
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** Reads name after name, without taking the set apart: most are asked for one or two. */
function find(set: string, bare: string): string | undefined {
  for (let at = 0; at < set.length;) {
    const nameEnd = set.indexOf('\0', at);
    if (nameEnd === -1) return undefined;
    const end = set.indexOf('\0', nameEnd + 1);
    const valueEnd = end === -1 ? set.length : end;
    if (isName(set, at, nameEnd, bare)) return set.slice(nameEnd + 1, valueEnd);
    at = valueEnd + 1;
  }
  return undefined;
}

/** Whether the name at a place is `bare`, in braces or not. */
function isName(set: string, start: number, end: number, bare: string): boolean {
  const length = end - start;
  if (length === bare.length) return set.startsWith(bare, start);
  return (
    length === bare.length + 2 &&
    set[start] === '{' &&
    set[end - 1] === '}' &&
    set.startsWith(bare, start + 1)
  );
}

function bareName(name: string): string {
  return name.startsWith('{') && name.endsWith('}') ? name.slice(1, -1) : name;
}
