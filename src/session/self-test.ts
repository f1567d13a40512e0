/**
 * RCPT to the address of a self-test: answered with what we hold against the client. It touches nothing else:
 * no decision is made or counted, and no limit but its own is used up.
 */
import type { IpAddress } from '../core/ip.ts';
import { type CommandReply, type Envelope, type ReplyCode, replyCode } from '../milter/index.ts';
import type { Exemption } from '../policy/exemption.ts';
import { type Judged, judgeUnder } from '../policy/judge.ts';
import type { MtaSelf } from '../policy/our-names.ts';
import type { Rules } from '../policy/rules.ts';
import {
  selfTestLimited,
  type SelfTestReply,
  selfTestReply,
  type SelfTestResult,
  selfTestResult,
} from '../policy/self-test.ts';
import { afterwards } from './afterwards.ts';
import type { Claim } from './claim.ts';
import type { MessageLimits } from './message-limits.ts';
import type { Transaction } from './transaction.ts';

/** A self-test that was answered, for the log. */
export interface AnsweredTest {
  readonly result: SelfTestResult;
  readonly client: string | null;
  readonly helo: string;
  /** Null where nothing was looked up or told. */
  readonly judged: Judged | null;
  readonly exempt: Exemption | null;
  readonly sender: string | null;
  readonly recipient: string;
  /** Also in the reply. */
  readonly reference: string;
}

export interface SelfTestOptions {
  /** What the operator has decided, as it is now. */
  readonly rules: () => Rules;
  /** Called with each test. Must not throw. */
  readonly selfTested: (test: AnsweredTest) => void;
}

interface Asking {
  readonly claim: Claim;
  readonly recipient: Envelope;
  /** Null for a client without an address. */
  readonly ip: IpAddress | null;
  readonly message: Pick<Transaction, 'exempt' | 'sender'>;
  readonly limits: Pick<MessageLimits, 'mayTest'>;
  readonly mta: MtaSelf;
}

export function answerSelfTest(
  asking: Asking,
  options: SelfTestOptions,
): CommandReply | Promise<CommandReply> {
  const { claim, ip, limits, mta } = asking;
  if (!limits.mayTest(ip)) {
    claim.usedFor('mail');
    tell('limited', asking, options, null, null);
    return asReplyCode(selfTestLimited());
  }
  claim.usedFor('self-test');
  const pending = claim.verdict(mta);
  return pending === null
    ? answer(null, asking, options)
    : afterwards(pending, (judged) => answer(judged, asking, options));
}

function answer(general: Judged | null, asking: Asking, options: SelfTestOptions): ReplyCode {
  const { claim, recipient, ip, message } = asking;
  const rules = options.rules();
  // A policy of its own makes an address at which that one can be tried.
  const own = rules.recipients.of(recipient.address);
  const judged =
    general === null || own === null || own === 'off' ? general : judgeUnder(own, general, rules);
  const exempt = message.exempt ?? (judged?.access?.action === 'allow' ? 'access' : null);
  tell(selfTestResult({ judged, exempt }), asking, options, judged, exempt);
  return asReplyCode(
    selfTestReply({
      helo: claim.helo,
      client: ip?.text ?? null,
      judged,
      exempt,
      reference: claim.reference,
      recipient: recipient.address,
      raw: recipient.raw,
      words: rules.reply,
    }),
  );
}

function tell(
  result: SelfTestResult,
  { claim, recipient, ip, message }: Asking,
  { selfTested }: SelfTestOptions,
  judged: Judged | null,
  exempt: Exemption | null,
): void {
  selfTested({
    result,
    client: ip?.text ?? null,
    helo: claim.helo,
    judged,
    exempt,
    sender: message.sender,
    recipient: recipient.raw,
    reference: claim.reference,
  });
}

function asReplyCode({ code, enhancedCode, lines }: SelfTestReply): ReplyCode {
  return replyCode(code, enhancedCode, lines);
}
