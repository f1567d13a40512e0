/**
 * Joins the milter protocol to the HELO-check core: the callbacks of one SMTP connection.
 *
 * The assessment starts at HELO, and DNS runs while the client talks; CONNECT and HELO are answered
 * `continue`; the verdict is given at RCPT unless the operator chose otherwise. In both MTAs a verdict at
 * CONNECT or HELO applies to the whole connection and hides later HELOs, and whether the client has logged in
 * is known only at MAIL.
 */
import type { Decision, End } from '../decisions/decision.ts';
import {
  type CommandReply,
  type ConnectInfo,
  type ConnectReply,
  type Envelope,
  type HeloReply,
  type Message,
  type MilterContext,
  type MilterSession,
  type ReplyCode,
} from '../milter/index.ts';
import { exemptRecipient, exemptSender } from '../policy/exemption.ts';
import type { MtaSelf } from '../policy/our-names.ts';
import { acceptedByAll, type Judged, judgeUnder, mayBeLimited, wouldRefuse } from '../policy/judge.ts';
import type { Policy } from '../policy/policy.ts';
import type { Rules, Stage } from '../policy/rules.ts';
import { isSelfTest } from '../policy/self-test.ts';
import { Claim, type ClaimOptions } from './claim.ts';
import { ConnectedClient } from './connected-client.ts';
import { judgeForAll, verdictsForAll } from './forged.ts';
import { type LimitOptions, MessageLimits } from './message-limits.ts';
import { type Decided, notedOf } from './noted.ts';
import { refuse } from './refusal.ts';
import { answerSelfTest, type SelfTestOptions } from './self-test.ts';
import type { ResultFields } from './tagging.ts';
import { Transaction } from './transaction.ts';
import { afterwards } from './afterwards.ts';

/** A decision, and for whom. */
interface ToNote extends Decided {
  readonly recipient?: string | null;
  readonly context: MilterContext;
}

/** Of the recipient that a verdict is about. */
interface Recipient {
  /** As received; null if there is none yet. */
  readonly raw: string | null;
  readonly own: Policy | null;
  /** Its address, without angle brackets. */
  readonly asked: string | null;
}

const NOBODY: Recipient = { raw: null, own: null, asked: null };

/** What an answer is made from. */
interface ToAnswer {
  readonly claim: Claim;
  readonly general: Judged;
  /** Under the policy of the recipient. */
  readonly own: Judged;
  readonly stage: Stage;
  readonly recipient: Recipient;
  readonly context: MilterContext;
}

/** What happens to a message with too many forged fields, and the verdict. */
interface ForgedReply {
  readonly reply: ReplyCode | 'accept';
  readonly judged: Judged;
}

/** What the MTA of a connection calls itself. */
export type MtaSelfOf = (context: MilterContext) => MtaSelf;

export interface SessionOptions extends ClaimOptions, LimitOptions, SelfTestOptions {
  /** What the operator has decided, as it is now. */
  readonly rules: () => Rules;
  /** Called with each decision, once, when the message is over. Must not throw. */
  readonly decided: (decision: Decision) => void;
}

let sessionCount = 0;
const processStart = Date.now().toString(36);

/** One SMTP connection. None of its verdicts outlives it. */
export class HeloSession implements MilterSession {
  readonly #options: SessionOptions;
  readonly #applyAt: Stage;
  readonly #self: MtaSelfOf;
  readonly #number = ++sessionCount;
  /** Null before CONNECT. */
  #client: ConnectedClient | null = null;
  #claims = 0;
  #claim: Claim | null = null;
  /** Null until they are asked, like the transaction: many sessions do nothing but wait. */
  #limitsOf: MessageLimits | null = null;
  #transaction: Transaction | null = null;

  constructor(options: SessionOptions, applyAt: Stage, self: MtaSelfOf) {
    this.#options = options;
    this.#applyAt = applyAt;
    this.#self = self;
  }

  get #limits(): MessageLimits {
    return (this.#limitsOf ??= new MessageLimits(this.#options));
  }

  get #message(): Transaction {
    return (this.#transaction ??= new Transaction());
  }

  get id(): string {
    return `${processStart}.${this.#number.toString(36)}`;
  }

