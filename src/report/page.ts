/**
 * The page as one HTML text: the program that the build has made, the data that it works on, and the report
 * in plain HTML, which is there without a program too.
 */
import { asciiJson, jsonEscape } from '../log/value.ts';

/** Stand in the page that the build makes, each once, in this order; see `scripts/page.mjs`. */
export const PAGE_MARKS = ['@@CONNECT@@', '@@REPORT@@', '@@DATA@@', '@@DECISIONS@@'] as const;

export interface PageParts {
  /** HTML, escaped by whoever made it. */
  readonly report: string;
  /** Survives JSON. */
  readonly data: unknown;
  /** Of base64, one a line. */
  readonly decisions: readonly string[];
  /** It may connect to whoever serves it, and to nobody else. */
  readonly connects: boolean;
}

/** Throws an Error if the template is not one. */
export function assemblePage(template: string, { report, data, decisions, connects }: PageParts): string {
  const strange = decisions.find((each) => !/^[A-Za-z0-9+/=]*$/.test(each));
  if (strange !== undefined) throw new Error('decisions are given as base64');
  const parts = [connects ? "connect-src 'self'; " : '', report, islandText(data), decisions.join('\n')];
  const pieces = piecesOf(template);
  return pieces.map((piece, i) => `${piece}${parts[i] ?? ''}`).join('');
}

function piecesOf(template: string): string[] {
  const pieces: string[] = [];
  let rest = template;
  for (const mark of PAGE_MARKS) {
    const at = rest.indexOf(mark);
    if (at === -1) throw new Error(`the page has no ${mark}`);
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at + mark.length);
  }
  return [...pieces, rest];
}

/**
 * JSON for the inside of a `script` element: printable ASCII without `<`, so that neither `</script` nor
 * `<!--` can be in it (HTML, "Restrictions for contents of script elements").
 */
export function islandText(data: unknown): string {
  return asciiJson(data).replaceAll(/[<>&]/g, jsonEscape);
}
