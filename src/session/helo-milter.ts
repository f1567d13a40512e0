/**
 * Joins the milter protocol to the HELO-check core: the callbacks of one SMTP connection. The only file that knows
 * both sides.
 *
 * The assessment starts at HELO and DNS runs while the client talks; CONNECT and HELO are answered `continue`; the
 * verdict is given at RCPT unless the operator chose otherwise. Both MTAs make a verdict at CONNECT or HELO stick to
 * the whole connection and hide later greetings, and only at MAIL is it known whether the client has logged in.
 */
import { authResults, FIELD } from './auth-results.ts';
import { budgetKey } from '../state/budget-key.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import type { DecidedAt, Decision, Judged } from '../decisions/decision.ts';
import { exemptClient, exemptRecipient, exemptSender, isOnPipe } from '../policy/exemption.ts';
import { type Bench, Greeting } from './claim.ts';
import {
  type CommandReply,
  type ConnectInfo,
  type ConnectReply,
  type Envelope,
  type HeloReply,
  type MacroStage,
  type Message,
  type MilterContext,
  type MilterSession,
  type ReplyCode,
  replyCode,
} from '../milter/index.ts';
import { createOurselves, type Ourselves } from '../policy/our-names.ts';
import { decide, type Policy } from '../policy/policy.ts';
import type { Rules, Stage } from '../policy/rules.ts';
import { smtpReply } from '../policy/smtp-reply.ts';
import { type ResultFields, Tagging, type TaggingOptions, type Untagged } from './tagging.ts';
import type { TempfailBudget } from '../state/tempfail-budget.ts';

export interface HeloMilterOptions extends Bench {
  readonly budget: TempfailBudget;
  /** Tag accepted mail; null for no tag, which spares the MTA all events after RCPT. */
  readonly authResults: TaggingOptions | null;
  /** Hears once why an MTA's messages are left without our tag. Must not throw. */
  readonly untagged: (why: Untagged) => void;
  /** Hears of each decision, once. Must not throw. */
  readonly decided: (decision: Decision) => void;
}

const SERVICE_MACROS = ['j', '_', '{daemon_name}', '{daemon_addr}', '{daemon_port}', '{if_addr}'] as const;

/**
 * The macros that the callbacks read, to be asked for at negotiation. Everything is asked for at MAIL, the first command
 * at which anything is decided: Sendmail sends the macros of a stage in a packet of their own, and over TCP each such
 * packet costs a wait of 40 ms for an acknowledgement. Postfix takes an empty list for its default.
 */
export function macrosFor(applyAt: Stage): Readonly<Record<MacroStage, readonly string[]>> {
  const early = applyAt === 'helo';
  return {
    connect: early ? SERVICE_MACROS : [],
    helo: early ? ['{cert_subject}', '{verify}'] : [],
    mail: [...(early ? [] : SERVICE_MACROS), '{cert_subject}', '{verify}', 'i', '{auth_authen}'],
    rcpt: [],
    data: [],
    endOfHeaders: [],
    endOfMessage: [],
  };
}

/**
 * Makes the sessions of connections that are negotiated as the rules and options are now: what is agreed with the MTA
 * cannot change while a connection lasts.
 */
export function heloMilter(options: HeloMilterOptions): () => MilterSession {
  const { applyAt } = options.rules();
  const ourselves = createOurselves(options.rules);
  if (options.authResults === null) return () => new HeloSession(options, applyAt, ourselves);
  const tagging = new Tagging(options.authResults, options.untagged);
  return () => new TaggingHeloSession(options, applyAt, ourselves, tagging);
}

/** Shared: many thousand sessions may be open, and most wait. */
const NONE: readonly never[] = [];

let sessionCount = 0;
const processStart = Date.now().toString(36);

