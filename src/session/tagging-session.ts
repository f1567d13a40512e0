/** A session that also tags accepted mail, and removes fields that pretend to be our tag. */
import type { Judged } from '../policy/judge.ts';
import type {
  CommandReply,
  ConnectInfo,
  ConnectReply,
  Envelope,
  Message,
  MilterContext,
} from '../milter/index.ts';
import type { Stage } from '../policy/rules.ts';
import { authResults, FIELD } from './auth-results.ts';
import { afterwards } from './afterwards.ts';
import { HeloSession, type MtaSelfOf, type SessionOptions } from './session.ts';
import type { ResultFields, Tagging } from './tagging.ts';

export class TaggingSession extends HeloSession {
  readonly #tagging: Tagging;
  #possible = true;
  /** For the message under way; null if it is left as it is. */
  #fields: ResultFields | null = null;

  constructor(options: SessionOptions, applyAt: Stage, self: MtaSelfOf, tagging: Tagging) {
    super(options, applyAt, self);
    this.#tagging = tagging;
  }

  protected override mayEndEarly(): boolean {
    return this.#fields === null;
  }

  override connect(info: ConnectInfo, context: MilterContext): ConnectReply {
    this.#possible = this.#tagging.possible(context);
    return super.connect(info, context);
  }

  override mail(sender: Envelope, context: MilterContext): CommandReply | Promise<CommandReply> {
    this.#fields = this.#possible ? this.#tagging.begin(context) : null;
    const reply = super.mail(sender, context);
    // Mail of a client that is never refused is left as it is.
    if (this.isSettled) this.#fields = null;
    return reply;
  }

  header(name: string, value: string): CommandReply {
    this.#fields?.note(name, value);
    return 'continue';
  }

  override endOfMessage(message: Message, context: MilterContext): CommandReply | Promise<CommandReply> {
    const fields = this.#fields;
    if (fields === null) return super.endOfMessage(message, context);
    this.#fields = null;
    const pass = (): CommandReply => {
      fields.takeOff(message);
      this.ended('accepted', context);
      return 'accept';
    };
    const tag = (judged: Judged): CommandReply => {
      const reply = pass();
      // Above the MTA's own Received, which belongs to the same hop (RFC 8601 §5).
      message.insertHeader(0, FIELD, authResults(fields.authservId, judged, this.rules.checks));
      return reply;
    };
    const judged = this.verdict(context);
    if (judged === null) return pass();
    return afterwards(judged, (general) => {
      if (fields.tooMany === 0) return tag(general);
      return afterwards(this.judgeForged(general, fields, context), ({ reply, judged: found }) => {
        if (reply === 'accept') return tag(found);
        this.ended('refused', context);
        return reply;
      });
    });
  }
}
