/**
 * Joins the milter protocol to the HELO-check core: the callbacks of one SMTP connection. The only file that knows
 * both sides.
 *
 * The assessment starts at HELO and DNS runs while the client talks; CONNECT and HELO are answered `continue`; the
 * verdict is given at RCPT unless the operator chose otherwise. Both MTAs make a verdict at CONNECT or HELO stick to
 * the whole connection and hide later greetings, and only at MAIL is it known whether the client has logged in.
 */
import type { Assessor } from './assessor.ts';
import type { AccessList } from './access.ts';
import { authResults, claimsToBe, FIELD } from './auth-results.ts';
import type { ChurnCounter } from './churn.ts';
import { type Assessment, withSession } from './core/assess.ts';
import { sessionChecks } from './core/checks/index.ts';
import type { SessionFacts } from './core/checks/session.ts';
import { makeClient } from './core/client.ts';
import { canonicalName } from './core/domain.ts';
import { type IpAddress, parseIp } from './core/ip.ts';
import { type Decision, decisionFields, type Judged, type Stage } from './decision-log.ts';
import { enforce, type Enforcement } from './enforcement.ts';
import { exemptClient, type ExemptionOptions, exemptRecipient, exemptSender } from './exemption.ts';
import type { Log } from './log.ts';
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
  replyCode,
} from './milter/index.ts';
import { decide, type Policy } from './policy.ts';
import { type ReplyOptions, smtpReply } from './smtp-reply.ts';
import type { TempfailBudget } from './tempfail-budget.ts';

export interface HeloMilterOptions extends ExemptionOptions {
  readonly assessor: Assessor;
  readonly policy: Policy;
  /** Judged beside the policy and only logged. */
  readonly shadowPolicy: Policy | null;
  readonly enforcement: Enforcement;
  readonly applyAt: Stage;
  readonly ourNames: readonly string[];
  readonly ourAddresses: readonly IpAddress[];
  /** The operator's list as it is now. */
  readonly access: () => AccessList;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  readonly budget: TempfailBudget;
  /** The resolver is out of order: nothing that rests on DNS is held against anybody. */
  readonly dnsIll: () => boolean;
  readonly churn: ChurnCounter;
  readonly churnLimit: number;
  readonly reply: ReplyOptions;
  /** Tag accepted mail; null for no tag, which spares the MTA all events after RCPT. */
  readonly authResults: AuthResultsOptions | null;
  readonly log: Log;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

export interface AuthResultsOptions {
  /** Our authserv-id (RFC 8601 §2.5); null for the name of the MTA. */
  readonly authservId: string | null;
}

/** The macros that the callbacks read, to be asked for at negotiation. */
export const MACROS = {
  connect: ['j', '{daemon_name}', '{daemon_addr}', '{daemon_port}', '{if_addr}', '{client_addr}'],
  helo: ['{cert_subject}', '{verify}'],
  mail: ['i', '{auth_authen}'],
  rcpt: ['i'],
  data: [],
  endOfHeaders: [],
  endOfMessage: [],
} as const;

/** What is known of the name given last. */
interface Greeting {
  /** Finds the log record: unique for each greeting of this process. */
  readonly reference: string;
  readonly helo: string;
  hit: Decision['hit'];
  /** The verdict once it is there; a promise of it before; null for a client that is never refused. */
  judged: Judged | Promise<Judged> | null;
}

/** Makes the sessions of one running service. */
export function heloMilter(options: HeloMilterOptions): () => MilterSession {
  return options.authResults === null
    ? () => new HeloSession(options)
    : () => new TaggingHeloSession(options, options.authResults?.authservId ?? null);
}

let sessionCount = 0;
const processStart = Date.now().toString(36);

class HeloSession implements MilterSession {
  readonly #options: HeloMilterOptions;
  readonly #id = `${processStart}.${(++sessionCount).toString(36)}`;
  #ip: IpAddress | null = null;
  /** Why this client is never refused. */
  #exempt: string | null = null;
  #previousHelo: string | null = null;
  #greetings = 0;
  #greeting: Greeting | null = null;
  #sender: string | null = null;
  /** What of the message under way is in the log: one line a decision, not one a recipient. */
  readonly #logged = new Set<string>();
  /** Of the message under way; null until it was asked. */
  #budgetSpent: boolean | null = null;

  constructor(options: HeloMilterOptions) {
    this.#options = options;
  }

  connect(info: ConnectInfo, context: MilterContext): ConnectReply {
    this.#ip = info.address === null ? null : parseIp(info.address);
    this.#exempt = exemptClient(info.family, this.#ip, context, this.#options);
    return 'continue';
  }

