/**
 * Decisions that are judged alike whatever policy is tried, if earlier mail says the same about them:
 * sorted once, they need not be judged one by one whenever a threshold moves. Messages with several
 * decisions are left to the replayer.
 */
import type { Assessment } from '../src/core/assessment.ts';
import { parseIp } from '../src/core/ip.ts';
import type { Finding } from '../src/core/check.ts';
import { mightPermit } from '../src/core/checks/iprev.ts';
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import { exemptRecipient, isTrusted } from '../src/policy/exemption.ts';
import { seenIn } from '../src/policy/judge.ts';
import { withoutBrackets } from '../src/policy/mailbox.ts';
import type { PageRules } from '../src/report/page-data.ts';
import { messageOf, sessionOf } from '../src/report/replayed.ts';
import { networkName } from '../src/report/tally.ts';
import { TimeScale } from './time-scale.ts';

export interface Alike {
  /** One of them. */
  readonly sample: RecordedDecision;
  /** Their places in the list of all decisions, ascending. */
  readonly members: number[];
  /** How many are in each slice of time. */
  readonly slices: Map<number, number>;
}

interface SorterOptions {
  readonly rules: PageRules;
  readonly followsRegulars: boolean;
  /** It matters in which part of all networks the client is. */
  readonly byShare: boolean;
}

/** The latest decision of a session. */
interface Latest {
  readonly place: number;
  readonly message: string;
  /** Null if it is judged in its order. */
  readonly group: Alike | null;
}

/** Sorts decisions as they come. */
export class Sorter {
  /** Places of decisions that have to be judged in their order. */
  readonly ordered: number[] = [];
  scale = new TimeScale(0, 0);
  readonly #groups = new Map<string, Alike>();
  readonly #options: SorterOptions;
  readonly #asksMore: boolean;
  /** By session. */
  readonly #latest = new Map<string, Latest>();
  #count = 0;
  #first = Infinity;
  #last = -Infinity;

  constructor(options: SorterOptions) {
    this.#options = options;
    const { rules, followsRegulars } = options;
    this.#asksMore = followsRegulars || rules.policy.ramps.size > 0 || rules.streamLimits.size > 0;
  }

  get groups(): Iterable<Alike> {
    return this.#groups.values();
  }

  /** Sorts those of the records that are not sorted yet. */
  take(records: readonly RecordedDecision[]): void {
    this.#rescale(records);
    for (; this.#count < records.length; this.#count++) {
      const record = records[this.#count];
      if (record !== undefined) this.#add(record, records);
    }
  }

  #add(record: RecordedDecision, records: readonly RecordedDecision[]): void {
    const place = this.#count;
    const session = sessionOf(record);
    const message = messageOf(record);
    const before = this.#latest.get(session);
    const goesOn = before?.message === message;
    // The one before has turned out to be one of several about a message.
    if (goesOn && before.group !== null) this.#takeOut(before.place, before.group, records);
    // From there on the replayer is given the whole session, so that it sees where another message begins.
    const isOrdered = goesOn || before?.group === null || record.stage === 'message';
    const group = isOrdered ? null : this.#groupOf(record);
    this.#latest.set(session, { place, message, group });
    if (group === null) {
      this.ordered.push(place);
      return;
    }
    group.members.push(place);
    count(group.slices, this.scale.sliceOf(record.time), 1);
  }

  #groupOf(record: RecordedDecision): Alike {
    const { rules, byShare } = this.#options;
    const key = `${keyOf(record, rules, byShare)}${this.#asksMore ? pastKeyOf(record) : ''}`;
    let group = this.#groups.get(key);
    if (group === undefined)
      this.#groups.set(key, (group = { sample: record, members: [], slices: new Map() }));
    return group;
  }

  #takeOut(place: number, { members, slices }: Alike, records: readonly RecordedDecision[]): void {
    // The others of its session mostly follow each other.
    members.splice(members.lastIndexOf(place), 1);
    count(slices, this.scale.sliceOf(records[place]?.time ?? 0), -1);
    this.ordered.push(place);
  }

  /** Not in the order of the log: several processes may have written it. */
  #rescale(records: readonly RecordedDecision[]): void {
    for (let i = this.#count; i < records.length; i++) {
      const time = records[i]?.time ?? 0;
      this.#first = Math.min(this.#first, time);
      this.#last = Math.max(this.#last, time);
    }
    if (this.#first === Infinity) return;
    const before = this.scale;
    this.scale = new TimeScale(this.#first, this.#last);
    if (this.scale.from === before.from && this.scale.sliceMs === before.sliceMs) return;
    for (const { members, slices } of this.#groups.values()) {
      slices.clear();
      for (const i of members) count(slices, this.scale.sliceOf(records[i]?.time ?? 0), 1);
    }
  }
}

function count(slices: Map<number, number>, slice: number, by: number): void {
  slices.set(slice, (slices.get(slice) ?? 0) + by);
}

/** What it matters for what earlier mail says, beside how it is judged. */
function pastKeyOf({ stage, end, ramp, streamLimit, judged }: RecordedDecision): string {
  return `;${stage};${end};${ramp};${streamLimit};${judged?.session.regular}`;
}

function keyOf(record: RecordedDecision, rules: PageRules, byShare: boolean): string {
  const { judged, client, exempt, action, recipients } = record;
  const ip = client === null || rules.trusted.length === 0 ? null : parseIp(client);
  const kinds = new Set(recipients.map((each) => kindOf(withoutBrackets(each), rules)));
  const general = [
    exempt,
    action,
    ip !== null && isTrusted(ip, rules.trusted),
    [...kinds].join(),
    byShare ? Math.floor(rules.enforcement.shareOf(networkName(client))) : '',
  ].join(';');
  if (judged === null) return general;
  const { assessment, session, dnsIll } = judged;
  const { assessment: seen, access } = seenIn(assessment, rules, { session, at: record.time });
  return `${general};${String(dnsIll)};${access?.line ?? ''};${shapeOf(seen)}`;
}

/** What is special about a recipient, whatever policy is tried. */
function kindOf(recipient: string, { recipients }: PageRules): string {
  const own = recipients.of(recipient);
  return exemptRecipient(recipient) ?? (own === 'off' ? own : (own?.preset ?? 'other'));
}

/** Everything of an assessment that a verdict depends on. */
function shapeOf(assessment: Assessment): string {
  const { client, findings, correspondence, proofs, optOut, undecided, trouble, mismatch, settled } =
    assessment;
  return [
    client.ip === null,
    client.helo.kind === 'missing',
    findings.map(findingShape).join(),
    correspondence,
    proofs.join('+'),
    optOut,
    undecided,
    trouble,
    assessment.outcomes.some(mightPermit),
    mismatch === null,
    settled,
  ].join(';');
}

function findingShape({ id, evidence, provisional, atWorst = [], mootBy = [] }: Finding): string {
  const seen = Object.keys(evidence).sort().join('+');
  return [id, seen, provisional === true, atWorst.join('+'), mootBy.join('+')].join('/');
}