class HeloSession implements MilterSession {
  readonly #options: HeloMilterOptions;
  readonly #applyAt: Stage;
  readonly #ourselves: (context: MilterContext) => Ourselves;
  readonly #number = ++sessionCount;
  #ip: IpAddress | null = null;
  /** A client without an address, as long as the MTA has not said what it knows of it. */
  #peer: ConnectInfo | null = null;
  #connectedAt: number | null = null;
  /** Why this client is never refused. */
  #exempt: string | null = null;
  #greetings = 0;
  #greeting: Greeting | null = null;
  #sender: string | null = null;
  /** What of the message under way has been told: once a decision, not one a recipient. */
  #noted: readonly string[] = NONE;
  /** Of the message under way; null until it was asked. */
  #budgetSpent: boolean | null = null;
  /** By what each recipient of the message was let through: the general policy (null), its own, or the word of an exemption. */
  #takers: readonly (Policy | string | null)[] = NONE;

  constructor(options: HeloMilterOptions, applyAt: Stage, ourselves: (context: MilterContext) => Ourselves) {
    this.#options = options;
    this.#applyAt = applyAt;
    this.#ourselves = ourselves;
  }

  get id(): string {
    return `${processStart}.${this.#number.toString(36)}`;
  }

  connect(info: ConnectInfo, context: MilterContext): ConnectReply {
    this.#ip = info.address === null ? null : parseIp(info.address);
    this.#connectedAt = this.#options.wallClock();
    this.#exempt = exemptClient(info, this.#ip, context, this.rules);
    this.#peer = this.#ip === null && this.#exempt === null ? info : null;
    return 'continue';
  }

