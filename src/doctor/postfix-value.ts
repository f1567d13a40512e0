/** Values of main.cf: `$name` expansion and lists, as postconf(5) has them. */

type Lookup = (name: string) => string | undefined;

/** Deeper nesting is a loop, on which Postfix exits with an error. */
const MAX_DEPTH = 20;

/**
 * Expands `$name`, `${name}`, `$(name)`, `${name?text}`, `${name:text}`, `${name?{text}:{text}}` and
 * `${{a} == {b} ? {text} : {text}}`. An unknown name is empty.
 */
export function expandParameters(text: string, lookup: Lookup, depth = 0): string {
  if (depth > MAX_DEPTH) return '';
  const again = (inner: string): string => expandParameters(inner, lookup, depth + 1);
  let out = '';
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1] ?? '';
    const closing = next === '{' ? '}' : next === '(' ? ')' : null;
    if (closing !== null) {
      const end = matching(text, dollar + 1, next, closing);
      out += conditional(text.slice(dollar + 2, end), lookup, again);
      at = end + 1;
      continue;
    }
    if (next === '$') {
      out += '$';
      at = dollar + 2;
      continue;
    }
    const name = /^\w+/.exec(text.slice(dollar + 1))?.[0] ?? '';
    out += name === '' ? '$' : again(lookup(name) ?? '');
    at = dollar + 1 + name.length;
  }
  return out;
}

/** Index of the bracket that closes the one at `start`; the end of the text if there is none. */
function matching(text: string, start: number, open: string, close: string): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === open) depth++;
    else if (text[at] === close && --depth === 0) return at;
  }
  return text.length;
}

function conditional(inner: string, lookup: Lookup, again: (text: string) => string): string {
  if (inner.trimStart().startsWith('{')) {
    const [left, afterLeft] = braced(inner.trimStart());
    const operator = /^\s*(==|!=|<=level|>=level|<level|>level|<=|>=|<|>)\s*/.exec(afterLeft);
    if (operator === null) return '';
    const [right, rest] = braced(afterLeft.slice(operator[0].length));
    return again(choose(rest.trim(), compare(again(left), operator[1] ?? '', again(right))));
  }
  const [, name = '', rest = ''] = /^\s*(\w+)\s*(.*)$/s.exec(inner) ?? [];
  const value = again(lookup(name) ?? '');
  if (rest === '') return value;
  if (rest.startsWith(':')) return value === '' ? again(unbrace(rest.slice(1))) : '';
  return again(choose(rest, value !== ''));
}

/** The text within the braces that a text starts with, trimmed as Postfix does, and what follows them. */
function braced(text: string): [inner: string, rest: string] {
  const end = matching(text, 0, '{', '}');
  return [text.slice(1, end).trim(), text.slice(end + 1)];
}

function unbrace(text: string): string {
  return text.trim().startsWith('{') ? braced(text.trim())[0] : text;
}

/** From `?yes`, `?{yes}` or `?{yes}:{no}`. */
function choose(text: string, condition: boolean): string {
  const yes = text.replace(/^\?\s*/, '');
  if (!yes.startsWith('{')) return condition ? yes : '';
  const [first, rest] = braced(yes);
  if (condition) return first;
  const no = /^\s*:\s*(.*)$/s.exec(rest)?.[1];
  return no === undefined ? '' : unbrace(no);
}

function compare(left: string, operator: string, right: string): boolean {
  const sign = operator.endsWith('level')
    ? compareLevels(left, right)
    : /^\d+$/.test(left) && /^\d+$/.test(right)
      ? Number(left) - Number(right)
      : left.localeCompare(right, 'en');
  switch (operator.replace('level', '')) {
    case '==':
      return sign === 0;
    case '!=':
      return sign !== 0;
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
    case '>':
      return sign > 0;
    default:
      return sign >= 0;
  }
}

/** Compares versions such as `3.6` and `3.11` number by number; negative if the first is earlier. */
export function compareLevels(left: string, right: string): number {
  const numbers = (text: string): number[] => text.split('.').map((part) => parseInt(part, 10) || 0);
  const [a, b] = [numbers(left), numbers(right)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Splits at commas and blanks; what is in braces stays one item, with its braces. */
export function splitList(text: string, separators = /[,\s]/): string[] {
  const items: string[] = [];
  let item = '';
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (letter === '{' && item === '') {
      const end = matching(text, at, '{', '}');
      items.push(text.slice(at, end + 1));
      at = end;
    } else if (letter === '{') {
      const end = matching(text, at, '{', '}');
      item += text.slice(at, end + 1);
      at = end;
    } else if (separators.test(letter)) {
      if (item !== '') items.push(item);
      item = '';
    } else item += letter;
  }
  return item === '' ? items : [...items, item];
}

/** The text of an item without the braces around it. */
export function withoutBraces(item: string): string {
  return item.startsWith('{') ? braced(item)[0] : item;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A time such as `30s` or `30`, in milliseconds, seconds being the unit of the milter settings; null if it is
 * none.
 */
export function timeMs(text: string): number | null {
  const [, digits, unit = 's'] = /^(\d+)([smhdw])?$/.exec(text.trim()) ?? [];
  return digits === undefined ? null : Number(digits) * (UNITS_MS[unit] ?? 1000);
}
