/**
 * Assessments as the service needs them: from the cache if possible, else made under one deadline; they never
 * fail. The Assessment is what is cached, so policy and session facts are applied when it is read.
 */
import { AssessmentCache, type CacheHit } from '../state/cache.ts';
import { AssessmentPacker } from '../state/packed-assessment.ts';
import { assess, type OnCheckError, type Settles } from '../core/assess.ts';
import type { Assessment } from '../core/assessment.ts';
import type { Check, Finding } from '../core/check.ts';
import type { Client } from '../core/client.ts';
import { networksOf } from '../core/client-networks.ts';
import { parseHelo } from '../core/helo.ts';
import type { IpAddress } from '../core/ip.ts';
import type { FarmAssessment } from '../store/shared-knowledge.ts';
import { keptText } from '../core/kept-text.ts';
import { AnswerMemory } from '../dns/answer-memory.ts';
import { isUnasked } from '../core/unasked.ts';
import { Asker, type SharedResolver } from '../dns/asker.ts';
import { withDeadline } from '../dns/deadline.ts';

/** How long assessments may take, and how many are kept for how long. */
export interface AssessmentLimits {
  /** Milliseconds one assessment may take. */
  readonly deadlineMs: number;
  /** Client addresses kept; 0 turns the cache off. */
  readonly cacheSize: number;
  /** Bytes that they may take. */
  readonly cacheMemory: number;
  /** Bounds on the life of a cached assessment, milliseconds. */
  readonly cacheMinMs: number;
  readonly cacheMaxMs: number;
}

export interface AssessorOptions {
  readonly resolver: SharedResolver;
  /** The checks, as they are now. */
  readonly checks: () => readonly Check[];
  /** As they are now. */
  readonly limits: () => AssessmentLimits;
  readonly onCheckError: OnCheckError;
  /** A DNS answer was dropped because the assessments under way hold too much memory. */
  readonly onMemoryShort?: () => void;
  /** See `Settles`; left out, DNS is always asked. */
  readonly settles?: Settles;
  /** Milliseconds on any steady scale. */
  readonly now: () => number;
  /** Told of each assessment that was made here, and for how many milliseconds it may be used. */
  readonly made?: (assessment: Assessment, lifeMs: number) => void;
}

/** Asks others for an assessment, before DNS is asked; null where nobody is. Never rejects. */
type AskOthers = () => Promise<{ readonly assessment: FarmAssessment | null } | null> | null;

/** More names than this from one address push out the oldest, since an attacker can pick names. */
const MAX_NAMES_PER_CLIENT = 16;
/** Unknowns are asked again soon (RFC 9520: at least a second, at most five minutes). */
const TEMPERROR_LIFE_MS = 10_000;
/** A missing name may be about to be added. For a "no" whose life DNS did not tell (RFC 2308 §5). */
const NEGATIVE_LIFE_MS = 60_000;

/**
 * An assessment at once, packed, or a promise of one that never rejects. Call `leave`, once, when it is no
 * longer wanted: an assessment that nobody waits for asks no more questions.
 */
export type AssessmentLookup =
  | CacheHit<Assessment>
  | { readonly cache: 'miss' | 'joined'; readonly pending: Promise<Assessment>; readonly leave: () => void };

/** An assessment under way. */
interface Work {
  readonly asker: Asker;
  /** Sessions that want it. */
  wanted: number;
}

export class Assessor {
  readonly #options: AssessorOptions;
  readonly #cache: AssessmentCache<Assessment>;
  readonly #work = new WeakMap<Promise<Assessment>, Work>();
  readonly #memory: AnswerMemory;
  /** How long those may be used that others made. */
  readonly #lives = new WeakMap<Assessment, number>();
  /** Of the assessments under way. */
  readonly #askers = new Set<Asker>();
  /** Assessments asked for so far, by what the cache had. */
  readonly lookups = { hit: 0, miss: 0, joined: 0 };

