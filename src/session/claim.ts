/**
 * One name that one client gave on one connection: its assessment, and the verdicts on it. Knows nothing
 * about the protocol.
 *
 * The assessment starts at once; the verdict is made when it is wanted, since by then more is known about the
 * MTA.
 */
import type { Assessor } from './assessor.ts';
import type { CacheHit } from '../state/cache.ts';
import type { ChurnCounter } from '../state/churn.ts';
import type { Acquainted, SharedKnowledge } from '../store/shared-knowledge.ts';
import type { Assessment } from '../core/assessment.ts';
import { canonicalName } from '../core/domain.ts';
import type { IpAddress } from '../core/ip.ts';
import type { Decision } from '../decisions/decision.ts';
import { type Circumstances, judge, type Judged } from '../policy/judge.ts';
import type { MtaSelf } from '../policy/our-names.ts';
import type { Timing } from '../decisions/listener.ts';
import type { Rules } from '../policy/rules.ts';
import type { RecentVerdicts } from './recent-verdicts.ts';

/** The parts of the service that judge a claim. */
export interface ClaimOptions {
  readonly assessor: Assessor;
  readonly churn: ChurnCounter;
  readonly recent: RecentVerdicts;
  /** What the operator has decided, as it is now. */
  readonly rules: () => Rules;
  /**
   * Whether the resolver is out of order, so that what rests on DNS is not held against a client that said
   * HELO at `begun` or later (on the scale of `now`). This does not apply to earlier ones, so nobody gains
   * from an outage that began in the meantime.
   */
  readonly wasDnsIll: (begun: number) => boolean;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** Whether a client is known by its mail under the name that it gives; nobody is where it is absent. */
  readonly isRegular?: ((ip: IpAddress | null, helo: string) => boolean) | undefined;
  readonly timing?: Timing | undefined;
  /** What the other hosts of a farm know; absent or null where there are none. */
  readonly sharedKnowledge?: SharedKnowledge | null;
}

/** Who claims the name, and where. */
export interface Claimant {
  readonly ip: IpAddress | null;
  readonly helo: string;
  readonly session: { readonly id: string };
  /** Which HELO of the session this is, from 1. */
  readonly ordinal: number;
  /** False for a client that is never refused: it is not looked up, and there is no verdict. */
  readonly ask: boolean;
  /** The claim that this one replaces; null for the first. */
  readonly before: Claim | null;
}

export class Claim {
  readonly helo: string;
  readonly cache: Decision['cache'];
  readonly #options: ClaimOptions;
  readonly #session: { readonly id: string };
  readonly #ordinal: number;
  readonly #previousHelo: string | null;
  #namesSeen: number;
  /** What the farm knows; null where nobody was asked. */
  #met: Promise<Acquainted | null> | null = null;
  /** As `#isNewName`, in the farm. */
  #isNewToFarm = false;
  readonly #ip: IpAddress | null;
  /** Where the name is counted (`helo-churn`) because of this claim alone: what `forget` has to be told. */
  #introduced: number | null = null;
  #use: 'self-test' | 'mail' | null = null;
  readonly #begunAt: number;
  /** Says that nobody wants the assessment under way. */
  #leave: (() => void) | null = null;
  /** A promise while DNS is asked; null for a client that is never refused, and while it is packed. */
  #assessment: Assessment | Promise<Assessment> | null = null;
  /**
   * The assessment as the cache has it, until there is a verdict: a session that says HELO and waits holds
   * next to nothing.
   */
  #kept: CacheHit<Assessment> | null = null;
  #elapsedMs = 0;
  #judged: Judged | null = null;

