/**
 * One name that one client gave on one connection: its assessment, and the verdicts on it. Knows nothing
 * about the protocol.
 *
 * The assessment starts at once; the verdict is made when it is wanted, since by then more is known about the
 * MTA.
 */
import type { Assessor } from './assessor.ts';
import type { ChurnCounter } from '../state/churn.ts';
import { type Assessment, withSession } from '../core/assess.ts';
import { messageChecks, sessionChecks } from '../core/checks/index.ts';
import type { MessageFacts } from '../core/checks/message.ts';
import type { SessionFacts } from '../core/checks/session.ts';
import { canonicalName } from '../core/domain.ts';
import type { IpAddress } from '../core/ip.ts';
import { heldBack } from '../dns/asker.ts';
import type { Decision, Judged } from '../decisions/decision.ts';
import { enforce } from '../policy/enforcement.ts';
import { decide, type Policy } from '../policy/policy.ts';
import type { Ourselves } from '../policy/our-names.ts';
import type { Timing } from '../decisions/listener.ts';
import type { Rules } from '../policy/rules.ts';

/** The parts of the service that judge a claim. */
export interface ClaimOptions {
  readonly assessor: Assessor;
  readonly churn: ChurnCounter;
  /** What the operator has decided, as it is now. */
  readonly rules: () => Rules;
  /**
   * Whether the resolver is out of order, so that what rests on DNS is not held against a client that said
   * HELO at `begun` or later (on the scale of `now`). This does not apply to earlier ones, so nobody gains
   * from an outage that began in the meantime.
   */
  readonly dnsIll: (begun: number) => boolean;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  readonly timing?: Timing | undefined;
}

/** Who claims the name, and where. */
export interface Claimant {
  readonly ip: IpAddress | null;
  readonly helo: string;
  /** What the client said before in the same session; null if this is its first HELO. */
  readonly previousHelo: string | null;
  readonly session: { readonly id: string };
  /** Which HELO of the session this is, from 1. */
  readonly ordinal: number;
  /** False for a client that is never refused: it is not looked up, and there is no verdict. */
  readonly ask: boolean;
}

export class Claim {
  readonly helo: string;
  readonly hit: Decision['hit'];
  readonly #options: ClaimOptions;
  readonly #session: { readonly id: string };
  readonly #ordinal: number;
  readonly #ip: IpAddress | null;
  readonly #previousHelo: string | null;
  readonly #namesSeen: number;
  readonly #begunAt: number;
  /** Says that nobody wants the assessment under way. */
  #leave: (() => void) | null = null;
  /** A promise while DNS is asked; null for a client that is never refused. */
  #assessment: Assessment | Promise<Assessment> | null = null;
  #elapsedMs = 0;
  #judged: Judged | null = null;

  constructor(options: ClaimOptions, { ip, helo, previousHelo, session, ordinal, ask }: Claimant) {
    this.#options = options;
    this.#ip = ip;
    this.helo = helo;
    this.#session = session;
    this.#ordinal = ordinal;
    this.#previousHelo = previousHelo;
    this.#begunAt = options.now();
    if (!ask) {
      this.hit = 'none';
      this.#namesSeen = 0;
      return;
    }
    this.#namesSeen = ip === null ? 0 : options.churn.note(ip, canonicalName(helo));
    const found = options.assessor.lookup(ip, helo);
    this.hit = found.hit;
    if (found.hit === 'hit') {
      this.#assessment = found.value;
      return;
    }
    let wanted = true;
    this.#leave = () => {
      wanted = false;
      found.leave();
    };
    this.#assessment = found.pending.then((assessment) => {
      this.#elapsedMs = options.now() - this.#begunAt;
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
  verdict(mta: Ourselves): Judged | Promise<Judged> | null {
    const assessment = this.#assessment;
    if (this.#judged !== null || assessment === null) return this.#judged;
    if (!(assessment instanceof Promise)) return (this.#judged = this.#judge(assessment, mta));
    const { timing, now } = this.#options;
    const askedAt = now();
    return assessment.then((done) => {
      timing?.waited(now() - askedAt);
      return (this.#judged ??= this.#judge(done, mta));
    });
  }

  /** Another name has replaced this one. */
  drop(): void {
    this.#leave?.();
    this.#leave = null;
  }

  /** The verdict, if nobody has to wait for it. */
  verdictNow(mta: Ourselves): Judged | null {
    const judged = this.#assessment instanceof Promise ? null : this.verdict(mta);
    return judged instanceof Promise ? null : judged;
  }

  /** The verdict under the policy of a recipient. */
  under(policy: Policy, judged: Judged): Judged {
    const verdict = decide(judged.assessment, policy, judged.dnsIll);
    const action = enforce(verdict.disposition, this.#ip, this.#options.rules().enforcement);
    return { ...judged, verdict, policy, ownPolicy: policy, action };
  }

  /** The same verdict with what was found in the message. */
  withMessage(judged: Judged, facts: MessageFacts): Judged {
    const { policy, shadowPolicy, dnsIll } = judged;
    const assessment = withSession(judged.assessment, facts, messageChecks);
    const verdict = decide(assessment, policy, dnsIll);
    return {
      ...judged,
      assessment,
      verdict,
      shadow: shadowPolicy === null ? null : decide(assessment, shadowPolicy, dnsIll),
      action: enforce(verdict.disposition, this.#ip, this.#options.rules().enforcement),
    };
  }

  /** Whether no recipient that may follow would refuse. */
  acceptedByAll(judged: Judged): boolean {
    const { recipients } = this.#options.rules();
    return (
      judged.action === 'accept' &&
      recipients.policies.every((each) => this.under(each, judged).action === 'accept')
    );
  }

  #judge(cached: Assessment, mta: Ourselves): Judged {
    const { rules, dnsIll, wallClock } = this.#options;
    const { policy, shadowPolicy, enforcement, access, churnLimit } = rules();
    const entry = access.match(cached, wallClock());
    const facts: SessionFacts = {
      ...mta,
      previousHelo: this.#previousHelo,
      namesSeen: this.#namesSeen,
      churnLimit,
      denied: entry?.action === 'deny' ? (entry.text ?? 'refused by local policy') : null,
      shareUsedUp: heldBack(cached.dns) === 'share',
    };
    const assessment = withSession(cached, facts, sessionChecks);
    const ill = dnsIll(this.#begunAt);
    const verdict = decide(assessment, policy, ill);
    return {
      assessment,
      verdict,
      policy,
      ownPolicy: null,
      shadow: shadowPolicy === null ? null : decide(assessment, shadowPolicy, ill),
      shadowPolicy,
      dnsIll: ill,
      action: enforce(verdict.disposition, this.#ip, enforcement),
      access: entry,
      elapsedMs: this.#elapsedMs,
    };
  }
}
