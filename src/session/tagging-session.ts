/** A session that also tags accepted mail, and removes fields that pretend to be our tag. */
import type { Judged } from '../decisions/decision.ts';
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
import { afterwards, HeloSession, type OurselvesOf, type SessionOptions } from './session.ts';
import type { ResultFields, Tagging } from './tagging.ts';

export class TaggingSession extends HeloSession {
  readonly #tagging: Tagging;
  #possible = true;
  /** For the message under way; null if it is left as it is. */
  #fields: ResultFields | null = null;

  constructor(options: SessionOptions, applyAt: Stage, ourselves: OurselvesOf, tagging: Tagging) {
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