  helo(name: string, context: MilterContext): HeloReply | Promise<HeloReply> {
    // A verdict here sticks to the connection and MAIL is not shown any more, so only a refusal is given.
    const greeting = this.#greet(name, context);
    if (this.#options.applyAt !== 'helo' || greeting.judged === null) return 'continue';
    return afterwards(greeting.judged, (judged) => {
      if (judged.action === 'accept' || this.#excused(greeting, judged) !== null) return 'continue';
      this.#log(greeting, judged, 'helo', null, null, context);
      return this.#refusal(greeting, judged);
    });
  }

  mail(sender: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.#sender = sender.raw;
    this.#logged.clear();
    this.#budgetSpent = null;
    // A client may skip HELO, and XCLIENT can stand in for it without an event of its own.
    const greeting = this.#greeting ?? this.#greet('', context);
    const exempt = this.#exempt ?? exemptSender(context);
    if (exempt !== null) {
      this.#log(greeting, settled(greeting), 'mail', null, exempt, context);
      return 'accept';
    }
    // Before RCPT only an acceptance is final: some recipients take mail from everybody.
    if (this.#options.applyAt === 'rcpt' && settled(greeting)?.action !== 'accept') return 'continue';
    return this.#apply(greeting, 'mail', null, context);
  }

  rcpt(recipient: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    const greeting = this.#greeting;
    if (greeting === null) return 'continue';
    const exempt = exemptRecipient(recipient.address);
    if (exempt !== null) {
      this.#log(greeting, settled(greeting), 'rcpt', recipient.raw, exempt, context);
      return 'continue';
    }
    return this.#apply(greeting, 'rcpt', recipient.raw, context);
  }

  /** What ends the events of an accepted message as early as can be. */
  protected readonly accepted: 'accept' | 'continue' = 'accept';

  /** The verdict on the name given last; null for a client that is never refused. */
  protected get judged(): Judged | Promise<Judged> | null {
    return this.#greeting?.judged ?? null;
  }

  abort(): void {
    // A reset ends the message only: Postfix sends it after a second HELO, which must survive (milter8.c).
    this.#sender = null;
    this.#logged.clear();
  }

  /** Starts the assessment of a new name; whatever an earlier name had earned is gone. */
  #greet(helo: string, context: MilterContext): Greeting {
    const greeting: Greeting = {
      reference: `${this.#id}.${(++this.#greetings).toString(36)}`,
      helo,
      hit: 'none',
      judged: null,
    };
    this.#greeting = greeting;
    this.#budgetSpent = null;
    // Who is never refused is not looked up either.
    if (this.#exempt !== null) return greeting;
    const { assessor, churn, now } = this.#options;
    const names = this.#ip === null ? 0 : churn.note(this.#ip, canonicalName(helo));
    const facts = this.#facts(context, names);
    this.#previousHelo = helo;
    const startedAt = now();
    const found = assessor.lookup(makeClient(this.#ip?.text ?? null, helo));
    greeting.hit = found.hit;
    if (found.hit === 'hit') {
      greeting.judged = this.#judge(found.value, facts, 0);
    } else {
      const judging = found.pending.then((assessment) => {
        greeting.judged = this.#judge(assessment, facts, now() - startedAt);
        return greeting.judged;
      });
      // Nobody may be waiting when it fails; who asks later gets the failure.
      judging.catch(() => undefined);
      greeting.judged = judging;
    }
    return greeting;
  }

  #facts(context: MilterContext, namesSeen: number): Omit<SessionFacts, 'denied'> {
    const { ourNames, ourAddresses, churnLimit } = this.#options;
    const mtaName = context.macro('j');
    const mtaAddress = parseIp(bareAddress(context.macro('daemon_addr') ?? context.macro('if_addr') ?? ''));
    return {
      ourNames: mtaName === undefined ? ourNames : [...ourNames, canonicalName(mtaName)],
      ourAddresses: mtaAddress === null ? ourAddresses : [...ourAddresses, mtaAddress],
      previousHelo: this.#previousHelo,
      namesSeen,
      churnLimit,
    };
  }

  #judge(cached: Assessment, facts: Omit<SessionFacts, 'denied'>, elapsedMs: number): Judged {
    const { policy, shadowPolicy, enforcement, dnsIll, access, wallClock } = this.#options;
    const entry = access().match(cached, wallClock());
    const denied = entry?.action === 'deny' ? (entry.text ?? 'refused by local policy') : null;
    const assessment = withSession(cached, { ...facts, denied }, sessionChecks);
    const ill = dnsIll();
    const verdict = decide(assessment, policy, ill);
    return {
      assessment,
      verdict,
      shadow: shadowPolicy === null ? null : decide(assessment, shadowPolicy, ill),
      dnsIll: ill,
      action: enforce(verdict.disposition, this.#ip, enforcement),
      access: entry,
      elapsedMs,
    };
  }

  #apply(
    greeting: Greeting,
    stage: Stage,
    recipient: string | null,
    context: MilterContext,
  ): CommandReply | Promise<CommandReply> {
    // An exempt client ends at MAIL; without an assessment there is nothing to hold against anybody.
    if (greeting.judged === null) return 'accept';
    return afterwards(greeting.judged, (judged) => {
      const exempt = this.#excused(greeting, judged);
      this.#log(greeting, judged, stage, recipient, exempt, context);
      if (exempt !== null) return this.accepted;
      // Nothing later can matter once the message is accepted: end its events here.
      return judged.action === 'accept' ? this.accepted : this.#refusal(greeting, judged);
    });
  }

  /** Why a verdict is not acted on. */
  #excused(greeting: Greeting, judged: Judged): string | null {
    if (judged.access?.action === 'allow') return 'access';
    return this.#spent(greeting, judged) ? 'tempfail-limit' : null;
  }

  /** Whether this message would be one tempfail too many. Asked once a message. */
  #spent({ helo }: Greeting, { action }: Judged): boolean {
    if (action !== 'tempfail') return false;
    this.#budgetSpent ??= !this.#options.budget.spend(this.#ip, helo);
    return this.#budgetSpent;
  }

  #refusal({ reference }: Greeting, { verdict, assessment }: Judged): ReplyCode | 'accept' {
    const { policy, reply } = this.#options;
    const refusal = smtpReply(verdict, assessment, policy.findings, reply, reference);
    return refusal === null ? 'accept' : replyCode(refusal.code, refusal.enhancedCode, refusal.text);
  }