  connect(info: ConnectInfo, context: MilterContext): ConnectReply {
    this.#client = new ConnectedClient(info, context, this.rules, this.#options.wallClock());
    return 'continue';
  }

  helo(name: string, context: MilterContext): HeloReply | Promise<HeloReply> {
    const claim = this.#say(name);
    if (this.#applyAt !== 'helo') return 'continue';
    const judged = claim.verdict(this.#self(context));
    if (judged === null) return 'continue';
    // A verdict here applies to the whole connection and we would not see MAIL any more, so only a refusal is
    // given.
    return afterwards(judged, (general) =>
      afterwards(this.#limits.ask([general]), () => {
        const verdict = this.#limits.onRamp(general);
        if (verdict.action === 'accept' || this.#limits.excused(verdict) !== null) return 'continue';
        this.#note({ claim, judged: verdict, stage: 'helo', exempt: null, context });
        this.#end('refused');
        return refuse(verdict, { claim, rules: this.rules });
      }),
    );
  }

  mail(sender: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    // The last message was accepted without its content: the MTA does not say what became of it.
    this.#end('unseen');
    this.#message.begin(sender.raw);
    this.#limits.askAgain();
    // A client may skip HELO, and XCLIENT can stand in for it without an event of its own.
    const claim = this.#claim ?? this.#say('');
    this.#client?.lookAgain(context);
    const exempt = this.#client?.exempt ?? exemptSender(context, this.rules);
    this.#message.exempt = exempt;
    if (exempt !== null) {
      const judged = claim.verdictNow(this.#self(context));
      this.#note({ claim, judged, stage: 'mail', exempt, context });
      return this.#letIn();
    }
    // Before RCPT only an acceptance is final: some recipients take mail from everybody.
    if (this.#applyAt === 'rcpt') {
      const judged = claim.verdictNow(this.#self(context));
      // An operator who watches what would be refused wants to know for whom it was.
      if (judged === null || !acceptedByAll(judged, this.rules) || wouldRefuse(judged)) return 'continue';
      if (mayBeLimited(judged, this.rules)) return 'continue';
    }
    return this.#apply(claim, 'mail', NOBODY, context);
  }

  rcpt(recipient: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    const claim = this.#claim;
    if (claim === null) return 'continue';
    if (isSelfTest(recipient.address, this.rules.selfTest)) return this.#selfTest(claim, recipient, context);
    claim.usedFor('mail');
    if (this.#message.isSettled) {
      this.#message.heardRecipient();
      return 'continue';
    }
    const own = this.rules.recipients.of(recipient.address);
    const exempt = exemptRecipient(recipient.address) ?? (own === 'off' ? 'opted-out' : null);
    if (exempt !== null) {
      const judged = claim.verdictNow(this.#self(context));
      this.#note({ claim, judged, stage: 'rcpt', recipient: recipient.raw, exempt, context });
      this.#message.take(exempt);
      return 'continue';
    }
    const named = { raw: recipient.raw, own: own === 'off' ? null : own, asked: recipient.address };
    return this.#apply(claim, 'rcpt', named, context);
  }

  endOfMessage(_message: Message, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.ended('accepted', context);
    return 'accept';
  }

  /**
   * Whether an accepted message may end here, as early as possible, because we need nothing of its content.
   */
  protected mayEndEarly(): boolean {
    return true;
  }

  /** It is decided that the message comes in, and the rest of it is nothing to us. */
  protected get isSettled(): boolean {
    return this.#message.isSettled;
  }

  /** The message is over: with its last octet, so that the MTA has given its queue id. */
  protected ended(end: End, context: MilterContext): void {
    this.#message.queued(context.macro('i'));
    this.#end(end);
  }

  /** The verdict on the latest name; null for a client that is never refused. */
  protected verdict(context: MilterContext): Judged | Promise<Judged> | null {
    return this.#claim?.verdict(this.#self(context)) ?? null;
  }

  /** What happens to a message with too many forged fields. Reported as a decision in any case. */
  protected judgeForged(
    general: Judged,
    { authservId, tooMany }: ResultFields,
    context: MilterContext,
  ): ForgedReply | Promise<ForgedReply> {
    const claim = this.#claim;
    if (claim === null) return { reply: 'accept', judged: general };
    const accepted = { takers: this.#message.takers, limits: this.#limits, rules: this.rules };
    const facts = { authservId, forgedResults: tooMany };
    return afterwards(this.#limits.ask(verdictsForAll(general, facts, accepted)), () => {
      const { judged, exempt } = judgeForAll(general, facts, accepted);
      this.#note({ claim, judged, stage: 'message', exempt, context });
      const refused = exempt === null && judged.action !== 'accept';
      return { reply: refused ? refuse(judged, { claim, rules: this.rules }) : 'accept', judged };
    });
  }

  protected get rules(): Rules {
    return this.#options.rules();
  }

  abort(): void {
    // A reset ends the message only: Postfix sends it after a second HELO, which must survive (milter8.c).
    this.#end('aborted');
  }

  close(): void {
    this.#end('aborted');
    this.#claim?.end();
  }

  /** A new name, which starts without anything that an earlier one had earned. */
  #say(helo: string): Claim {
    this.#end('aborted');
    this.#limitsOf?.askAgain();
    const before = this.#claim;
    const claim = new Claim(this.#options, {
      ip: this.#client?.ip ?? null,
      helo,
      before,
      session: this,
      ordinal: ++this.#claims,
      ask: (this.#client?.exempt ?? null) === null,
    });
    this.#claim = claim;
    // Only now, so that the same name, given again, can join the assessment under way. A session has at most
    // one.
    before?.drop();
    return claim;
  }

  #apply(
    claim: Claim,
    stage: Stage,
    recipient: Recipient,
    context: MilterContext,
  ): CommandReply | Promise<CommandReply> {
    const pending = claim.verdict(this.#self(context));
    // An exempt client ends at MAIL; without an assessment nothing is held against anybody.
    if (pending === null) return 'accept';
    return afterwards(pending, (general) => {
      const own = recipient.own === null ? general : judgeUnder(recipient.own, general, this.rules);
      const counted = this.#limits.ask([own], stage === 'rcpt');
      return afterwards(counted, () => this.#answer({ claim, general, own, stage, recipient, context }));
    });
  }

  /** All that depends on how often the sender has come is known by now, or counted here. */
  #answer({ claim, general, own, stage, recipient, context }: ToAnswer): CommandReply {
    const verdict = this.#limits.onRamp(own);
    const excuse = this.#limits.excused(verdict);
    const judged = stage === 'rcpt' ? this.#limits.onStreamLimit(verdict, excuse) : verdict;
    const exempt = judged.streamLimit === 'over' && judged.action !== 'accept' ? null : excuse;
    this.#note({ claim, judged, stage, recipient: recipient.raw, exempt, context });
    if (exempt === null && judged.action !== 'accept') {
      const address = recipient.raw ?? this.#message.sender ?? '';
      const refusal = refuse(judged, { claim, rules: this.rules, address, recipient: recipient.asked });
      // If a message is refused as a whole, no recipient follows.
      if (stage === 'mail') this.#end('refused');
      return refusal;
    }
    if (stage === 'rcpt') this.#message.take(exempt === 'access' ? exempt : recipient.own);
    const { recipients } = this.rules;
    const final =
      exempt === 'access' ||
      recipients.size === 0 ||
      (acceptedByAll(general, this.rules) && !mayBeLimited(general, this.rules));
    return final && this.mayEndEarly() ? this.#letIn() : 'continue';
  }

  /**
   * Once the message is accepted for all, nothing later matters: its events end here, unless we have to hear
   * whether it is a self-test as well.
   */
  #letIn(): CommandReply {
    if (this.rules.selfTest.length > 0) {
      this.#message.settle();
      return 'continue';
    }
    this.#end('unseen');
    return 'accept';
  }

  #selfTest(claim: Claim, recipient: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.#message.selfTested();
    const [message, limits, mta] = [this.#message, this.#limits, this.#self(context)];
    const ip = this.#client?.ip ?? null;
    return answerSelfTest({ claim, recipient, ip, message, limits, mta }, this.#options);
  }

  #note({ recipient = null, context, ...decided }: ToNote): void {
    this.#message.queued(context.macro('i'));
    const [client, { sender }, limits] = [this.#client, this.#message, this.#limits];
    const noted = notedOf(decided, { client, sender, limits });
    this.#message.note(noted, recipient);
  }

  #end(end: End): void {
    this.#transaction?.end(end, this.#options.decided);
  }
}
