/**
 * Macros: names and values that the MTA sends ahead of a command. Kept as received and read on demand, since
 * most are never asked for.
 *
 * A set is bounded in octets and names; anything beyond the bounds is dropped. So a peer that sends macros
 * without end makes no more work than an MTA does.
 *
 * Lifetimes are libmilter's: a set replaces the set of its stage; CONNECT, HELO, MAIL and RCPT clear the
 * stages after them; ABORT clears nothing.
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

/** Octets kept of a set; a macro that the bound cuts is not kept. An MTA sends far less. */
export const MAX_SET = 8192;
/** Names read from a set. An MTA sends a dozen. */
export const MAX_NAMES = 64;

/**
 * The macros of one stage, and those of the stages before. Linked: an array would cost an idle session four
 * times as much.
 */
class MacroSet {
  readonly stage: number;
  readonly text: string;
  before: MacroSet | null;
  /** By bare name; null until somebody asks. */
  #values: Map<string, string> | null = null;

  constructor(stage: number, text: string, before: MacroSet | null) {
    this.stage = stage;
    this.text = text;
    this.before = before;
  }

  get(bare: string): string | undefined {
    this.#values ??= parse(this.text);
    return this.#values.get(bare);
  }
}

export class Macros {
  /** The set of the latest stage; UNKNOWN, which may come at any time, counts as later than any. */
  #latest: MacroSet | null = null;

  /** Bytes of all sets. */
  get size(): number {
    let size = 0;
    for (let set = this.#latest; set !== null; set = set.before) size += set.text.length;
    return size;
  }

  /**
   * Takes the data of a MACRO packet, which the decoder has cut to `MAX_SET` octets; sets of unknown stages
   * are dropped.
   */
  set(command: number, text: string): void {
    const stage = command === SMFIC.UNKNOWN ? LAST : ORDER.indexOf(command);
    if (stage !== -1) this.#latest = replaced(this.#latest, stage, text);
  }

  /** To be called when the command itself arrives. */
  begin(command: number): void {
    const stage = ORDER.indexOf(command);
    if (stage === -1 || stage > ORDER.indexOf(SMFIC.RCPT)) return;
    while (this.#latest !== null && this.#latest.stage > stage) this.#latest = this.#latest.before;
  }

  /** The raw set that belongs to a stage. */
  of(command: number): string | undefined {
    let set = this.#latest;
    while (set !== null && set.stage !== ORDER.indexOf(command)) set = set.before;
    return set?.text;
  }

  /** The value of a macro, from the latest stage that has it. `x` and `{x}` are the same name. */
  get(name: string): string | undefined {
    const bare = bareName(name);
    for (let set = this.#latest; set !== null; set = set.before) {
      const value = set.get(bare);
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** The chain with this set in the place of its stage; without one if there is no text. */
function replaced(latest: MacroSet | null, stage: number, text: string): MacroSet | null {
  if (latest !== null && latest.stage > stage) {
    latest.before = replaced(latest.before, stage, text);
    return latest;
  }
  const before = latest?.stage === stage ? latest.before : latest;
  return text === '' ? before : new MacroSet(stage, text, before);
}

/** Values by bare name, the first of each name. */
function parse(set: string): Map<string, string> {
  const values = new Map<string, string>();
  let at = 0;
  for (let names = 0; names < MAX_NAMES && at < set.length; names++) {
    const nameEnd = set.indexOf('\0', at);
    if (nameEnd === -1) break;
    const end = set.indexOf('\0', nameEnd + 1);
    // A missing last NUL is forgiven, but not if the bound has cut the value.
    if (end === -1 && set.length >= MAX_SET) break;
    const valueEnd = end === -1 ? set.length : end;
    const name = bareName(set.slice(at, nameEnd));
    if (!values.has(name)) values.set(name, set.slice(nameEnd + 1, valueEnd));
    at = valueEnd + 1;
  }
  return values;
}

function bareName(name: string): string {
  return name.startsWith('{') && name.endsWith('}') ? name.slice(1, -1) : name;
}
