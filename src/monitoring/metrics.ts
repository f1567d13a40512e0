/**
 * What is counted while mail passes: plain numbers, so that a decision costs a few additions and no label is
 * built. Their public names are in `prometheus.ts`, which reads them when somebody asks.
 *
 * No word from a stranger gets in: numbers are kept by words of known sets, and anything else counts as
 * `other`.
 */
import type { Assessment } from '../core/assessment.ts';
import { type Correspondence, CORRESPONDENCES } from '../core/check.ts';
import { type Answer, RECORD_TYPES, type RecordType } from '../core/resolver.ts';
import type { Decision } from '../decisions/decision.ts';
import { heldBack, isUnasked } from '../core/unasked.ts';
import { type SharedResolver, watched } from '../dns/asker.ts';
import type { Timing } from '../decisions/listener.ts';
import { EXEMPTIONS } from '../policy/exemption.ts';
import { isLetInAsRegular, type Judged } from '../policy/judge.ts';
import { DISPOSITIONS, STREAMS } from '../policy/policy.ts';
import { SELF_TESTS } from '../policy/self-test.ts';

const BOUNDS: readonly NonNullable<Judged['ramp' | 'streamLimit']>[] = ['within', 'over'];
const RESULTS: readonly Answer<RecordType>['status'][] = ['found', 'nodata', 'nxdomain', 'temperror'];
/** `TURNED_AWAY` of the milter library. */
const TURNED_AWAY = ['connections', 'descriptors', 'buffers', 'unread'] as const;
/** The details of a temperror that mean something to an operator; there are a few more. */
const DNS_ERRORS = [
  'timeout',
  'servfail',
  'bogus',
  'refused',
  'connrefused',
  'notimp',
  'formerr',
  'badresp',
  'truncated',
  'deadline',
  'overload',
  'share',
  'noserver',
] as const;

/**
 * Upper bounds of the buckets, in seconds: a resolver on the host answers in the first, `--deadline` ends in
 * the last.
 */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25] as const;

/** Numbers by a word of a known set. */
export class Tally {
  readonly #cells = new Map<string, { n: number }>();

  constructor(words: Iterable<string>) {
    this.know(words);
  }

