/**
 * The fields of a message header, from the top (RFC 5322 §2.2). One character is one octet (latin1), since
 * what strangers wrote need not be text. Work grows with the length of the header and no faster.
 */

export interface HeaderField {
  /** In lower case. */
  readonly name: string;
  /** As it stands there, folds included. */
  readonly value: string;
}

/** A longer name is of no field that anybody looks for. */
const MAX_NAME = 40;

/** Ends at the empty line, or with the text. What has no colon is passed over. */
export function* headerFields(header: string): Generator<HeaderField, void> {
  for (let at = 0; at < header.length;) {
    const end = endOfField(header, at);
    const field = header.slice(at, end);
    at = end;
    if (field === '\n' || field === '\r\n') return;
    const colon = field.indexOf(':');
    if (colon === -1 || colon > MAX_NAME) continue;
    yield { name: field.slice(0, colon).trimEnd().toLowerCase(), value: field.slice(colon + 1) };
  }
}

/** Where the next field begins: at the next line that does not continue this one. */
function endOfField(header: string, at: number): number {
  for (let from = at; ;) {
    const newline = header.indexOf('\n', from);
    if (newline === -1) return header.length;
    from = newline + 1;
    const next = header.charAt(from);
    if (next !== ' ' && next !== '\t') return from;
  }
}