  #log(
    greeting: Greeting,
    judged: Judged | null,
    stage: Stage,
    recipient: string | null,
    exempt: string | null,
    context: MilterContext,
  ): void {
    const kind = exempt ?? 'decision';
    if (this.#logged.has(kind)) return;
    this.#logged.add(kind);
    this.#options.log.info(
      'decision',
      decisionFields({
        ...greeting,
        client: this.#ip?.text ?? null,
        judged,
        exempt,
        stage,
        sender: this.#sender,
        recipient,
        queueId: context.macro('i') ?? null,
      }),
    );
  }
}

/** Also tags what is accepted, and takes off what pretends to be our tag. */
class TaggingHeloSession extends HeloSession {
  protected override readonly accepted = 'continue';
  readonly #givenId: string | null;
  #fields = 0;
  /** Places of forged fields among those of their name, as received. */
  #forged: number[] = [];

  constructor(options: HeloMilterOptions, authservId: string | null) {
    super(options);
    this.#givenId = authservId;
  }

  override mail(sender: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.#reset();
    return super.mail(sender, context);
  }

  header(name: string, value: string, context: MilterContext): CommandReply {
    if (name.toLowerCase() !== FIELD.toLowerCase()) return 'continue';
    this.#fields++;
    if (claimsToBe(this.#authservId(context), value)) this.#forged.push(this.#fields);
    return 'continue';
  }

  endOfMessage(message: Message, context: MilterContext): CommandReply | Promise<CommandReply> {
    // From the last to the first, so that the places of the others stay what they were.
    for (const place of this.#forged.toReversed()) message.changeHeader(place, FIELD, null);
    const { judged } = this;
    this.#reset();
    if (judged === null) return 'accept';
    return afterwards(judged, (verdict) => {
      // Above the MTA's own Received, which belongs to the same hop (RFC 8601 §5).
      message.insertHeader(0, FIELD, authResults(this.#authservId(context), verdict));
      return 'accept';
    });
  }

  #authservId(context: MilterContext): string {
    return this.#givenId ?? context.macro('j') ?? 'localhost';
  }

  #reset(): void {
    this.#fields = 0;
    this.#forged = [];
  }
}

/** Goes on at once where the verdict is there, so that a cached one costs no promise. */
function afterwards<R>(judged: Judged | Promise<Judged>, next: (judged: Judged) => R): R | Promise<R> {
  return judged instanceof Promise ? judged.then(next) : next(judged);
}

function settled({ judged }: Greeting): Judged | null {
  return judged instanceof Promise ? null : judged;
}

/** `{daemon_addr}` and `{if_addr}` come as `192.0.2.1`, `[192.0.2.1]`, `IPv6:…` or both. */
function bareAddress(text: string): string {
  return text.replace(/^\[(.*)\]$/, '$1').replace(/^IPv6:/i, '');
}