  /** Takes more words into the set. */
  know(words: Iterable<string>): void {
    for (const word of words) if (!this.#cells.has(word)) this.#cells.set(word, { n: 0 });
  }

  count(word: string): void {
    const cell = this.#cells.get(word) ?? this.#cells.get('other');
    if (cell === undefined) this.#cells.set('other', { n: 1 });
    else cell.n++;
  }

  /** `other` is present only if something was counted as such. */
  *[Symbol.iterator](): Generator<readonly [word: string, count: number]> {
    for (const [word, { n }] of this.#cells) yield [word, n];
  }
}

/** How long something took, by number of times: a histogram. */
export class Durations {
  /** Upper bounds, seconds. */
  readonly bounds: readonly number[] = SECONDS;
  /** One count per bound, not cumulative; the last is for what took longer. */
  readonly counts: Float64Array = new Float64Array(SECONDS.length + 1);
  /** Seconds in total. */
  sum = 0;

  add(ms: number): void {
    const seconds = ms / 1000;
    let i = 0;
    while (i < SECONDS.length && seconds > (SECONDS[i] ?? 0)) i++;
    this.counts[i] = (this.counts[i] ?? 0) + 1;
    this.sum += seconds;
  }
}

export class Metrics implements Timing {
  readonly verdicts = new Tally(DISPOSITIONS);
  readonly shadowVerdicts = new Tally(DISPOSITIONS);
  readonly actions = new Tally(DISPOSITIONS);
  readonly exemptions = new Tally(Object.keys(EXEMPTIONS));
  readonly findings: Tally;
  /** What was refused or delayed, by the finding that weighed most. */
  readonly causes: Tally;
  /** Rejects that rest on findings with a ramp. */
  readonly ramps = new Tally(BOUNDS);
  /** Messages in a stream with a limit. */
  readonly streamLimits = new Tally(BOUNDS);
  /** Decisions that accept for no other reason than that the client is a regular. */
  regulars = 0;
  readonly selfTests = new Tally(SELF_TESTS);
  readonly streams = new Tally(STREAMS);
  readonly correspondences = new Tally(CORRESPONDENCES satisfies readonly Correspondence[]);

  readonly questions: ReadonlyMap<RecordType, Tally> = new Map(
    RECORD_TYPES.map((type) => [type, new Tally(RESULTS)]),
  );
  readonly dnsErrors = new Tally(DNS_ERRORS);
  readonly dnsDuration = new Durations();
  /** When DNS last answered, and when it last did not, on the scale of `now`. */
  answeredAt = -Infinity;
  failedAt = -Infinity;
  /** How often the outage brake was put on. */
  outages = 0;
  /** Verdicts for which some questions were not asked because there were too many at once. */
  overloaded = 0;

  readonly assessmentDuration = new Durations();
  readonly waitDuration = new Durations();
  /** Assessments cut short by the deadline. */
  late = 0;

  sessions = 0;
  readonly turnedAway = new Tally(TURNED_AWAY);
  readonly errors = new Tally(['protocol', 'callback', 'check', 'http']);
  readonly reloads = new Tally(['ok', 'failed']);
  lastReloadFailed = false;

  readonly #now: () => number;

  /** `findings` are all possible ids; `now` gives milliseconds on a steady scale. */
  constructor(findings: Iterable<string>, now: () => number) {
    const ids = [...findings];
    this.findings = new Tally(ids);
    this.causes = new Tally(ids);
    this.#now = now;
  }

  /** Adds the findings that a reload has brought. */
  know(findings: Iterable<string>): void {
    for (const id of findings) {
      this.findings.know([id]);
      this.causes.know([id]);
    }
  }

  countSessions<S>(newSession: () => S): () => S {
    return () => {
      this.sessions++;
      return newSession();
    };
  }

  decided({ judged, exempt }: Decision): void {
    if (exempt !== null) {
      this.exemptions.count(exempt);
      this.actions.count('accept');
    }
    if (judged === null) return;
    const { verdict, action, shadow, assessment } = judged;
    this.verdicts.count(verdict.disposition);
    this.streams.count(verdict.stream);
    this.correspondences.count(assessment.correspondence);
    for (const { finding } of verdict.counted) this.findings.count(finding.id);
    if (heldBack(assessment.dns) !== null) this.overloaded++;
    if (shadow !== null) this.shadowVerdicts.count(shadow.disposition);
    if (exempt !== null) return;
    this.actions.count(action);
    if (isLetInAsRegular(judged)) this.regulars++;
    if (judged.ramp !== null) this.ramps.count(judged.ramp);
    if (judged.streamLimit !== null) this.streamLimits.count(judged.streamLimit);
    if (action !== 'accept' && verdict.cause !== null) this.causes.count(verdict.cause.id);
  }

  assessed(ms: number, { dns }: Assessment): void {
    this.assessmentDuration.add(ms);
    if (dns.some(({ status, records }) => status === 'temperror' && records[0] === 'deadline')) this.late++;
  }

  waited(ms: number): void {
    this.waitDuration.add(ms);
  }

  reloaded(ok: boolean): void {
    this.reloads.count(ok ? 'ok' : 'failed');
    this.lastReloadFailed = !ok;
  }

  /** The resolver, with its questions counted. */
  watch(inner: SharedResolver): SharedResolver {
    return watched(inner, async (resolver, name, type) => {
      const askedAt = this.#now();
      const answer = await resolver.lookup(name, type);
      // Nobody wants the answer any more: it was never asked for, or cancelled.
      if (answer.status === 'temperror' && answer.detail === 'dropped') return answer;
      const now = this.#now();
      this.dnsDuration.add(now - askedAt);
      this.questions.get(type)?.count(answer.status);
      if (answer.status !== 'temperror') this.answeredAt = now;
      else {
        this.dnsErrors.count(answer.detail);
        if (!isUnasked(answer.detail)) this.failedAt = now;
      }
      return answer;
    });
  }
}