  helo(name: string, context: MilterContext): HeloReply | Promise<HeloReply> {
    const greeting = this.#greet(name);
    if (this.#applyAt !== 'helo') return 'continue';
    const judged = greeting.verdict(this.#ourselves(context));
    if (judged === null) return 'continue';
    // A verdict here sticks to the connection and MAIL is not shown any more, so only a refusal is given.
    return afterwards(judged, (verdict) => {
      if (verdict.action === 'accept' || this.#excused(verdict) !== null) return 'continue';
      this.#note(greeting, verdict, 'helo', null, null, context);
      return this.#refusal(greeting, verdict, '');
    });
  }

  mail(sender: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.#sender = sender.raw;
    this.#noted = NONE;
    this.#budgetSpent = null;
    this.#takers = NONE;
    // A client may skip HELO, and XCLIENT can stand in for it without an event of its own.
    const greeting = this.#greeting ?? this.#greet('');
    if (this.#peer !== null && isOnPipe(this.#peer, context)) this.#exempt = 'local';
    const exempt = this.#exempt ?? exemptSender(context, this.rules);
    if (exempt !== null) {
      this.#note(greeting, greeting.settled(this.#ourselves(context)), 'mail', null, exempt, context);
      return 'accept';
    }
    // Before RCPT only an acceptance is final: some recipients take mail from everybody.
    if (this.#applyAt === 'rcpt') {
      const judged = greeting.settled(this.#ourselves(context));
      // Who watches what would be refused wants to know for whom it was.
      if (judged === null || !greeting.acceptedByAll(judged) || wouldRefuse(judged)) return 'continue';
    }
    return this.#apply(greeting, 'mail', null, context);
  }

  rcpt(recipient: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    const greeting = this.#greeting;
    if (greeting === null) return 'continue';
    const own = this.rules.recipients.of(recipient.address);
    const exempt = exemptRecipient(recipient.address) ?? (own === 'off' ? 'opted-out' : null);
    if (exempt !== null) {
      this.#note(
        greeting,
        greeting.settled(this.#ourselves(context)),
        'rcpt',
        recipient.raw,
        exempt,
        context,
      );
      this.#take(exempt);
      return 'continue';
    }
    return this.#apply(greeting, 'rcpt', recipient.raw, context, own === 'off' ? null : own);
  }

  /** What ends the events of an accepted message as early as can be. */
  protected accepted(): 'accept' | 'continue' {
    return 'accept';
  }

  /** The verdict on the name given last; null for a client that is never refused. */
  protected verdict(context: MilterContext): Judged | Promise<Judged> | null {
    return this.#greeting?.verdict(this.#ourselves(context)) ?? null;
  }

  /**
   * What comes of a message with too many forged fields, for all its recipients at once: it is refused where each of them
   * would have it so, and as mildly as any would have it. Told as a decision in any case.
   */
  protected judgeForged(
    general: Judged,
    { authservId, tooMany }: ResultFields,
    context: MilterContext,
  ): { readonly reply: ReplyCode | 'accept'; readonly judged: Judged } {
    const greeting = this.#greeting;
    const facts = { authservId, forgedResults: tooMany };
    const opinions = (this.#takers.length === 0 ? [null] : this.#takers).map((taker) => {
      const own = taker === null || typeof taker === 'string' ? general : greeting?.under(taker, general);
      const judged = greeting?.withMessage(own ?? general, facts) ?? general;
      const exempt = typeof taker === 'string' ? taker : greeting === null ? null : this.#excused(judged);
      return { judged, exempt };
    });
    const mildness = ({ judged, exempt }: (typeof opinions)[number]): number =>
      exempt !== null ? 0 : ['accept', 'tempfail', 'reject'].indexOf(judged.action);
    const [mildest] = opinions.sort((a, b) => mildness(a) - mildness(b));
    if (greeting === null || mildest === undefined) return { reply: 'accept', judged: general };
    const { judged, exempt } = mildest;
    this.#noted = NONE;
    this.#note(greeting, judged, 'message', null, exempt, context);
    const refused = exempt === null && judged.action !== 'accept';
    return { reply: refused ? this.#refusal(greeting, judged, '') : 'accept', judged };
  }

  protected get rules(): Rules {
    return this.#options.rules();
  }

  abort(): void {
    // A reset ends the message only: Postfix sends it after a second HELO, which must survive (milter8.c).
    this.#sender = null;
    this.#noted = NONE;
  }

  /** A new name; whatever an earlier one had earned is gone. */
  #greet(helo: string): Greeting {
    this.#budgetSpent = null;
    const before = this.#greeting;
    const greeting = new Greeting(this.#options, {
      ip: this.#ip,
      helo,
      previousHelo: before?.helo ?? null,
      session: this,
      ordinal: ++this.#greetings,
      ask: this.#exempt === null,
    });
    this.#greeting = greeting;
    // Afterwards, since the same name again goes on with what is under way. One session has one assessment under way.
    before?.drop();
    return greeting;
  }

  #apply(
    greeting: Greeting,
    stage: Stage,
    recipient: string | null,
    context: MilterContext,
    own: Policy | null = null,
  ): CommandReply | Promise<CommandReply> {
    const pending = greeting.verdict(this.#ourselves(context));
    // An exempt client ends at MAIL; without an assessment there is nothing to hold against anybody.
    if (pending === null) return 'accept';
    return afterwards(pending, (general) => {
      const judged = own === null ? general : greeting.under(own, general);
      const exempt = this.#excused(judged);
      this.#note(greeting, judged, stage, recipient, exempt, context);
      if (exempt === null && judged.action !== 'accept') {
        return this.#refusal(greeting, judged, recipient ?? this.#sender ?? '');
      }
      // Nothing later can matter once the message is accepted for all: end its events here.
      if (stage === 'rcpt') this.#take(exempt === 'access' ? exempt : own);
      const final =
        exempt === 'access' || this.rules.recipients.size === 0 || greeting.acceptedByAll(general);
      return final ? this.accepted() : 'continue';
    });
  }

  #take(taker: Policy | string | null): void {
    if (!this.#takers.includes(taker)) this.#takers = [...this.#takers, taker];
  }

  /** Why a verdict is not acted on. */
  #excused(judged: Judged): string | null {
    if (judged.access?.action === 'allow') return 'access';
    return this.#spent(judged) ? 'tempfail-limit' : null;
  }

  /** Whether this message would be one tempfail too many. Asked once a message. */
  #spent(judged: Judged): boolean {
    const { action, assessment } = judged;
    if (action !== 'tempfail' || isPutOff(judged)) return false;
    this.#budgetSpent ??= !this.#options.budget.spend(budgetKey(assessment));
    return this.#budgetSpent;
  }

  /** `address` is that of the command refused. */
  #refusal({ reference }: Greeting, { verdict, assessment }: Judged, address: string): ReplyCode | 'accept' {
    const { policy, reply } = this.rules;
    const refusal = smtpReply(verdict, assessment, policy.findings, reply, reference, address);
    return refusal === null ? 'accept' : replyCode(refusal.code, refusal.enhancedCode, refusal.text);
  }

