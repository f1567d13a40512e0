/**
 * Which Authentication-Results fields of a message pretend to be ours (RFC 8601 §5): they have our
 * authserv-id and a result that nobody but us gives. What other filters on the same host wrote under the same
 * id is theirs.
 *
 * Readers differ, so a field counts as ours if any of them might take it for ours: comments, quotes, encoded
 * words and line breaks are read in every way that some reader is known to use. The work is linear in the
 * length of the field.
 */
import { domainToASCII } from 'node:url';
import type { ForgedResults } from '../policy/forged-results.ts';
import { decodings, isAsciiCompatible } from './encoded-words.ts';

/**
 * Whether a field with this value, as the MTA gives it, must be removed; `ours` is our authserv-id in its
 * canonical form, which is made once for all fields.
 */
export function pretendsToBeOurs(ours: string, value: string, which: ForgedResults = 'ours'): boolean {
  if (which === 'none') return false;
  const plain = unfolded(value);
  if (readers(plain).some((text) => looksLikeOurs(text, ours, which))) return true;
  if (!plain.includes('=?')) return false;
  if (readers(plain).some((text) => mayHideOurs(text, ours))) return true;
  if (namesUsAndHidesNothing(plain, ours)) return false;
  const [, ...decoded] = decodings(plain);
  return decoded.some((text) => readers(text).some((read) => looksLikeOurs(read, ours, which)));
}

/**
 * The text as seen by readers that know only ASCII; by readers of UTF-8 that treat Unicode blanks as blanks,
 * and `ſ` and the Kelvin sign as the letters s and k; and by readers of single bytes: A0 is a blank in
 * Latin-1, and half of `à` in UTF-8.
 */
function readers(text: string): readonly string[] {
  if (!/[\x80-\xff]/.test(text)) return [text];
  const folded = text
    .replaceAll(/\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80/g, ' ')
    .replaceAll('\xc5\xbf', 's')
    .replaceAll('\xe2\x84\xaa', 'k');
  return [...new Set([text, folded, folded.replaceAll(/[\x85\xa0]/g, ' ')])];
}

/**
 * Whether a field has our id in plain text, and encoded words only in comments, in quoted strings or glued to
 * values of its results. RFC 2047 §5 does not allow them there, and a sender may choose such text:
 * `=?utf-8?q?=3B_x-helo=3Dpass?=@sender.org` is a legal address, and what another filter on this host found
 * out about it must stay.
 */
function namesUsAndHidesNothing(text: string, ours: string): boolean {
  const parts = readers(text).flatMap((read) => [
    takeApart(read, { escapes: true }),
    takeApart(read, { escapes: false }),
  ]);
  return (
    parts.some(({ head }) => names(head, ours)) &&
    !parts.some(({ id, rest }) => id.includes('=?') || FREE_WORD.test(rest))
  );
}

