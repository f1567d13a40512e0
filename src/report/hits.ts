/**
 * Who would be hit: senders whose mail would be treated more strictly than it was, with what their mail was
 * like, so that an administrator can tell whether it is wanted. The counts are those of the tally.
 */
import type { Assessment } from '../core/assessment.ts';
import { identityOf, organisationsOf } from '../policy/identity.ts';
import { denialOf } from '../policy/policy.ts';
import { countIn, emptyGroup, strictness } from './group.ts';
import { GroupTable } from './group-table.ts';
import type { HitSender, SenderPast } from './hit-sender.ts';
import { pointsOf } from './likeness.ts';
import type { Part, Replayed } from './replayed.ts';
import { talliedOf, MessageNumbers, networkName, strictestOf } from './tally.ts';

/** Cases and recipients kept of one sender. */
const MAX_OF_SENDER = 8;
const MAX_RECIPIENTS = 20;

/**
 * Cases kept of all senders: some 100 MB. Beyond it, those of the senders that look least like legitimate
 * ones are given up.
 */
const MAX_CASES = 5_000;

interface Who {
  readonly name: string;
  readonly origin: string;
  /** Of both. */
  readonly key: string;
}

export class HitCollector {
  readonly all = emptyGroup('all');
  /** What became of the mail of every sender in the log, hit or not, by key. */
  readonly #histories = new GroupTable();
  readonly #accepted = new Map<string, number>();
  readonly #aborted = new Map<string, number>();
  readonly #senders = new Map<string, HitSender>();
  readonly #authenticated = new Map<string, number>();
  /** The networks of hit clients, by sender. */
  readonly #networks = new Map<HitSender, Set<string>>();
  readonly #messages = new MessageNumbers();
  readonly #since: number;
  readonly #maxCases: number;
  #cases = 0;

  /** Only what came at `since` (Unix time in milliseconds) or later is a hit; all of it is history. */
  constructor(since = -Infinity, maxCases = MAX_CASES) {
    this.#since = since;
    this.#maxCases = maxCases;
  }

  /** Takes the decisions in the order of the log. */
  add(replayed: Replayed): void {
    const { record, parts } = replayed;
    const part = strictestOf(parts);
    const message = this.#messages.of(record);
    const change = talliedOf(replayed, message, part);
    const network = networkName(record.client);
    if (record.exempt === 'authenticated' || record.exempt === 'certificate')
      countOne(this.#authenticated, network);
    const isRecent = record.time >= this.#since;
    if (isRecent) countIn(this.all, change);
    // Of a client that was exempt nothing is known but its address, which is counted above.
    if (record.judged === null) return;
    const who = whoSent(record.judged.assessment, network);
    this.#histories.count(who.key, change);
    if (record.exempt === null && record.end === 'accepted') countOne(this.#accepted, who.key);
    if (record.exempt === null && record.end === 'aborted') countOne(this.#aborted, who.key);
    if (!isRecent || strictness(part.action) <= strictness(record.action)) return;
    const sender = this.#sender(who);
    const before = sender.hits.messages;
    countIn(sender.hits, change);
    this.#networks.get(sender)?.add(network);
    this.#count(sender, replayed, part, sender.hits.messages > before);
  }

  /** Those that would be hit, the one that looks most like a legitimate sender first. */
  senders(): readonly HitSender[] {
    const hit = [...this.#senders.values()];
    for (const sender of hit) {
      const networks = [...(this.#networks.get(sender) ?? [])];
      sender.authenticated = networks.reduce((sum, each) => sum + (this.#authenticated.get(each) ?? 0), 0);
    }
    return byLikeness(hit);
  }

  #pastOf(key: string): SenderPast {
    return {
      history: this.#histories.get(key) ?? emptyGroup(key),
      accepted: this.#accepted.get(key) ?? 0,
      aborted: this.#aborted.get(key) ?? 0,
    };
  }

  #sender({ name, origin, key }: Who): HitSender {
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    const pastOf = (): SenderPast => this.#pastOf(key);
    const sender: HitSender = {
      name,
      origin,
      get past() {
        return pastOf();
      },
      authenticated: 0,
      hits: emptyGroup(name),
      proved: 0,
      reverse: 0,
      permitted: 0,
      denied: 0,
      recipients: new Map(),
      moreRecipients: 0,
      cases: new Map(),
      left: 0,
    };
    this.#senders.set(key, sender);
    this.#networks.set(sender, new Set());
    return sender;
  }

  /** `isNew`: it is the first decision on its message that would be a hit. */
  #count(sender: HitSender, replayed: Replayed, part: Part, isNew: boolean): void {
    const { judged } = part;
    if (judged !== null) {
      const { assessment, policy } = judged;
      if (isProved(assessment)) sender.proved++;
      if (assessment.proofs.includes('reverse')) sender.reverse++;
      if (assessment.proofs.includes('authorized')) sender.permitted++;
      if (assessment.findings.some((each) => denialOf(each, policy) === 'name')) sender.denied++;
    }
    countRecipients(sender, part);
    const key = caseKey(replayed, part);
    const known = sender.cases.get(key);
    if (known !== undefined) {
      known.decisions++;
      if (isNew) known.messages++;
      known.sample = replayed;
      known.part = part;
    } else if (sender.cases.size < MAX_OF_SENDER) {
      sender.cases.set(key, { decisions: 1, messages: 1, sample: replayed, part });
      if (++this.#cases > this.#maxCases) this.#giveUpHalf();
    } else sender.left++;
  }

  #giveUpHalf(): void {
    const kept = byLikeness([...this.#senders.values()].filter(({ cases }) => cases.size > 0));
    for (const sender of kept.slice(Math.floor(kept.length / 2))) {
      this.#cases -= sender.cases.size;
      for (const { decisions } of sender.cases.values()) sender.left += decisions;
      sender.cases.clear();
    }
  }
}

function countOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function whoSent(assessment: Assessment, network: string): Who {
  const { domain, reverseDomain } = organisationsOf(assessment);
  const name = domain ?? reverseDomain ?? network;
  const origin = (assessment.proofs.includes('reverse') ? reverseDomain : null) ?? network;
  return { name, origin, key: `${name} ${origin}` };
}

/** Exact and authorized prove what they say; aligned only where it is not the name of an access line. */
export function isProved({ correspondence, proofs }: Assessment): boolean {
  return (
    correspondence === 'exact' ||
    correspondence === 'authorized' ||
    proofs.some((each) => each === 'exact' || each === 'authorized' || each === 'aligned')
  );
}

function countRecipients(sender: HitSender, { recipients, recipientCount }: Part): void {
  for (const recipient of recipients) {
    const known = sender.recipients.get(recipient);
    if (known !== undefined) sender.recipients.set(recipient, known + 1);
    else if (sender.recipients.size < MAX_RECIPIENTS) sender.recipients.set(recipient, 1);
    else sender.moreRecipients++;
  }
  sender.moreRecipients += recipientCount - recipients.length;
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

/** The one that looks most like a legitimate sender first. */
function byLikeness(senders: readonly HitSender[]): HitSender[] {
  const word = ({ name, origin }: HitSender): string => `${name} ${origin}`;
  return senders
    .map((sender) => ({ sender, points: pointsOf(sender) }))
    .sort(
      (a, b) =>
        b.points - a.points ||
        b.sender.hits.messages - a.sender.hits.messages ||
        (word(a.sender) < word(b.sender) ? -1 : 1),
    )
    .map(({ sender }) => sender);
}
