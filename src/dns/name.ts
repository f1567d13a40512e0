/**
 * Domain names between text and wire (RFC 1035 §3.1, §4.1.4, §5.1). In text a dot separates labels. A dot or
 * a backslash inside a label, and every octet that is not visible ASCII, is escaped, so two different names
 * never look the same.
 */

/**
 * Not a domain name: an empty label or one of more than 63 octets, more than 255 in all, or a broken escape.
 */
export class NameError extends Error {
  override readonly name = 'NameError';
}

/** The bytes of a message cannot be read. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

const MAX_LABEL = 63;
/** With the length octets and the root (RFC 1035 §2.3.4). */
export const MAX_NAME = 255;
/** A name has 127 labels at most, and no encoder needs more pointers than labels. */
const MAX_POINTERS = 127;

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/**
 * A name on the wire, uncompressed; one character is one octet. `''` and `'.'` are the root. Throws
 * NameError.
 */
export function encodeName(text: string): Buffer {
  const wire = Buffer.allocUnsafe(MAX_NAME);
  return wire.subarray(0, writeName(text, wire, 0));
}

/**
 * Writes a name as `encodeName` does at `start`, where MAX_NAME octets have room, or two more than the text
 * has characters; gives the offset after it.
 */
export function writeName(text: string, wire: Buffer, start: number): number {
  const { length } = text;
  let lengthAt = start;
  let end = start + 1;
  for (let i = 0; i < length; i++) {
    let octet = text.charCodeAt(i);
    if (octet === DOT) {
      // A final dot stands for the root.
      if (i === length - 1 && (length === 1 || end > lengthAt + 1)) break;
      if (end === lengthAt + 1) throw new NameError('a label is empty');
      wire[lengthAt] = end - lengthAt - 1;
      lengthAt = end++;
      continue;
    }
    if (octet === BACKSLASH) {
      const escape = ESCAPE.exec(text.slice(i + 1, i + 4))?.[0] ?? '';
      if (escape === '') throw new NameError('the name ends in a backslash');
      octet = escape.length === 3 ? Number(escape) : escape.charCodeAt(0);
      i += escape.length;
    }
    if (octet > 255) throw new NameError('a character is not an octet');
    if (end - lengthAt > MAX_LABEL) throw new NameError(`a label is longer than ${MAX_LABEL} octets`);
    // The last octet is for the root.
    if (end >= start + MAX_NAME - 1) throw new NameError(`the name is longer than ${MAX_NAME} octets`);
    wire[end++] = octet;
  }
  if (end > lengthAt + 1) {
    wire[lengthAt] = end - lengthAt - 1;
    lengthAt = end;
  } else if (lengthAt > start) throw new NameError('a label is empty');
  wire[lengthAt] = 0;
  return lengthAt + 1;
}

/** What follows a backslash. */
const ESCAPE = /^(?:\d{3}|.)/s;

/** A buffer for decoding names: every octet may take four characters. */
const scratch = Buffer.alloc(4 * MAX_NAME);

/** A name of a message as text (`''` for the root), and the offset after it. Throws MessageError. */
export function decodeName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  // One text is made of all its labels: an answer may hold thousands of names of 127 labels each.
  let written = 0;
  let length = 1;
  let at = start;
  let end: number | null = null;
  /** Pointers lead strictly backwards, so no two can form a loop. */
  let before = start;
  let pointers = 0;
  for (;;) {
    const octet = message[at];
    if (octet === undefined) throw new MessageError('a name runs past the end');
    if (octet === 0) return { name: scratch.toString('latin1', 0, written), end: end ?? at + 1 };
    if ((octet & 0xc0) === 0xc0) {
      const low = message[at + 1];
      if (low === undefined) throw new MessageError('a name runs past the end');
      const target = ((octet & 0x3f) << 8) | low;
      if (target >= before) throw new MessageError('a name points forward');
      if (++pointers > MAX_POINTERS) throw new MessageError('a name has too many pointers');
      end ??= at + 2;
      before = at = target;
      continue;
    }
    if (octet > MAX_LABEL) throw new MessageError('a label of unknown kind');
    const stop = at + 1 + octet;
    if (stop > message.length) throw new MessageError('a name runs past the end');
    length += octet + 1;
    if (length > MAX_NAME) throw new MessageError(`a name is longer than ${MAX_NAME} octets`);
    if (written > 0) scratch[written++] = DOT;
    for (at++; at < stop; at++) written = writeOctet(message[at] ?? 0, written);
  }
}

/** The offset after a name, without looking at what it says. Throws MessageError. */
export function skipName(message: Buffer, start: number): number {
  for (let at = start; ;) {
    const octet = message[at];
    if (octet === undefined) throw new MessageError('a name runs past the end');
    if (octet === 0) return at + 1;
    if ((octet & 0xc0) === 0xc0) return at + 2;
    if (octet > MAX_LABEL) throw new MessageError('a label of unknown kind');
    at += octet + 1;
  }
}

/**
 * The one way to write a name: what `decodeName` would make of it. Throws NameError for some that are none;
 * `writeName` does for all.
 */
export function normalName(text: string): string {
  if (PLAIN.test(text)) return text;
  const end = writeName(text, nameScratch, 0);
  return decodeName(nameScratch.subarray(0, end), 0).name;
}

/** Names that need no change: without escapes or a final dot. */
const PLAIN = /^[!-[\]-~]*[!-\-/-[\]-~]$/;
const nameScratch = Buffer.alloc(MAX_NAME);

/** Lower case as in DNS: only for ASCII letters (RFC 4343 §3). */
export function foldCase(name: string): string {
  if (!CAPITAL.test(name)) return name;
  return ASCII.test(name)
    ? name.toLowerCase()
    : name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const CAPITAL = /[A-Z]/;
const ASCII = /^[\0-\x7f]*$/;

/** Writes an octet of a label at `written`, escaped where it has to be, and says where the next one goes. */
function writeOctet(octet: number, written: number): number {
  if (octet > 0x20 && octet < 0x7f && octet !== DOT && octet !== BACKSLASH) {
    scratch[written] = octet;
    return written + 1;
  }
  scratch[written] = BACKSLASH;
  if (octet === DOT || octet === BACKSLASH) {
    scratch[written + 1] = octet;
    return written + 2;
  }
  for (let digit = 3, rest = octet; digit > 0; digit--, rest = Math.floor(rest / 10)) {
    scratch[written + digit] = ZERO + (rest % 10);
  }
  return written + 4;
}
