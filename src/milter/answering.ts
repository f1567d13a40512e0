/**
 * Runs the callbacks of a session, one at a time, and answers as the MTA and we have agreed. A callback that
 * fails, or replies what its event cannot have, costs the peer nothing.
 */
import type { CallbackName } from './callbacks.ts';
import { SMFIP } from './constants.ts';
import { Flow, type Peer } from './flow.ts';
import { describe, isThenable, type OnError, type ReplyOnError, report } from './guard.ts';
import { type Agreement, answers } from './negotiation.ts';
import type { Observation } from './observation.ts';
import { describeReply, encodeReply, isLegal, type Reply } from './reply.ts';
import type { Awaitable } from './session.ts';

export interface AnsweringOptions {
  /**
   * The answer if a callback fails, and of a session that could not be made; the connection goes on in any
   * case.
   */
  readonly replyOnError: ReplyOnError;
  /** Told of failures, of peers that broke the protocol, and of connections turned away. */
  readonly onError: OnError;
}

export abstract class Answering extends Flow {
  readonly #options: AnsweringOptions;
  /** Null before the negotiation. */
  protected agreement: Agreement | null = null;
  /** Null if nobody observes the session. */
  protected observation: Observation | null = null;
  /** The event whose callback has not settled. */
  #waitingFor: CallbackName | null = null;

  constructor(peer: Peer, options: AnsweringOptions) {
    super(peer);
    this.#options = options;
  }

  protected override get waiting(): boolean {
    return this.#waitingFor !== null;
  }

  /** An event has its reply, whether or not the MTA is told. */
  protected abstract answered(event: CallbackName, reply: Reply): void;

  /** Answers `continue` to what is open, without waiting for its callback. */
  protected letGoOn(): void {
    if (this.#waitingFor !== null && this.agreement !== null && answers(this.#waitingFor, this.agreement)) {
      this.send(encodeReply('continue'));
    }
    this.flush();
  }

  /** Runs a callback and answers; its failure is our fault and costs the peer nothing. */
  protected call(event: CallbackName, callback: () => Awaitable<Reply | undefined>): void {
    let reply: Awaitable<Reply | undefined>;
    try {
      reply = callback();
      if (isThenable(reply)) reply = Promise.resolve(reply);
    } catch (error) {
      this.#failed(event, error);
      return;
    }
    if (!(reply instanceof Promise)) {
      this.#answer(event, reply);
      return;
    }
    this.#waitingFor = event;
    const resume = (answer: () => void): void => {
      if (this.over) return;
      answer();
      this.#waitingFor = null;
      this.work();
    };
    void reply.then(
      (value) => {
        resume(() => {
          this.#answer(event, value);
        });
      },
      (error: unknown) => {
        resume(() => {
          this.#failed(event, error);
        });
      },
    );
  }

  #failed(event: CallbackName, error: unknown): void {
    report(this.#options.onError, error, event);
    this.#answer(event, this.#options.replyOnError);
  }

  #answer(event: CallbackName, given: Reply | undefined): void {
    const reply = given ?? 'continue';
    // TypeScript refuses these; a JavaScript filter may try, and Sendmail would silently drop the filter.
    if (!isLegal(event, reply)) {
      this.#failed(event, new RangeError(`the reply ${describe(reply)} is not possible at ${event}`));
      return;
    }
    const agreement = this.agreement;
    if (agreement === null) return;
    this.answered(event, reply);
    if (!answers(event, agreement)) return;
    const skipGranted = (agreement.protocol & SMFIP.SKIP) !== 0;
    const granted = reply === 'skip' && !skipGranted ? 'continue' : reply;
    this.observation?.show('milter', event, () => describeReply(granted));
    this.send(encodeReply(granted));
  }
}
