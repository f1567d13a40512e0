/**
 * OPTNEG: turns what the MTA offers and what the filter wants into what both agree upon. The answer never
 * asks for more than was offered: Postfix fails on an extra action, Sendmail on an extra protocol bit.
 */
import type { Offer } from './command.ts';
import { MAX_VERSION, MIN_VERSION, SMFIC, SMFIF, SMFIM, SMFIP } from './constants.ts';
import { encodePacket, encodeStrings, ProtocolError } from './packet.ts';
import type { CallbackName } from './callbacks.ts';
import type { MilterSession } from './session.ts';
import { type ActionName, ACTIONS } from './actions.ts';

/** Stages for which macros may be requested. */
export type MacroStage = keyof typeof SMFIM;

/** What a filter asks for on every connection, besides the callbacks of its session. */
export interface Wishes {
  /** Events to receive and answer `continue` though there is no callback. */
  readonly keep: readonly CallbackName[];
  /**
   * Events that are not answered; the callback's result is ignored. Saves a round trip over a unix socket;
   * over TCP it makes the next write of Sendmail wait for a delayed acknowledgement, 40 ms. Postfix keeps
   * what is not answered until it needs an answer.
   */
  readonly noReply: readonly Exclude<CallbackName, 'endOfMessage'>[];
  readonly actions: readonly ActionName[];
  /**
   * Macros by stage, in place of the MTA's own lists. An empty list asks Sendmail for none, which saves a
   * packet; Postfix takes an empty list to mean its default.
   */
  readonly macros: Readonly<Partial<Record<MacroStage, readonly string[]>>>;
  /** Also be shown recipients that the MTA has refused already (version 6). */
  readonly rejectedRecipients: boolean;
  /** Header values keep their leading space (version 6). */
  readonly leadingSpace: boolean;
}

export interface Agreement {
  readonly version: number;
  readonly actions: number;
  readonly protocol: number;
}

const DECLINE: Readonly<Partial<Record<CallbackName, number>>> = {
  connect: SMFIP.NOCONNECT,
  helo: SMFIP.NOHELO,
  mail: SMFIP.NOMAIL,
  rcpt: SMFIP.NORCPT,
  data: SMFIP.NODATA,
  unknown: SMFIP.NOUNKNOWN,
  header: SMFIP.NOHDRS,
  endOfHeaders: SMFIP.NOEOH,
  body: SMFIP.NOBODY,
};

const NO_REPLY: Readonly<Partial<Record<CallbackName, number>>> = {
  connect: SMFIP.NR_CONN,
  helo: SMFIP.NR_HELO,
  mail: SMFIP.NR_MAIL,
  rcpt: SMFIP.NR_RCPT,
  data: SMFIP.NR_DATA,
  unknown: SMFIP.NR_UNKN,
  header: SMFIP.NR_HDR,
  endOfHeaders: SMFIP.NR_EOH,
  body: SMFIP.NR_BODY,
};

/** A set of wishes as bits, and the answer given last. */
interface WishBits {
  readonly declinable: readonly (readonly [event: CallbackName, bit: number])[];
  readonly protocol: number;
  readonly actions: number;
  last: { readonly offer: Offer; readonly protocol: number; readonly answer: Negotiated } | null;
}

/** An agreement and the packet that tells it. */
export interface Negotiated {
  readonly agreement: Agreement;
  readonly encoded: Buffer;
}

const prepared = new WeakMap<Wishes, WishBits>();

/** Throws RangeError if the wishes cannot be told to an MTA. */
export function checkWishes(wishes: Wishes): void {
  prepare(wishes);
  encodeLists(wishes.macros);
}

function prepare(wishes: Wishes): WishBits {
  let protocol = 0;
  for (const event of wishes.noReply) protocol |= NO_REPLY[event] ?? 0;
  if (wishes.rejectedRecipients) protocol |= SMFIP.RCPT_REJ;
  if (wishes.leadingSpace) protocol |= SMFIP.HDR_LEADSPC;
  let actions = wishes.actions.reduce((bits, name) => bits | ACTIONS[name], 0);
  if (Object.keys(wishes.macros).length > 0) actions |= SMFIF.SETSYMLIST;
  const declinable = (Object.entries(DECLINE) as [CallbackName, number][]).filter(
    ([event]) => !wishes.keep.includes(event),
  );
  const made: WishBits = { declinable, protocol, actions, last: null };
  prepared.set(wishes, made);
  return made;
}

/**
 * Throws ProtocolError for a version that is too old. Every connection of an MTA offers the same and every
 * session of a filter wants the same, so the answer given last is kept, with its bytes.
 */
export function negotiate(offer: Offer, session: MilterSession, wishes: Wishes): Negotiated {
  if (offer.version < MIN_VERSION) throw new ProtocolError(`the MTA speaks version ${offer.version}`);
  const known = prepared.get(wishes) ?? prepare(wishes);
  let protocol = known.protocol;
  for (const [event, bit] of known.declinable) if (session[event] === undefined) protocol |= bit;
  if (session.body !== undefined) protocol |= SMFIP.SKIP;
  const { last } = known;
  if (last?.protocol === protocol && sameOffer(last.offer, offer)) return last.answer;
  const agreement = {
    version: Math.min(offer.version, MAX_VERSION),
    actions: known.actions & offer.actions,
    protocol: protocol & offer.protocol,
  };
  const answer = { agreement, encoded: encodeAgreement(agreement, wishes.macros) };
  known.last = { offer, protocol, answer };
  return answer;
}

function sameOffer(a: Offer, b: Offer): boolean {
  return a.version === b.version && a.actions === b.actions && a.protocol === b.protocol;
}

/** Whether a change of this kind may be made. */
export function grants(action: ActionName, { actions }: Agreement): boolean {
  return (actions & ACTIONS[action]) !== 0;
}

export function declined(event: CallbackName, { protocol }: Agreement): boolean {
  return (protocol & (DECLINE[event] ?? 0)) !== 0;
}

export function answers(event: CallbackName, { protocol }: Agreement): boolean {
  return (protocol & (NO_REPLY[event] ?? 0)) === 0;
}

export function encodeAgreement({ version, actions, protocol }: Agreement, macros: Wishes['macros']): Buffer {
  const fixed = Buffer.allocUnsafe(12);
  fixed.writeUInt32BE(version, 0);
  fixed.writeUInt32BE(actions >>> 0, 4);
  fixed.writeUInt32BE(protocol >>> 0, 8);
  const lists = (actions & SMFIF.SETSYMLIST) === 0 ? [] : encodeLists(macros);
  return encodePacket(SMFIC.OPTNEG, Buffer.concat([fixed, ...lists]));
}

function encodeLists(macros: Wishes['macros']): Buffer[] {
  // Sendmail 8.17 and 8.18 use the list of the end of message only if one for the end of headers is given
  // too.
  const complete =
    macros.endOfMessage !== undefined && macros.endOfHeaders === undefined
      ? { ...macros, endOfHeaders: [] }
      : macros;
  return (Object.entries(complete) as [MacroStage, readonly string[]][]).flatMap(([stage, names]) => {
    const number = Buffer.allocUnsafe(4);
    number.writeUInt32BE(SMFIM[stage], 0);
    return [number, encodeStrings(names.join(' '))];
  });
}
