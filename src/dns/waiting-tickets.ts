/**
 * Tickets that wait for a place, and whose turn it is: it goes round by the widest of those that they count
 * to, within it by the next, and so on.
 */
import type { Party, Path } from './parties.ts';

interface Queue<T> {
  /** In the order of their turns. */
  readonly members: Map<Party, Queue<T>>;
  /** Those that have come all the way down their path. */
  readonly tickets: Set<T>;
}

export class WaitingTickets<T> {
  readonly #root: Queue<T> = emptyQueue();
  size = 0;

  add(path: Path, ticket: T): void {
    let queue = this.#root;
    for (const party of path) {
      let member = queue.members.get(party);
      if (member === undefined) queue.members.set(party, (member = emptyQueue()));
      queue = member;
    }
    queue.tickets.add(ticket);
    this.size++;
  }

  /** False if it is not here. */
  delete(path: Path, ticket: T): boolean {
    const found = this.#delete(this.#root, path, 0, ticket);
    if (found) this.size--;
    return found;
  }

  /**
   * The ticket whose turn it is; null if none may start, or none was found in `looks` looks. Whoever was
   * looked at has had their turn, whether it led to a ticket or not.
   */
  next(mayStart: (party: Party) => boolean, looks: number): T | null {
    const left = { looks };
    return this.#next(this.#root, mayStart, left);
  }

  #next(queue: Queue<T>, mayStart: (party: Party) => boolean, left: { looks: number }): T | null {
    const [ticket] = queue.tickets;
    if (ticket !== undefined) return ticket;
    for (let turns = queue.members.size; turns > 0 && left.looks > 0; turns--) {
      const [first] = queue.members;
      if (first === undefined) break;
      const [party, member] = first;
      queue.members.delete(party);
      queue.members.set(party, member);
      left.looks--;
      if (!mayStart(party)) continue;
      const found = this.#next(member, mayStart, left);
      if (found !== null) return found;
    }
    return null;
  }

  #delete(queue: Queue<T>, path: Path, depth: number, ticket: T): boolean {
    const party = path[depth];
    if (party === undefined) return queue.tickets.delete(ticket);
    const member = queue.members.get(party);
    if (member === undefined || !this.#delete(member, path, depth + 1, ticket)) return false;
    if (member.members.size === 0 && member.tickets.size === 0) queue.members.delete(party);
    return true;
  }
}

function emptyQueue<T>(): Queue<T> {
  return { members: new Map(), tickets: new Set() };
}
