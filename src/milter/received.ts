/** The MTA's view of the replies: what a filter has answered, read from its packets. */
import type { Offer } from './command.ts';
import { SMFIM, SMFIR } from './constants.ts';
import type { MacroStage } from './negotiation.ts';
import { decodeStrings, type Packet, ProtocolError } from './packet.ts';
import type { Reply, ReplyCode } from './reply.ts';

/** An SMTP reply as the MTA will give it to its client: `%%` has become `%` again. */
export interface ReceivedCode {
  readonly kind: 'reply-code';
  readonly code: number;
  /** RFC 3463; null if the filter gave none. */
  readonly enhancedCode: string | null;
  readonly lines: readonly string[];
}

/** What a filter may answer: like `Reply`, except for the form of a reply code. */
export type ReceivedReply = Exclude<Reply, ReplyCode> | ReceivedCode;

/** One change to the message, in the order in which the filter made it. Strings are latin1. */
export type Change =
  | { readonly type: 'addHeader'; readonly name: string; readonly value: string }
  | { readonly type: 'insertHeader'; readonly index: number; readonly name: string; readonly value: string }
  /** A null value deletes the field. */
  | {
      readonly type: 'changeHeader';
      readonly index: number;
      readonly name: string;
      readonly value: string | null;
    }
  /** `args` are ESMTP parameters, null if the filter gave none. */
  | { readonly type: 'addRecipient'; readonly address: string; readonly args: string | null }
  | { readonly type: 'deleteRecipient'; readonly address: string }
  | { readonly type: 'changeSender'; readonly address: string; readonly args: string | null }
  | { readonly type: 'replaceBody'; readonly chunk: Buffer }
  | { readonly type: 'quarantine'; readonly reason: string };

/** The filter's part of the negotiation. */
export interface ReceivedAgreement extends Offer {
  /** Macros asked for, by stage; a stage that is not there is left to the MTA. */
  readonly macros: Readonly<Partial<Record<MacroStage, readonly string[]>>>;
}

const WORDS: Readonly<Partial<Record<number, Exclude<ReceivedReply, ReceivedCode>>>> = {
  [SMFIR.CONTINUE]: 'continue',
  [SMFIR.ACCEPT]: 'accept',
  [SMFIR.REJECT]: 'reject',
  [SMFIR.TEMPFAIL]: 'tempfail',
  [SMFIR.DISCARD]: 'discard',
  [SMFIR.SKIP]: 'skip',
};

/**
 * A final reply, or null for a packet that is not one. Throws ProtocolError for a reply code that no MTA
 * would accept.
 */
export function decodeReply({ command, data }: Packet): ReceivedReply | null {
  return command === SMFIR.REPLYCODE ? decodeCode(data) : (WORDS[command] ?? null);
}

function decodeCode(data: Buffer): ReceivedCode {
  const text = data.toString('latin1');
  // Postfix 3.7 reads on past a missing NUL, and Sendmail drops the text.
  if (text.indexOf('\0') !== text.length - 1) throw new ProtocolError('a reply code is ended by one NUL');
  const lines = text
    .slice(0, -1)
    .split('\r\n')
    .map((line) => /^([45]\d\d)([ -])(?:([45]\.\d{1,3}\.\d{1,3}) )?(.*)$/s.exec(line));
  const [, code, , enhancedCode = null] = lines[0] ?? [];
  const whole = lines.every(
    (line, i) => line?.[1] === code && line?.[2] === (i === lines.length - 1 ? ' ' : '-'),
  );
  if (code === undefined || !whole) throw new ProtocolError(`${JSON.stringify(text)} is no SMTP reply`);
  return {
    kind: 'reply-code',
    code: Number(code),
    enhancedCode,
    lines: lines.map((line) => (line?.[4] ?? '').replaceAll('%%', '%')),
  };
}

/** A change to the message, or null for a packet that is not one. */
export function decodeChange({ command, data }: Packet): Change | null {
  switch (command) {
    case SMFIR.ADDHEADER: {
      const [name = '', value = ''] = decodeStrings(data);
      return { type: 'addHeader', name, value };
    }
    case SMFIR.INSHEADER: {
      const [name = '', value = ''] = decodeStrings(data.subarray(4));
      return { type: 'insertHeader', index: indexOf(data), name, value };
    }
    case SMFIR.CHGHEADER: {
      const [name = '', value = ''] = decodeStrings(data.subarray(4));
      return { type: 'changeHeader', index: indexOf(data), name, value: value === '' ? null : value };
    }
    case SMFIR.ADDRCPT:
    case SMFIR.ADDRCPT_PAR: {
      const [address = '', args = null] = decodeStrings(data);
      return { type: 'addRecipient', address, args };
    }
    case SMFIR.DELRCPT:
      return { type: 'deleteRecipient', address: decodeStrings(data)[0] ?? '' };
    case SMFIR.CHGFROM: {
      const [address = '', args = null] = decodeStrings(data);
      return { type: 'changeSender', address, args };
    }
    case SMFIR.REPLBODY:
      return { type: 'replaceBody', chunk: data };
    case SMFIR.QUARANTINE:
      return { type: 'quarantine', reason: decodeStrings(data)[0] ?? '' };
    default:
      return null;
  }
}

/** The answer to OPTNEG, with the macros asked for. Throws ProtocolError for fewer than twelve bytes. */
export function decodeAgreement(data: Buffer): ReceivedAgreement {
  if (data.length < 12) throw new ProtocolError(`OPTNEG of ${data.length} bytes`);
  const macros: Partial<Record<MacroStage, readonly string[]>> = {};
  for (let at = 12; at + 4 < data.length;) {
    const stage = data.readUInt32BE(at);
    const end = data.indexOf(0, at + 4);
    if (end === -1) throw new ProtocolError('a list of macros is ended by NUL');
    const name = (Object.keys(SMFIM) as MacroStage[]).find((each) => SMFIM[each] === stage);
    if (name === undefined) throw new ProtocolError(`macros for an unknown stage ${stage}`);
    macros[name] = data
      .toString('latin1', at + 4, end)
      .split(/[ ,]/)
      .filter((each) => each !== '');
    at = end + 1;
  }
  return {
    version: data.readUInt32BE(0),
    actions: data.readUInt32BE(4),
    protocol: data.readUInt32BE(8),
    macros,
  };
}

function indexOf(data: Buffer): number {
  if (data.length < 4) throw new ProtocolError('a header change without its index');
  return data.readUInt32BE(0);
}