  #note(
    greeting: Greeting,
    judged: Judged | null,
    stage: DecidedAt,
    recipient: string | null,
    exempt: string | null,
    context: MilterContext,
  ): void {
    const kind = exempt ?? judged?.ownPolicy?.preset ?? 'decision';
    if (this.#noted.includes(kind)) return;
    this.#noted = [...this.#noted, kind];
    this.#options.decided({
      reference: greeting.reference,
      helo: greeting.helo,
      hit: greeting.hit,
      client: this.#ip?.text ?? null,
      judged,
      exempt,
      stage,
      sender: this.#sender,
      recipient,
      queueId: context.macro('i') ?? null,
      connectedAt: this.#connectedAt,
    });
  }
}

/** Also tags what is accepted, and takes off what pretends to be our tag. */
class TaggingHeloSession extends HeloSession {
  readonly #tagging: Tagging;
  #possible = true;
  /** Of the message under way; null where it is left as it is. */
  #fields: ResultFields | null = null;

  constructor(
    options: HeloMilterOptions,
    applyAt: Stage,
    ourselves: (context: MilterContext) => Ourselves,
    tagging: Tagging,
  ) {
    super(options, applyAt, ourselves);
    this.#tagging = tagging;
  }

  protected override accepted(): 'accept' | 'continue' {
    return this.#fields === null ? 'accept' : 'continue';
  }

  override connect(info: ConnectInfo, context: MilterContext): ConnectReply {
    this.#possible = this.#tagging.possible(context);
    return super.connect(info, context);
  }

  override mail(sender: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.#fields = this.#possible ? this.#tagging.begin(context) : null;
    return super.mail(sender, context);
  }

  header(name: string, value: string): CommandReply {
    this.#fields?.note(name, value);
    return 'continue';
  }

  endOfMessage(message: Message, context: MilterContext): CommandReply | Promise<CommandReply> {
    const fields = this.#fields;
    if (fields === null) return 'accept';
    this.#fields = null;
    const tag = (judged: Judged): CommandReply => {
      fields.takeOff(message);
      // Above the MTA's own Received, which belongs to the same hop (RFC 8601 §5).
      message.insertHeader(0, FIELD, authResults(fields.authservId, judged, this.rules.checks));
      return 'accept';
    };
    const judged = this.verdict(context);
    if (judged === null) {
      fields.takeOff(message);
      return 'accept';
    }
    return afterwards(judged, (general) => {
      if (fields.tooMany === 0) return tag(general);
      const { reply, judged: found } = this.judgeForged(general, fields, context);
      return reply === 'accept' ? tag(found) : reply;
    });
  }
}

function wouldRefuse({ verdict, shadow }: Judged): boolean {
  return verdict.disposition !== 'accept' || (shadow !== null && shadow.disposition !== 'accept');
}

/**
 * A refusal that an outage has made a delay: it costs no mail that would have been accepted, and the end of the outage ends
 * it. Counted, it would let in what is refused at all other times.
 */
function isPutOff({ dnsIll, assessment, policy }: Judged): boolean {
  return dnsIll && decide(assessment, policy).disposition === 'reject';
}

/** Goes on at once where the verdict is there, so that a cached one costs no promise. */
function afterwards<R>(judged: Judged | Promise<Judged>, next: (judged: Judged) => R): R | Promise<R> {
  return judged instanceof Promise ? judged.then(next) : next(judged);
}
