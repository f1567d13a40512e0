/**
 * What is kept of single decisions of the senders that would be hit: who it went to, and one example of each
 * kind. It takes some 20 kB an example, so their number is bounded, whatever the number of senders.
 */
import { identityOf } from '../policy/identity.ts';
import type { HitCase } from './hit-sender.ts';
import type { Part, Replayed } from './replayed.ts';

/** Cases and recipients kept of one sender. */
const MAX_OF_SENDER = 8;
const MAX_RECIPIENTS = 20;

export interface HitDetail {
  /** By number of decisions. */
  readonly recipients: ReadonlyMap<string, number>;
  readonly cases: ReadonlyMap<string, HitCase>;
}

interface KeptCase extends HitCase {
  /** Number of the latest. */
  message: number;
}

interface Kept extends HitDetail {
  readonly recipients: Map<string, number>;
  readonly cases: Map<string, KeptCase>;
}

const NOTHING: HitDetail = { recipients: new Map(), cases: new Map() };

export class HitDetails {
  readonly #kept = new Map<string, Kept>();
  readonly #maxCases: number;
  readonly #sorted: (keys: Iterable<string>) => readonly string[];
  #cases = 0;

  /** `sorted` puts the senders first whose details are to be kept when there are too many. */
  constructor(maxCases: number, sorted: (keys: Iterable<string>) => readonly string[]) {
    this.#maxCases = maxCases;
    this.#sorted = sorted;
  }

  of(sender: string): HitDetail {
    return this.#kept.get(sender) ?? NOTHING;
  }

  /** `message`: the number of the message; `isFirst`: this is the first decision on it that is a hit. */
  add(
    sender: string,
    { replayed, part }: { readonly replayed: Replayed; readonly part: Part },
    { message, isFirst }: { readonly message: number; readonly isFirst: boolean },
  ): void {
    const kept: Kept = this.#kept.get(sender) ?? { recipients: new Map(), cases: new Map() };
    countRecipients(kept.recipients, part);
    const key = caseKey(replayed, part);
    const known = kept.cases.get(key);
    if (known !== undefined) {
      known.decisions++;
      if (known.message !== message) known.messages++;
      if (isFirst) known.firsts++;
      known.message = message;
      known.sample = replayed;
      known.part = part;
    } else if (kept.cases.size < MAX_OF_SENDER) {
      const firsts = isFirst ? 1 : 0;
      kept.cases.set(key, { decisions: 1, messages: 1, firsts, message, sample: replayed, part });
      this.#kept.set(sender, kept);
      if (++this.#cases > this.#maxCases) this.#giveUpHalf();
    }
  }

  #giveUpHalf(): void {
    const sorted = this.#sorted(this.#kept.keys());
    for (const sender of sorted.slice(Math.floor(sorted.length / 2))) {
      this.#cases -= this.of(sender).cases.size;
      this.#kept.delete(sender);
    }
  }
}

function countRecipients(known: Map<string, number>, { recipients }: Part): void {
  for (const recipient of recipients) {
    const before = known.get(recipient);
    if (before !== undefined || known.size < MAX_RECIPIENTS) known.set(recipient, (before ?? 0) + 1);
  }
}

/** What is the same is judged alike, with one more line in the access list too. */
function caseKey({ record }: Replayed, { judged, action }: Part): string {
  const outcomes = judged?.assessment.outcomes ?? [];
  return JSON.stringify([
    record.client,
    record.helo,
    record.stage === 'message',
    action,
    judged?.ownPolicy?.preset,
    judged?.verdict.counted.map(({ finding }) => finding.id),
    outcomes.map(({ result, correspondence }) => `${result} ${correspondence}`),
    judged === null ? null : identityOf(judged.assessment).reverse,
  ]);
}
