/**
 * Groups by name. Most senders and networks of a month are seen once: as long as it is only once, all that is
 * kept of a group is a number beside its name, and the group is made when somebody looks at it.
 */
import { DISPOSITIONS } from '../policy/policy.ts';
import { type Tallied, countIn, emptyGroup, type Group } from './group.ts';

/** What `packed` has below the time: two dispositions of two bits each, and whether it is certain. */
const FACTS = 32;
/** Unix times that leave room for the facts in the 53 bits of a number: until the year 10889. */
const MAX_TIME = 2 ** 48;

export class GroupTable {
  readonly #groups = new Map<string, Group | number>();
  /** The names that were new with the message under way, of which `#message` is the number. */
  readonly #fresh = new Set<string>();
  #message = 0;

  get size(): number {
    return this.#groups.size;
  }

  /**
   * Counts one decision; those on one message follow each other. Returns whether it is the first on its
   * message in this group.
   */
  count(name: string, change: Tallied): boolean {
    if (this.#message !== change.message) {
      this.#message = change.message;
      this.#fresh.clear();
    }
    const known = this.#groups.get(name);
    if (known === undefined && isPackable(change)) {
      this.#groups.set(name, packed(change));
      this.#fresh.add(name);
      return true;
    }
    let group = known;
    if (typeof group !== 'object') {
      group = group === undefined ? emptyGroup(name) : this.#groupOf(name, group);
      this.#groups.set(name, group);
    }
    return countIn(group, change);
  }

  get(name: string): Group | undefined {
    const known = this.#groups.get(name);
    return known === undefined ? undefined : this.#groupOf(name, known);
  }

  keys(): IterableIterator<string> {
    return this.#groups.keys();
  }

  *values(): Generator<Group> {
    for (const [name, known] of this.#groups) yield this.#groupOf(name, known);
  }

  /** Those for whom most would change come first; then those with the most decisions; then by name. */
  *byChange(): Generator<Group> {
    const several: Group[] = [];
    const once: string[][] = [[], [], []];
    for (const [name, known] of this.#groups) {
      if (typeof known === 'object') several.push(known);
      else once[rankOf(this.#groupOf(name, known))]?.push(name);
    }
    several.sort(compare);
    let next = 0;
    for (const name of once.flatMap((names) => names.sort())) {
      const single = this.get(name);
      if (single === undefined) continue;
      for (let group = several[next]; group !== undefined && compare(group, single) < 0;) {
        yield group;
        group = several[++next];
      }
      yield single;
    }
    yield* several.slice(next);
  }

  #groupOf(name: string, known: Group | number): Group {
    if (typeof known === 'object') return known;
    const group = emptyGroup(name);
    countIn(group, unpacked(known, this.#fresh.has(name) ? this.#message : 0));
    // Number 0 is that of no message, so that one was not counted.
    group.messages = 1;
    return group;
  }
}

function isPackable({ time }: Tallied): boolean {
  return Number.isInteger(time) && time >= 0 && time < MAX_TIME;
}

function packed({ time, then, now, unknown }: Tallied): number {
  return (
    time * FACTS + (DISPOSITIONS.indexOf(then) << 3) + (DISPOSITIONS.indexOf(now) << 1) + Number(unknown)
  );
}

function unpacked(from: number, message: number): Tallied {
  const facts = from % FACTS;
  const [then, now] = [DISPOSITIONS[facts >> 3], DISPOSITIONS[(facts >> 1) & 3]];
  if (then === undefined || now === undefined) throw new Error(`${from} was not packed here`);
  return { time: Math.floor(from / FACTS), message, then, now, unknown: facts % 2 === 1 };
}

/** Of a group with one decision: stricter, milder, as before. */
function rankOf({ stricter, milder }: Group): number {
  return stricter > 0 ? 0 : milder > 0 ? 1 : 2;
}

function compare(a: Group, b: Group): number {
  return (
    b.stricter - a.stricter ||
    b.milder - a.milder ||
    b.decisions - a.decisions ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}
