/**
 * Who would be hit: senders whose mail would be treated more strictly than it was, with what their mail was
 * like, so that an administrator can tell whether it is wanted. The counts are those of the tally. Everything
 * that is counted is exact for every sender, and costs a few numbers beside its name; what is kept of single
 * decisions is bounded.
 */
import type { Assessment } from '../core/assessment.ts';
import type { End } from '../decisions/decision.ts';
import { organisationsOf } from '../policy/identity.ts';
import { denialOf } from '../policy/policy.ts';
import { countIn, emptyGroup, strictness } from './group.ts';
import { GroupTable } from './group-table.ts';
import { HitDetails } from './hit-details.ts';
import { type HitSender, isProved } from './hit-sender.ts';
import { pointsOf } from './likeness.ts';
import type { Part, Replayed } from './replayed.ts';
import { networkName, Totals } from './tally.ts';

/** Cases kept of all senders: some 100 MB. */
const MAX_CASES = 5_000;

interface Who {
  readonly name: string;
  readonly origin: string;
  /** Of both. */
  readonly key: string;
}

/** Numbers by name, of which those that are zero cost nothing. */
class Counter {
  readonly #counts = new Map<string, number>();

  add(key: string, number = 1): void {
    if (number > 0) this.#counts.set(key, this.of(key) + number);
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}

/** One that would be hit, as it is sorted. */
interface Ranked {
  readonly key: string;
  readonly points: number;
  readonly messages: number;
}

export interface HitOptions {
  /** Only what came then (Unix time in milliseconds) or later is a hit; all of it is history. */
  readonly since?: number | undefined;
  /** Only senders with this name are told, and examples kept of no other. All are counted. */
  readonly name?: string | null;
  /** Beyond it, cases of the senders that look least like legitimate ones are given up. */
  readonly maxCases?: number | undefined;
}

export class HitCollector {
  /** All decisions of the log. */
  readonly totals = new Totals();
  /** Those since the time from which on there are hits. */
  readonly recent = emptyGroup('all');
  /** Messages that would be hit. */
  messages = 0;
  /** What became of the mail of every sender in the log, hit or not, by key. */
  readonly #histories = new GroupTable();
  readonly #hits = new GroupTable();
  readonly #accepted = new Counter();
  readonly #aborted = new Counter();
  /** Number of the latest message in these two. */
  #ended = 0;
  readonly #proved = new Counter();
  readonly #reverse = new Counter();
  readonly #permitted = new Counter();
  readonly #denied = new Counter();
  readonly #recipients = new Counter();
  /** By network. */
  readonly #authenticated = new Counter();
  /** The networks of the hit clients of a sender that is not named by its network. */
  readonly #networks = new Map<string, Set<string>>();
  readonly #details: HitDetails;
  readonly #since: number;
  /** The name that is asked for; null for all. */
  readonly #name: string | null;

  constructor({ since = -Infinity, name = null, maxCases = MAX_CASES }: HitOptions = {}) {
    this.#since = since;
    this.#name = name;
    this.#details = new HitDetails(maxCases, (keys) => this.#byLikeness(keys));
  }

  /** How many senders would be hit. */
  get size(): number {
    return this.#hits.size;
  }

