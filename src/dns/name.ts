/**
 * Domain names between text and wire (RFC 1035 §3.1, §4.1.4, §5.1). In text a dot separates labels. A dot or a
 * backslash inside a label, and every octet that is not visible ASCII, is escaped, so two different names never
 * look the same.
 */

/** Not a domain name: an empty label or one of more than 63 octets, more than 255 in all, or a broken escape. */
export class NameError extends Error {
  override readonly name = 'NameError';
}

/** The bytes of a message cannot be read. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

const MAX_LABEL = 63;
/** With the length octets and the root (RFC 1035 §2.3.4). */
const MAX_NAME = 255;
/** A name has 127 labels at most, and no encoder needs more pointers than labels. */
const MAX_POINTERS = 127;

const DOT = 0x2e;
const BACKSLASH = 0x5c;

/** A name on the wire, uncompressed; one character is one octet. `''` and `'.'` are the root. Throws NameError. */
export function encodeName(text: string): Buffer {
  const wire = Buffer.allocUnsafe(MAX_NAME);
  let lengthAt = 0;
  let end = 1;
  const closeLabel = (): void => {
    const length = end - lengthAt - 1;
    if (length === 0) throw new NameError('a label is empty');
    wire[lengthAt] = length;
    lengthAt = end++;
  };
  for (let i = 0; i < text.length && text !== '.'; i++) {
    let octet = text.charCodeAt(i);
    if (octet === DOT) {
      // A final dot stands for the root.
      if (i === text.length - 1 && end > lengthAt + 1) break;
      closeLabel();
      continue;
    }
    if (octet === BACKSLASH) {
      const escape = /^(?:\d{3}|.)/s.exec(text.slice(i + 1, i + 4))?.[0] ?? '';
      if (escape === '') throw new NameError('the name ends in a backslash');
      octet = escape.length === 3 ? Number(escape) : escape.charCodeAt(0);
      i += escape.length;
    }
    if (octet > 255) throw new NameError('a character is not an octet');
    if (end - lengthAt > MAX_LABEL) throw new NameError(`a label is longer than ${MAX_LABEL} octets`);
    // The last octet is for the root.
    if (end >= MAX_NAME - 1) throw new NameError(`the name is longer than ${MAX_NAME} octets`);
    wire[end++] = octet;
  }
  if (end > lengthAt + 1) closeLabel();
  else if (lengthAt > 0) throw new NameError('a label is empty');
  wire[lengthAt] = 0;
  return wire.subarray(0, lengthAt + 1);
}

/** A name of a message as text (`''` for the root), and the offset after it. Throws MessageError. */
export function decodeName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  let name = '';
  let length = 1;
  let at = start;
  let end: number | null = null;
  /** Pointers lead strictly backwards, so no two can form a loop. */
  let before = start;
  let pointers = 0;
  for (;;) {
    const octet = message[at];
    if (octet === undefined) throw new MessageError('a name runs past the end');
    if (octet === 0) return { name, end: end ?? at + 1 };
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
    if (at + 1 + octet > message.length) throw new MessageError('a name runs past the end');
    length += octet + 1;
    if (length > MAX_NAME) throw new MessageError(`a name is longer than ${MAX_NAME} octets`);
    name += `${name === '' ? '' : '.'}${labelText(message, at + 1, at + 1 + octet)}`;
    at += octet + 1;
  }
}

/** The one way to write a name: what `decodeName` would make of it. Throws NameError. */
export function normalName(text: string): string {
  return decodeName(encodeName(text), 0).name;
}

/** Lower case as DNS has it: of ASCII letters only (RFC 4343 §3). */
export function foldCase(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function labelText(message: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    const octet = message[i] ?? 0;
    if (octet <= 0x20 || octet >= 0x7f || octet === DOT || octet === BACKSLASH) {
      return escaped(message.subarray(start, end));
    }
  }
  return message.toString('latin1', start, end);
}

function escaped(label: Buffer): string {
  let text = '';
  for (const octet of label) {
    if (octet === DOT || octet === BACKSLASH) text += `\\${String.fromCharCode(octet)}`;
    else if (octet <= 0x20 || octet >= 0x7f) text += `\\${String(octet).padStart(3, '0')}`;
    else text += String.fromCharCode(octet);
  }
  return text;
}