  constructor(options: AssessorOptions) {
    this.#options = options;
    this.#memory = new AnswerMemory(undefined, options.onMemoryShort);
    this.#cache = new AssessmentCache<Assessment>({
      limits: () => {
        const { cacheSize, cacheMemory } = options.limits();
        return { maxClients: cacheSize, maxBytes: cacheMemory };
      },
      packing: new AssessmentPacker(),
      maxNamesPerClient: MAX_NAMES_PER_CLIENT,
      lifeMs: (assessment) => this.#lives.get(assessment) ?? this.#life(assessment),
      now: options.now,
    });
  }

  /** What is cached, at once, or a promise. `helo` is as the client said it. */
  lookup(ip: IpAddress | null, helo: string, askOthers: AskOthers = () => null): AssessmentLookup {
    // Most look-ups ask nobody.
    let work: Work | null = null;
    const begin = (): Work => (work ??= { asker: new Asker(networksOf(ip)), wanted: 1 });
    const load = (text: string): Promise<Assessment> =>
      this.#learn({ ip, helo: parseHelo(text) }, begin().asker, askOthers());
    // Overlong text is never a name and would fill the memory; a client without an address has no cache
    // entry.
    if (this.#options.limits().cacheSize === 0 || ip === null || helo.length > 255)
      return this.#begun(load(helo), begin());
    // The text is kept for minutes, and may be a slice of a whole packet.
    const text = keptText(helo, 255);
    const found = this.#cache.lookup(ip, text.toLowerCase(), () => load(text));
    if (found.cache === 'hit') {
      this.lookups.hit++;
      return found;
    }
    if (found.cache === 'miss') return this.#begun(found.pending, begin());
    const joined = this.#work.get(found.pending);
    // All who wanted it have left, so its result would not be what DNS says.
    if (joined?.asker.ended !== null) return this.#begun(load(text), begin());
    joined.wanted++;
    this.lookups.joined++;
    return { cache: 'joined', pending: found.pending, leave: leaver(joined) };
  }

  #begun(pending: Promise<Assessment>, work: Work): AssessmentLookup {
    this.lookups.miss++;
    this.#work.set(pending, work);
    return { cache: 'miss', pending, leave: leaver(work) };
  }

  /** Addresses in the cache. */
  get cached(): number {
    return this.#cache.size;
  }

  /** The memory they take, approximately. */
  get cachedBytes(): number {
    return this.#cache.bytes;
  }

  /** DNS answers that were dropped because the assessments under way held too much memory. */
  get refusedAnswers(): number {
    return this.#memory.refused;
  }

  /** Forgets everything, because the checks or the servers to ask have changed. */
  forget(): void {
    this.#cache.clear();
  }

  /** Ends all assessments under way: their questions are taken back, and nothing keeps the process alive. */
  close(): void {
    for (const asker of this.#askers) asker.end('dropped');
  }

  /** Others may have made it; else it is made here. Not asking others costs no promise. */
  #learn(client: Client, asker: Asker, others: ReturnType<AskOthers>): Promise<Assessment> {
    if (others === null) return this.#make(client, asker);
    return others.then((told) => {
      const shared = told?.assessment ?? null;
      // One that lives longer than ours would come back for all that time, whatever DNS says by then.
      if (shared === null || shared.lifeMs > this.#options.limits().cacheMaxMs)
        return this.#make(client, asker);
      this.#lives.set(shared.value, shared.lifeMs);
      return shared.value;
    });
  }

  #make(client: Client, asker: Asker): Promise<Assessment> {
    const { made } = this.#options;
    const pending = this.#assess(client, asker);
    if (made === undefined) return pending;
    return pending.then((assessment) => {
      made(assessment, this.#life(assessment));
      return assessment;
    });
  }

  async #assess(client: Client, asker: Asker): Promise<Assessment> {
    const { resolver, checks, limits, onCheckError, settles } = this.#options;
    this.#askers.add(asker);
    const bounded = withDeadline(resolver, limits().deadlineMs, asker);
    const share = this.#memory.share(bounded.resolver);
    try {
      return await assess(client, { resolver: share.resolver, checks: checks(), onCheckError, settles });
    } finally {
      share.done();
      bounded.done();
      this.#askers.delete(asker);
    }
  }

  /**
   * The smallest TTL seen, of records and of each "no"; shorter for what is unknown; within the operator's
   * bounds.
   */
  #life({ dns: asked, findings: found, settled }: Assessment): number {
    const { cacheMinMs, cacheMaxMs } = this.#options.limits();
    const dns = asked.filter(({ moot }) => moot !== true);
    // It took no look-up, and another policy may need one.
    if (settled) return 0;
    // Not asking was our own problem, which may be over in a moment.
    if (dns.some(({ status, records: [detail = ''] }) => status === 'temperror' && isUnasked(detail)))
      return 0;
    if (dns.some(({ status }) => status === 'temperror')) return Math.min(TEMPERROR_LIFE_MS, cacheMaxMs);
    let life = cacheMaxMs;
    for (const { ttl } of dns) if (ttl !== null) life = Math.min(life, ttl * 1000);
    const denials = dns.filter(({ status }) => status === 'nodata' || status === 'nxdomain');
    const untold = denials.length === 0 || denials.some(({ ttl }) => ttl === null);
    if (untold && found.some((finding) => this.#isAbsence(finding))) life = Math.min(life, NEGATIVE_LIFE_MS);
    return Math.max(life, cacheMinMs);
  }

  /**
   * Whether it says that something does not exist (yet); the operator's own checks may find such things too.
   */
  #isAbsence({ id }: Finding): boolean {
    return this.#options.checks().some(({ findings }) => findings[id]?.basis === 'existence');
  }
}

function leaver(work: Work): () => void {
  return () => {
    work.wanted--;
    if (work.wanted === 0) work.asker.end('dropped');
  };
}
