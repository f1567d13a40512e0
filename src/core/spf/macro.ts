/**
 * Macros of RFC 7208 §7: macro-strings are parsed to parts when the record is read, and expanded when a term
 * is reached. `c`, `r` and `t` are for explanations only (§7.2).
 */

/** Macro letters of RFC 7208 §7.2. */
export type MacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'v' | 'c' | 'r' | 't';

export interface Macro {
  readonly letter: MacroLetter;
  /** Written in upper case: the value is URL-escaped (§7.3). */
  readonly escaped: boolean;
  /** How many right-hand parts to keep; null keeps all. */
  readonly keep: number | null;
  readonly reverse: boolean;
  /** The characters that split the value; `.` when none is given. */
  readonly delimiters: string;
}

/** A literal text or a macro. */
export type MacroPart = string | Macro;

/** A macro-string that names a domain, with the text it was read from. */
export interface DomainSpec {
  readonly text: string;
  readonly parts: readonly MacroPart[];
}

export type MacroValues = Readonly<Record<MacroLetter, string>>;

/** Where a macro-string stands: `c r t` and spaces are only allowed in explanations (§7.1, §7.2). */
export type MacroContext = 'domain' | 'modifier' | 'explanation';

const TOKEN = /%\{([slodiphcrtv])(\d*)(r?)([-.+,/_=]*)\}|%([%_-])|([\x20-\x24\x26-\x7e]+)/iy;

/** §7.1: not all digits, no hyphen at either end; a dot before it, and perhaps one after it. */
const DOMAIN_END = /\.(?!\d+\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?$/i;

const ESCAPES: Readonly<Record<string, string>> = { '%': '%', _: ' ', '-': '%20' };

/** Reads a macro-string (§7.1); null when the syntax is wrong. */
export function parseMacroString(text: string, context: MacroContext): MacroPart[] | null {
  return tokenise(text, context)?.parts ?? null;
}

/**
 * Reads a domain-spec (§7.1): a macro-string that ends in a toplabel or in a macro; null when it is not one.
 */
export function parseDomainSpec(text: string): DomainSpec | null {
  const tokens = tokenise(text, 'domain');
  if (tokens === null || tokens.parts.length === 0) return null;
  return tokens.endsInMacro || DOMAIN_END.test(text) ? { text, parts: tokens.parts } : null;
}

function tokenise(text: string, context: MacroContext): { parts: MacroPart[]; endsInMacro: boolean } | null {
  if (context !== 'explanation' && text.includes(' ')) return null;
  const parts: MacroPart[] = [];
  let endsInMacro = false;
  const token = new RegExp(TOKEN);
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return null;
    const [, letter, digits, reverse, delimiters, escape, literal] = match;
    endsInMacro = literal === undefined;
    if (literal !== undefined) parts.push(literal);
    else if (escape !== undefined) parts.push(ESCAPES[escape] ?? '');
    else {
      const lower = (letter ?? '').toLowerCase() as MacroLetter;
      if (context === 'domain' && 'crt'.includes(lower)) return null;
      const keep = digits === undefined || digits === '' ? null : Number(digits);
      if (keep === 0) return null;
      parts.push({
        letter: lower,
        escaped: lower !== letter,
        keep,
        reverse: reverse !== undefined && reverse !== '',
        delimiters: delimiters === undefined || delimiters === '' ? '.' : delimiters,
      });
    }
  }
  return { parts, endsInMacro };
}

/** Expands parts to text (§7.3); expansion ends once `most` characters are there. */
export function expand(parts: readonly MacroPart[], values: MacroValues, most = Infinity): string {
  let text = '';
  for (const part of parts) {
    if (text.length >= most) break;
    text += expandPart(part, values);
  }
  return text;
}

/**
 * Expands a domain-spec to the name to ask for (§7.3): one trailing dot goes, and so do labels on the left
 * until no more than 253 characters are left. Hence the work is done from the right, and only as far as it
 * matters.
 */
export function expandTarget({ parts }: DomainSpec, values: MacroValues): string {
  let text = '';
  for (let i = parts.length - 1; i >= 0 && text.length <= 255; i--) {
    text = expandPart(parts[i] ?? '', values) + text;
  }
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length <= 253) return name;
  const dot = name.indexOf('.', name.length - 254);
  return dot === -1 ? name : name.slice(dot + 1);
}

function expandPart(part: MacroPart, values: MacroValues): string {
  return typeof part === 'string' ? part : transform(part, values[part.letter]);
}

function transform({ keep, reverse, delimiters, escaped }: Macro, value: string): string {
  let pieces = [value];
  for (const delimiter of new Set(delimiters)) pieces = pieces.flatMap((piece) => piece.split(delimiter));
  if (reverse) pieces.reverse();
  if (keep !== null) pieces = pieces.slice(-keep);
  const text = pieces.join('.');
  return escaped ? urlEscape(text) : text;
}

/** §7.3: everything but the unreserved characters of RFC 3986, octet by octet. */
function urlEscape(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~]/g, (character) =>
    [...new TextEncoder().encode(character)]
      .map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** Whether any of the letters occurs. */
export function usesMacro(parts: readonly MacroPart[], letters: string): boolean {
  return parts.some((part) => typeof part !== 'string' && letters.includes(part.letter));
}
