/**
 * Takes the value of a Received field apart: words, comments, and the date at its end (RFC 5321 §4.4, RFC
 * 5322 §3.2.2). One pass over the text.
 */

/** `raw` keeps its case. A comment comes without its outer brackets; folds in it are single blanks. */
export type Piece =
  { readonly kind: 'word'; readonly raw: string } | { readonly kind: 'comment'; readonly raw: string };

export interface Pieces {
  readonly pieces: readonly Piece[];
  /** What follows the first semicolon outside of comments, without comments; null where there is none. */
  readonly date: string | null;
}

/** Null where a comment, a path or a quoted string does not end. */
export function piecesOf(value: string): Pieces | null {
  const pieces: Piece[] = [];
  const date: string[] = [];
  let inDate = false;
  for (let at = 0; at < value.length;) {
    const char = value.charAt(at);
    if (isBlank(char)) {
      at++;
    } else if (char === '(') {
      const end = endOfComment(value, at);
      if (end === -1) return null;
      if (!inDate) pieces.push({ kind: 'comment', raw: unfolded(value.slice(at + 1, end - 1)) });
      at = end;
    } else if (char === ';' && !inDate) {
      inDate = true;
      at++;
    } else {
      const end = endOfWord(value, at);
      if (end === -1) return null;
      const raw = value.slice(at, end);
      if (inDate) date.push(raw);
      else pieces.push({ kind: 'word', raw });
      at = end;
    }
  }
  return { pieces, date: inDate ? date.join(' ') : null };
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}

function unfolded(text: string): string {
  return text.replaceAll(/[ \t\r\n]+/g, ' ').trim();
}

/** Comments nest, and a backslash takes the next character as it is. -1 if it does not end. */
function endOfComment(value: string, start: number): number {
  let depth = 0;
  for (let at = start; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === '\\') at++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return at + 1;
  }
  return -1;
}

/**
 * A path in angle brackets and a quoted string may hold anything, and its sender has chosen it: `for <"a; by
 * b"@example.org>` is one word. A word that begins otherwise ends before a blank, a comment or a semicolon.
 * It has a character at least: a second semicolon is a word of the date, which is then none.
 */
function endOfWord(value: string, start: number): number {
  const isPath = value.charAt(start) === '<';
  let quoted = false;
  for (let at = start; at < value.length; at++) {
    const char = value.charAt(at);
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"' && (isPath || at === start)) {
      quoted = true;
    } else if (isPath) {
      if (char === '>') return at + 1;
    } else if (at > start && (isBlank(char) || char === '(' || char === ';')) {
      return at;
    }
  }
  return quoted || isPath ? -1 : value.length;
}
