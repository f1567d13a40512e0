/**
 * What a filter may answer, by stage, so that an illegal answer does not compile: no SKIP outside BODY, no
 * DISCARD before MAIL. What types cannot express, `replyCode` refuses or cleans: a 2yz code, a text that an
 * MTA would refuse or leak.
 */
import { SMFIR } from './constants.ts';
import { encodePacket, encodeString } from './packet.ts';
import type { CallbackName } from './callbacks.ts';

/** An SMTP reply of our own; made by `replyCode` only. */
export interface ReplyCode {
  readonly kind: 'reply-code';
  readonly code: number;
  readonly enhancedCode: string;
  /** The text of each line, cleaned, as the SMTP client will see it. */
  readonly lines: readonly string[];
  /** The packet. */
  readonly encoded: Buffer;
}

/** At CONNECT and HELO; a verdict here sticks to the connection in both MTAs. */
export type ConnectReply = 'continue' | 'accept' | 'reject' | 'tempfail' | ReplyCode;
/** What may be answered at HELO. */
export type HeloReply = ConnectReply;
/** From MAIL on. At RCPT, reject and tempfail concern this recipient only; discard drops the message. */
export type CommandReply = ConnectReply | 'discard';
/** Skip: send no more of the body. Becomes `continue` if the MTA did not offer it. */
export type BodyReply = CommandReply | 'skip';
/** Any answer that a callback may give. */
export type Reply = BodyReply;

const FIXED: Readonly<Record<Exclude<Reply, ReplyCode>, Buffer>> = {
  continue: encodePacket(SMFIR.CONTINUE),
  accept: encodePacket(SMFIR.ACCEPT),
  reject: encodePacket(SMFIR.REJECT),
  tempfail: encodePacket(SMFIR.TEMPFAIL),
  discard: encodePacket(SMFIR.DISCARD),
  skip: encodePacket(SMFIR.SKIP),
};

export function encodeReply(reply: Reply): Buffer {
  return typeof reply === 'string' ? FIXED[reply] : reply.encoded;
}

/** RFC 5321 §4.5.3.1.5: a reply line is at most 512 octets with its code and CRLF. */
const MAX_LINE = 510;
/** libmilter's `MAXREPLYLINES`. */
const MAX_LINES = 32;

/**
 * An SMTP reply of one or more lines. `code` is 4yz or 5yz; `enhancedCode` is RFC 3463 and of the same class,
 * else a RangeError: Postfix takes `550 4.7.1` for a broken filter. The text may be anything: what is not
 * printable ASCII becomes `?`, long lines are cut, an empty text gets words, `%` is doubled on the wire
 * (libmilter formats it).
 */
export function replyCode(code: number, enhancedCode: string, text: string | readonly string[]): ReplyCode {
  if (!Number.isInteger(code) || code < 400 || code > 599) {
    throw new RangeError(`reply code ${code} is not 4yz or 5yz`);
  }
  if (!/^[45]\.\d{1,3}\.\d{1,3}$/.test(enhancedCode) || Number(enhancedCode[0]) !== Math.floor(code / 100)) {
    throw new RangeError(`enhanced status code ${enhancedCode} does not go with ${code}`);
  }
  const given = linesOf(text).map((line) => cleanLine(line, MAX_LINE - 4 - enhancedCode.length - 1));
  const lines = given.some((line) => line !== '') ? given : ['Command rejected'];
  const wire = lines.map((line, i) => {
    const separator = i === lines.length - 1 ? ' ' : '-';
    return `${code}${separator}${enhancedCode} ${line.replaceAll('%', '%%')}`;
  });
  return {
    kind: 'reply-code',
    code,
    enhancedCode,
    lines,
    encoded: encodeString(SMFIR.REPLYCODE, wire.join('\r\n')),
  };
}

function linesOf(text: string | readonly string[]): readonly string[] {
  // A reply of one line, as nearly all are.
  if (typeof text === 'string' && !text.includes('\n')) return [text];
  const given = typeof text === 'string' ? [text] : text;
  return given.flatMap((line) => line.split(/\r?\n/)).slice(0, MAX_LINES);
}

function cleanLine(line: string, limit: number): string {
  const printable = line.slice(0, limit + 1).replaceAll(/[^\x20-\x7e]/g, '?');
  const cut = printable.length > limit ? `${printable.slice(0, limit - 3)}...` : printable;
  return cut.trimEnd();
}

/** A reply as one would write it in a transcript. */
export function describeReply(reply: Reply): string {
  if (typeof reply === 'string') return reply;
  return reply.lines.map((line) => `${reply.code} ${reply.enhancedCode} ${line}`).join(' / ');
}

const COMMON: ReadonlySet<unknown> = new Set(['continue', 'accept', 'reject', 'tempfail']);

/** Whether an MTA understands what a callback returned. */
export function isLegal(event: CallbackName, reply: unknown): boolean {
  if (COMMON.has(reply)) return true;
  if (typeof reply === 'object' && reply !== null) return isReplyCode(reply);
  if (reply === 'discard') return event !== 'connect' && event !== 'helo';
  return reply === 'skip' && event === 'body';
}

/** A filter in JavaScript may return anything, even an object whose properties throw. */
function isReplyCode(reply: object): boolean {
  try {
    return 'encoded' in reply && reply.encoded instanceof Buffer;
  } catch {
    return false;
  }
}