/** On its own, or before a method's result. */
const FREE_WORD = /[\x00-\x20"]=\?|;[^=;]*=\?/;

/** Whether there is an encoded word, in a charset that may say anything, where our id or a method can be. */
function mayHideOurs(text: string, ours: string): boolean {
  const { head, rest } = takeApart(text, { escapes: true });
  for (const { 1: label = '', index } of head.matchAll(/=\?([^?]*)\?[bq]\?/gi)) {
    if (isAsciiCompatible(label)) continue;
    const before = head
      .slice(0, index)
      .replaceAll(/[\x00-\x20\x7f]+/g, '')
      .toLowerCase();
    if (/=\?|[\x80-\xff]/.test(before) || ours.startsWith(before) || names(head, ours)) return true;
    break;
  }
  for (const { 1: label = '' } of rest.matchAll(/(?:[\x00-\x20"]|;[^=;]*)=\?([^?]*)\?[bq]\?/gi)) {
    if (!isAsciiCompatible(label)) return true;
  }
  return false;
}

/**
 * A cheap version of the same that misses nothing and also matches some fields that are not ours: whether it
 * may name us and has the name of one of our results, or encoded words, which may contain both.
 */
export function mayPretendToBeOurs(ours: string, value: string, which: ForgedResults): boolean {
  if (which === 'none') return false;
  if (value.includes('=?')) return true;
  return readers(unfolded(value).replaceAll('\\', '')).some(
    (text) => (which === 'all' || WORD.test(text)) && mayName(text, ours),
  );
}

/** Our id but for blanks within it, or a place where it may stand in other words. */
function mayName(text: string, ours: string): boolean {
  const tight = text.replaceAll(/[\x00-\x20]+/g, '').toLowerCase();
  return tight.includes(ours) || !PLAIN_HEAD.test(text) || LINE_END.test(text);
}

/** An id that is one word of ASCII without comments and quotes, and perhaps a version. */
const PLAIN_HEAD = /^[\x00-\x20]*[^\x00-\x20"();\x7f-\xff]*(?:[\x00-\x20]+\d+)?[\x00-\x20]*(?:;|$)/;

function unfolded(value: string): string {
  return value.replaceAll(/\r?\n(?=[ \t])/g, ' ');
}

function looksLikeOurs(text: string, ours: string, which: ForgedResults): boolean {
  const idIsEnough = which === 'all';
  if (!idIsEnough && !WORD.test(text)) return false;
  // A backslash keeps a parenthesis from closing a comment (RFC 5322 §3.2.2), but not in SpamAssassin.
  const ways = text.includes('\\') ? [true, false] : [true];
  for (const escapes of ways) {
    const { head, rest } = takeApart(text, { escapes });
    if (names(head, ours) && (idIsEnough || METHOD.test(rest))) return true;
  }
  return aLineIsOurs(text, ours, which);
}

/**
 * A result of ours in the part after the id, in which comments are blanks and quoted strings a single sign.
 */
const METHOD = /;[\x00-\x20]*x-(?:helo(?:-[a-z\d-]*)?|csa)[\x00-\x20]*(?:\/[\x00-\x20]*\d+[\x00-\x20]*)?=/i;

/** Without this there is no such result. */
const WORD = /x-(?:helo|csa)/i;

/** What some reader takes as the end of a line, including U+0085, U+2028 and U+2029, here in UTF-8. */
const LINE_END = /\r\n|[\n\v\f\r\x1c-\x1e\x85]|\xe2\x80[\xa8\xa9]/;

/**
 * No folded field contains a line break, but an encoded word may: patterns that look at the beginning of each
 * line, and readers that split a decoded header, then find a field of ours within another one.
 */
function aLineIsOurs(text: string, ours: string, which: ForgedResults): boolean {
  const [, ...lines] = text.split(LINE_END);
  const first = lines.findIndex((line) =>
    names(takeApart(line.replace(/^\s*authentication-results\s*:/i, ''), { escapes: true }).head, ours),
  );
  if (first === -1) return false;
  const from = lines.slice(first).join(' ');
  return which === 'all' || METHOD.test(from) || METHOD.test(takeApart(from, { escapes: true }).rest);
}

interface Parts {
  /** The part before the first semicolon: id and version. */
  readonly head: string;
  /** The same as written, with its comments. */
  readonly id: string;
  /** The part from that semicolon on. */
  readonly rest: string;
}

const SPECIAL = /[()"\\;]/g;

/**
 * Comments, which nest, become a blank (an unclosed one reaches to the end). Quoted strings lose their quotes
 * in the head, and become a single quote in the rest. With `escapes`, a backslash in a comment escapes the
 * next character.
 */
function takeApart(text: string, { escapes }: { readonly escapes: boolean }): Parts {
  /** Whether a quote may still be closed: if one is not, no later one is. */
  let quotes = true;
  let head: string | null = null;
  let id = text;
  let plain = '';
  let depth = 0;
  let at = 0;
  SPECIAL.lastIndex = 0;
  for (let match = SPECIAL.exec(text); match !== null; match = SPECIAL.exec(text)) {
    const { index } = match;
    const [sign] = match;
    if (depth === 0) plain += text.slice(at, index);
    at = index + 1;
    if (sign === '\\') {
      if (escapes && depth > 0) at++;
    } else if (sign === '(') {
      if (depth++ === 0) plain += ' ';
    } else if (sign === ')') {
      if (depth > 0) depth--;
    } else if (depth > 0) {
      continue;
    } else if (sign === ';') {
      if (head === null) {
        head = plain;
        id = text.slice(0, index);
        plain = '';
      }
      plain += ';';
    } else {
      // A quote that is never closed is a character like any other.
      const end = quotes ? closingQuote(text, at) : -1;
      if (end === -1) quotes = false;
      else {
        plain += head === null ? text.slice(at, end).replaceAll(/\\(.)/gs, '$1') : '"';
        at = end + 1;
      }
    }
    SPECIAL.lastIndex = at;
  }
  if (depth === 0) plain += text.slice(at);
  return head === null ? { head: plain, id, rest: '' } : { head, id, rest: plain };
}

const QUOTED_END = /[^"\\]*(?:\\.[^"\\]*)*"/sy;

/** Position of the quote that ends a quoted string; -1 if there is none. */
function closingQuote(text: string, from: number): number {
  QUOTED_END.lastIndex = from;
  return QUOTED_END.test(text) ? QUOTED_END.lastIndex - 1 : -1;
}

/**
 * Whether the first word is our id, or the first few words are, without the blanks and comments between them
 * that the obsolete syntax allows around dots (RFC 5322 §4.4). What follows is a version, or nothing that
 * would help a reader.
 */
function names(head: string, ours: string): boolean {
  if (/[\x80-\xff]/.test(head) && canonicalId(wordsAroundDots(head)) === ours) return true;
  let id = '';
  for (const [word] of head.matchAll(/[^\x00-\x20\x7f]+/g)) {
    id += word;
    if (canonicalId(id) === ours) return true;
    if (!ours.startsWith(id.toLowerCase())) return false;
  }
  return false;
}

/** The first word, and those that follow with a dot between them: an id whose letters are not as in ours. */
function wordsAroundDots(head: string): string {
  let id = '';
  for (const [word] of head.matchAll(/[^\x00-\x20\x7f]+/g)) {
    if (id !== '' && !id.endsWith('.') && !word.startsWith('.')) break;
    id += word;
  }
  return id;
}

/** In lower case, without a final dot, with internationalised labels as A-labels (RFC 8616 §5). */
export function canonicalId(id: string): string {
  const bare = id.toLowerCase().replace(/\.$/, '');
  if (/^[\x00-\x7f]*$/.test(bare) || bare.length > 1000) return bare;
  return domainToASCII(Buffer.from(id, 'latin1').toString('utf8')).replace(/\.$/, '') || bare;
}