  constructor(options: ClaimOptions, { ip, helo, before, session, ordinal, ask }: Claimant) {
    this.#options = options;
    this.helo = helo;
    this.#session = session;
    this.#ordinal = ordinal;
    this.#ip = ip;
    this.#previousHelo = before?.helo ?? null;
    this.#begunAt = options.now();
    if (!ask) {
      this.cache = 'none';
      this.#namesSeen = 0;
      return;
    }
    const { churn } = options;
    // STARTTLS makes a client say its name twice.
    const isAgain = before !== null && canonicalName(before.helo) === canonicalName(helo);
    const inherited = isAgain ? before.#handOver() : null;
    if (inherited === null) {
      this.#namesSeen = ip === null ? 0 : churn.note(ip, canonicalName(helo));
      if (ip !== null) this.#introduced = churn.introduced;
    } else ({ namesSeen: this.#namesSeen, introduced: this.#introduced, use: this.#use } = inherited);
    let isMet = false;
    const meet = (withAssessment: boolean): Promise<Acquainted | null> | null => {
      if (isMet) return this.#met;
      isMet = true;
      this.#met = isAgain ? before.#met : null;
      return (this.#met ??= options.sharedKnowledge?.meet(ip, helo, withAssessment) ?? null);
    };
    const found = options.assessor.lookup(ip, helo, () => meet(true));
    this.cache = found.cache;
    const met = meet(false);
    if (found.cache === 'hit' && met === null) {
      this.#kept = found;
      return;
    }
    let wanted = found.cache !== 'hit';
    this.#leave = () => {
      wanted = false;
      if (found.cache !== 'hit') found.leave();
    };
    const pending = found.cache === 'hit' ? Promise.resolve(wholeOf(found)) : found.pending;
    this.#assessment = this.#afterMeeting(met, pending).then((assessment) => {
      if (found.cache !== 'hit') this.#elapsedMs = options.now() - this.#begunAt;
      this.#assessment = assessment;
      this.#leave = null;
      if (wanted) options.timing?.assessed(this.#elapsedMs, assessment);
      return assessment;
    });
    // Nobody may be waiting when it fails; a later caller still gets the failure.
    this.#assessment.catch(() => undefined);
  }

  /**
   * Leads to the log record; unique for each claim. Made only when needed, which in most sessions it never
   * is.
   */
  get reference(): string {
    return `${this.#session.id}.${this.#ordinal.toString(36)}`;
  }

  /** At once if the assessment is there; null for a client that is never refused. */
  verdict(mta: MtaSelf): Judged | Promise<Judged> | null {
    if (this.#judged !== null) return this.#judged;
    const { recent, rules } = this.#options;
    if (this.#kept !== null) {
      this.#judged = recent.judge(this.#kept, rules(), this.#seen(mta));
      this.#kept = null;
      return this.#judged;
    }
    const assessment = this.#assessment;
    if (assessment === null) return null;
    if (!(assessment instanceof Promise)) return (this.#judged = judge(assessment, rules(), this.#seen(mta)));
    const { timing, now } = this.#options;
    const askedAt = now();
    return assessment.then((done) => {
      timing?.waited(now() - askedAt);
      return (this.#judged ??= judge(done, rules(), this.#seen(mta)));
    });
  }

  /** A recipient was named under this claim; `mail` also for a test beyond the limit. */
  usedFor(what: 'self-test' | 'mail'): void {
    this.#use = this.#use === 'mail' ? 'mail' : what;
  }

  /** The same session gives the name again: from now on, the next claim stands for it. */
  #handOver(): { namesSeen: number; introduced: number; use: 'self-test' | 'mail' | null } | null {
    const [introduced, use] = [this.#introduced, this.#use];
    this.#introduced = null;
    return introduced === null ? null : { namesSeen: this.#namesSeen, introduced, use };
  }

  /**
   * The connection is over. A name that was only tried is not one of those that the client gives, unless
   * another session gave it meanwhile. What other hosts of a farm were told meanwhile is not known here.
   */
  end(): void {
    const [ip, introduced] = [this.#ip, this.#introduced];
    this.#introduced = null;
    if (this.#use !== 'self-test' || introduced === null || ip === null) return;
    const { churn, sharedKnowledge } = this.#options;
    if (churn.forget(ip, canonicalName(this.helo), introduced) && this.#isNewToFarm)
      sharedKnowledge?.forgetName(ip, this.helo);
  }

  async #afterMeeting(
    met: Promise<Acquainted | null> | null,
    pending: Promise<Assessment>,
  ): Promise<Assessment> {
    const acquainted = met === null ? null : await met;
    if (acquainted !== null) {
      this.#namesSeen = Math.max(this.#namesSeen, acquainted.names);
      this.#isNewToFarm = acquainted.isNewName;
    }
    return pending;
  }

  /** Another name has replaced this one. */
  drop(): void {
    this.end();
    this.#leave?.();
    this.#leave = null;
  }

  /** The verdict, if nobody has to wait for it. */
  verdictNow(mta: MtaSelf): Judged | null {
    const judged = this.#assessment instanceof Promise ? null : this.verdict(mta);
    return judged instanceof Promise ? null : judged;
  }

  #seen(mta: MtaSelf): Circumstances {
    const { wasDnsIll, wallClock, isRegular } = this.#options;
    const regular = isRegular?.(this.#ip, this.helo) ?? false;
    return {
      session: { previousHelo: this.#previousHelo, namesSeen: this.#namesSeen, mta, regular },
      dnsIll: wasDnsIll(this.#begunAt),
      elapsedMs: this.#elapsedMs,
      at: wallClock(),
    };
  }
}

function wholeOf({ packed, ip }: CacheHit<Assessment>): Assessment {
  return packed.whole(ip);
}