  /** Takes the decisions in the order of the log. */
  add(replayed: Replayed): void {
    const { record } = replayed;
    const { change, part } = this.totals.add(replayed);
    const network = networkName(record.client);
    if (record.exempt === 'authenticated' || record.exempt === 'certificate')
      this.#authenticated.add(network);
    const isRecent = record.time >= this.#since;
    if (isRecent) countIn(this.recent, change);
    // Of a client that was exempt nothing is known but its address, which is counted above.
    if (record.judged === null) return;
    const who = whoSent(record.judged.assessment, network);
    this.#histories.count(who.key, change);
    if (record.exempt === null) this.#countEnd(who.key, record.end, change.message);
    // What was refused as a whole at its end is hit already, which a record of its own says.
    const isRefusedAtEnd = record.action === 'accept' && record.end === 'refused';
    if (!isRecent || isRefusedAtEnd || strictness(part.action) <= strictness(record.action)) return;
    const isFirst = this.#hits.count(who.key, change);
    if (isFirst) this.messages++;
    this.#countSigns(who, part, network);
    if (this.#isAskedFor(who.name))
      this.#details.add(who.key, { replayed, part }, { message: change.message, isFirst });
  }

  /** Those that would be hit, the one that looks most like a legitimate sender first: at most `limit`. */
  senders(limit = Infinity): readonly HitSender[] {
    let best: readonly string[] = [];
    let waiting: string[] = [];
    for (const key of this.#hits.keys()) {
      if (this.#isAskedFor(namesIn(key).name)) waiting.push(key);
      if (waiting.length < limit + CHUNK) continue;
      best = this.#byLikeness([...best, ...waiting]).slice(0, limit);
      waiting = [];
    }
    return this.#byLikeness([...best, ...waiting])
      .slice(0, limit)
      .map((key) => this.#senderOf(key));
  }

  #isAskedFor(name: string): boolean {
    return this.#name === null || this.#name === name;
  }

  /** A message counts once, however differently its recipients were treated. */
  #countEnd(key: string, end: End | null, message: number): void {
    const counter = end === 'accepted' ? this.#accepted : end === 'aborted' ? this.#aborted : null;
    if (counter === null || message === this.#ended) return;
    counter.add(key);
    this.#ended = message;
  }

  #countSigns({ origin, key }: Omit<Who, 'name'>, { judged, recipientCount }: Part, network: string): void {
    this.#recipients.add(key, recipientCount);
    // Only the networks of an organisation are several.
    if (origin !== network) {
      const networks = this.#networks.get(key);
      if (networks === undefined) this.#networks.set(key, new Set([network]));
      else networks.add(network);
    }
    if (judged === null) return;
    const { assessment, policy } = judged;
    if (isProved(assessment)) this.#proved.add(key);
    if (assessment.proofs.includes('reverse')) this.#reverse.add(key);
    if (assessment.proofs.includes('authorized')) this.#permitted.add(key);
    if (assessment.findings.some((each) => denialOf(each, policy) === 'name')) this.#denied.add(key);
  }

  #senderOf(key: string): HitSender {
    const { name, origin } = namesIn(key);
    const hits = this.#hits.get(key) ?? emptyGroup(name);
    const networks = this.#networks.get(key) ?? [origin];
    const { recipients, cases } = this.#details.of(key);
    const shown = [...recipients.values()].reduce((sum, each) => sum + each, 0);
    return {
      name,
      origin,
      past: {
        history: this.#histories.get(key) ?? emptyGroup(name),
        accepted: this.#accepted.of(key),
        aborted: this.#aborted.of(key),
      },
      authenticated: [...networks].reduce((sum, each) => sum + this.#authenticated.of(each), 0),
      hits,
      proved: this.#proved.of(key),
      reverse: this.#reverse.of(key),
      permitted: this.#permitted.of(key),
      denied: this.#denied.of(key),
      recipients,
      moreRecipients: this.#recipients.of(key) - shown,
      cases,
      left: hits.decisions - [...cases.values()].reduce((sum, { decisions }) => sum + decisions, 0),
    };
  }

  /** Sorted: the one that looks most like a legitimate sender first. */
  #byLikeness(keys: Iterable<string>): string[] {
    const ranked: Ranked[] = [];
    for (const key of keys) {
      const sender = this.#senderOf(key);
      ranked.push({ key, points: pointsOf(sender), messages: sender.hits.messages });
    }
    return ranked
      .sort((a, b) => b.points - a.points || b.messages - a.messages || (a.key < b.key ? -1 : 1))
      .map(({ key }) => key);
  }
}

/** In neither part of a key: DNS was asked for the names, so they are printable. */
const BETWEEN = '\n';
/** Senders that are sorted at once. */
const CHUNK = 1_000;

function whoSent(assessment: Assessment, network: string): Who {
  const { domain, reverseDomain } = organisationsOf(assessment);
  const name = domain ?? reverseDomain ?? network;
  const origin = (assessment.proofs.includes('reverse') ? reverseDomain : null) ?? network;
  return { name, origin, key: `${name}${BETWEEN}${origin}` };
}

function namesIn(key: string): Pick<Who, 'name' | 'origin'> {
  const at = key.indexOf(BETWEEN);
  return { name: key.slice(0, at), origin: key.slice(at + BETWEEN.length) };
}
