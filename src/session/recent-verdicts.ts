/**
 * Verdicts that were lately given on what the cache holds. A verdict follows from the assessment, the rules
 * and what was seen of the session, and from nothing else (`policy/judge.ts`): where all of that is the same
 * as last time, so is the verdict. To make an assessment whole and to judge it is an eighth of a session's
 * processor time, and most mail comes from hosts that came a moment ago.
 *
 * Bounded in verdicts and bytes; the one that was kept first makes room. Whoever fills it takes nothing from
 * others but that time.
 */
import type { Assessment } from '../core/assessment.ts';
import { type Circumstances, judgeWith, type Judged } from '../policy/judge.ts';
import type { Rules } from '../policy/rules.ts';
import { assessmentBytes } from '../state/assessment-size.ts';
import type { CacheHit } from '../state/cache.ts';
import type { Kept } from '../state/cache-members.ts';

/** A verdict, and what it was made from, beside the rules. */
interface Recent {
  /** Without what was seen of the session. */
  readonly cached: Assessment;
  readonly judged: Judged;
  readonly bytes: number;
}

export interface RecentLimits {
  readonly maxVerdicts: number;
  /** Bytes that they may take, approximately. */
  readonly maxBytes: number;
}

const LIMITS: RecentLimits = { maxVerdicts: 1000, maxBytes: 10 * 1024 * 1024 };
/** A verdict may take this part of the bytes; a larger one is made anew each time. */
const LARGEST = 1 / 64;
/**
 * What a verdict may take beside its assessment: findings with their weights, outcomes of the session, the
 * words of its refusal (`refusal.ts`), and what it puts into a record (`decisions/record.ts`).
 */
const VERDICT = 6000;
/**
 * Once there is no room, one in so many verdicts is kept: a crowd in which nobody comes again soon pays
 * little for it, and whoever comes often is kept before long.
 */
const KEPT_WHEN_FULL = 4;

export class RecentVerdicts {
  readonly #limits: RecentLimits;
  /** In the order in which they were kept. */
  readonly #kept = new Map<Kept<Assessment>, Recent>();
  /** Under which all were given: what was given under others is of no more use. */
  #rules: Rules | null = null;
  #bytes = 0;
  #passedOver = 0;

  constructor(limits: RecentLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Verdicts kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** The memory they take, approximately. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The verdict on what the cache holds: the same object as last time where nothing is different. */
  judge({ packed, ip }: CacheHit<Assessment>, rules: Rules, seen: Circumstances): Judged {
    if (rules !== this.#rules) this.#begin(rules);
    const recent = this.#kept.get(packed);
    const cached = recent?.cached ?? packed.whole(ip);
    // Asked each time: its lines expire, and it counts how often each has matched.
    const access = rules.access.match(cached, seen.at);
    if (recent?.judged.access === access && isSame(recent.judged, seen)) return recent.judged;
    const judged = judgeWith(access, cached, rules, seen);
    this.#drop(packed);
    if (!this.#isFull || ++this.#passedOver % KEPT_WHEN_FULL === 0)
      this.#keep(packed, { cached, judged, bytes: VERDICT + assessmentBytes(cached) + saidBytes(seen) });
    return judged;
  }

  #begin(rules: Rules): void {
    this.#rules = rules;
    this.#kept.clear();
    this.#bytes = 0;
  }

  /** A further verdict may not fit. */
  get #isFull(): boolean {
    const { maxVerdicts, maxBytes } = this.#limits;
    return this.#kept.size >= maxVerdicts || this.#bytes > maxBytes * (1 - LARGEST);
  }

  #keep(packed: Kept<Assessment>, recent: Recent): void {
    const { maxVerdicts, maxBytes } = this.#limits;
    if (recent.bytes > maxBytes * LARGEST) return;
    for (const [oldest] of this.#kept) {
      if (this.#kept.size < maxVerdicts && this.#bytes + recent.bytes <= maxBytes) break;
      this.#drop(oldest);
    }
    this.#kept.set(packed, recent);
    this.#bytes += recent.bytes;
  }

  #drop(packed: Kept<Assessment>): void {
    const recent = this.#kept.get(packed);
    if (recent === undefined) return;
    this.#kept.delete(packed);
    this.#bytes -= recent.bytes;
  }
}

/** A name that the client gave before is as long as the MTA lets it be. */
function saidBytes({ session: { previousHelo } }: Circumstances): number {
  return 2 * (previousHelo?.length ?? 0);
}

function isSame({ session, dnsIll, elapsedMs }: Judged, seen: Circumstances): boolean {
  return (
    dnsIll === seen.dnsIll &&
    elapsedMs === seen.elapsedMs &&
    session.previousHelo === seen.session.previousHelo &&
    session.namesSeen === seen.session.namesSeen &&
    session.regular === seen.session.regular &&
    session.mta.name === seen.session.mta.name &&
    session.mta.address === seen.session.mta.address
  );
}
