/** A reply in the words in which a table of expectations is written. */
import type { Reply } from './smtp-client.ts';

/** The code, and the finding that the text names, if any: `550 helo-syntax`. */
export function brief({ code, text }: Reply): string {
  const id = /\[((?:helo|iprev|dns|forged)-[a-z-]+|[a-z]+-even)\]/.exec(text)?.[1];
  return id === undefined ? String(code) : `${code} ${id}`;
}
