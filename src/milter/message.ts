/**
 * The message at its end, which is the only time it can be changed. Changes are collected and leave in one
 * write together with the final reply: several small writes would stall 40 ms over TCP.
 */
import { CHUNK_SIZE, SMFIF, SMFIR } from './constants.ts';
import { encodePacket, encodeStrings } from './packet.ts';

/** A change that was not announced in `actions`, or that this MTA did not grant. */
export class NotGrantedError extends Error {
  override readonly name = 'NotGrantedError';
  readonly code = 'milter-not-granted';
}

/** The message at its end, where it can be changed. Changes go to the MTA together with the final reply. */
export class Message {
  readonly #granted: number;
  readonly #writeNow: (packet: Buffer) => void;
  #changes: Buffer[] = [];
  #body: Buffer[] = [];
  #open = true;

  /** `granted` is the bit set of actions agreed upon. */
  constructor(granted: number, writeNow: (packet: Buffer) => void) {
    this.#granted = granted;
    this.#writeNow = writeNow;
  }

  /**
   * Adds a header field: Postfix at the end, Sendmail before the first of that name. Use `insertHeader` for
   * trace fields. Fold long values with LF and a space or tab.
   */
  addHeader(name: string, value: string): void {
    this.#change(SMFIF.ADDHDRS, SMFIR.ADDHEADER, encodeStrings(fieldName(name), fieldValue(value)));
  }

  /**
   * Inserts a header field at a place, 0 being above the MTA's own Received. Later inserts at 0 land higher.
   */
  insertHeader(index: number, name: string, value: string): void {
    this.#change(SMFIF.ADDHDRS, SMFIR.INSHEADER, indexed(index, fieldName(name), fieldValue(value)));
  }

  /** Replaces the `index`-th field of that name, 1 being the first as received; a null value deletes it. */
  changeHeader(index: number, name: string, value: string | null): void {
    this.#change(SMFIF.CHGHDRS, SMFIR.CHGHEADER, indexed(index, fieldName(name), fieldValue(value ?? '')));
  }

  /** Replaces the body; called several times, the chunks are put together. */
  replaceBody(body: Uint8Array): void {
    this.#grant(SMFIF.CHGBODY);
    for (let at = 0; at === 0 || at < body.length; at += CHUNK_SIZE) {
      this.#body.push(encodePacket(SMFIR.REPLBODY, body.subarray(at, at + CHUNK_SIZE)));
    }
  }

  /** `args` are ESMTP parameters and need the action `addRecipientsWithArgs`. */
  addRecipient(address: string, args?: string): void {
    if (args === undefined) this.#change(SMFIF.ADDRCPT, SMFIR.ADDRCPT, encodeStrings(bracketed(address)));
    else this.#change(SMFIF.ADDRCPT_PAR, SMFIR.ADDRCPT_PAR, encodeStrings(bracketed(address), oneLine(args)));
  }

  deleteRecipient(address: string): void {
    this.#change(SMFIF.DELRCPT, SMFIR.DELRCPT, encodeStrings(bracketed(address)));
  }

  changeSender(address: string, args?: string): void {
    const strings = args === undefined ? [bracketed(address)] : [bracketed(address), oneLine(args)];
    this.#change(SMFIF.CHGFROM, SMFIR.CHGFROM, encodeStrings(...strings));
  }

  /** Holds the message in the MTA's queue; a final reply still follows. */
  quarantine(reason: string): void {
    this.#change(SMFIF.QUARANTINE, SMFIR.QUARANTINE, encodeStrings(oneLine(reason)));
  }

  /** Tells the MTA at once that the filter is still at work, so that the MTA restarts its timer. */
  progress(): void {
    this.#requireOpen();
    this.#writeNow(encodePacket(SMFIR.PROGRESS));
  }

  /** The packets of all changes; the message is closed. Postfix wants those of the body in one run. */
  finish(): readonly Buffer[] {
    this.#open = false;
    return [...this.#changes, ...this.#body];
  }

  #change(action: number, reply: number, data: Buffer): void {
    this.#grant(action);
    this.#changes.push(encodePacket(reply, data));
  }

  #grant(action: number): void {
    this.#requireOpen();
    if ((this.#granted & action) === 0) {
      throw new NotGrantedError('this change was not agreed upon with the MTA');
    }
  }

  #requireOpen(): void {
    if (!this.#open) throw new NotGrantedError('the end of the message has been answered already');
  }
}

/** RFC 5322 §2.2: printable ASCII but the colon. */
function fieldName(name: string): string {
  if (!/^[!-9;-~]+$/.test(name)) throw new RangeError('not the name of a header field');
  return name;
}

/**
 * Both MTAs want LF; a CR would stay in the field, and a line that does not begin with a blank would be
 * another field.
 */
function fieldValue(value: string): string {
  const unix = value.replaceAll('\r\n', '\n');
  if (unix.includes('\r') || /\n(?![ \t])/.test(unix))
    throw new RangeError('a header value is folded wrongly');
  return unix;
}

function bracketed(address: string): string {
  const line = oneLine(address);
  return line.startsWith('<') ? line : `<${line}>`;
}

function oneLine(text: string): string {
  if (/[\r\n]/.test(text)) throw new RangeError('a line break in an address, argument or reason');
  return text;
}

function indexed(index: number, name: string, value: string): Buffer {
  if (!Number.isInteger(index) || index < 0 || index > 0x7fffffff) {
    throw new RangeError(`header index ${index}`);
  }
  const number = Buffer.allocUnsafe(4);
  number.writeUInt32BE(index, 0);
  return Buffer.concat([number, encodeStrings(name, value)]);
}
