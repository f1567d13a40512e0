/** The regulars as text, a line each, so that they outlive a restart and a person can read them. */
import { parsePrefix } from '../core/ip.ts';
import type { Acquaintance } from './regulars.ts';

const FORMAT = 'helo-milter-regulars';
const VERSION = 1;

/** JSON lines: a head that says how many follow, then an array each. */
export function regularsText(known: readonly Acquaintance[]): string {
  const head = JSON.stringify({ format: FORMAT, version: VERSION, entries: known.length });
  const lines = known.map(({ client, helo, messages, days, firstDay, lastDay }) =>
    JSON.stringify([client, helo, messages, days, firstDay, lastDay]),
  );
  return `${[head, ...lines].join('\n')}\n`;
}

export type ReadRegulars =
  | { readonly known: readonly Acquaintance[] }
  /** `ours` is false for a file that was never one of regulars, and is not to be overwritten. */
  | { readonly fault: string; readonly ours: boolean };

/** Reads such a text back; what is wrong with it, if it is none, or not whole. Total. */
export function parseRegulars(text: string): ReadRegulars {
  const [first = '', ...lines] = text.split('\n');
  const head = parsed(first);
  if (!isRecord(head) || head['format'] !== FORMAT)
    return { fault: 'it is no file of regulars', ours: false };
  if (head['version'] !== VERSION) return { fault: 'it is of another version', ours: false };
  // The last line ends too.
  const [count, end] = [lines.length - 1, lines.at(-1)];
  if (end !== '' || count !== head['entries']) {
    return { fault: `it has ${Math.max(0, count)} of ${String(head['entries'])} entries`, ours: true };
  }
  const known: Acquaintance[] = [];
  for (const [i, line] of lines.slice(0, -1).entries()) {
    const entry = entryOf(parsed(line));
    if (entry === null) return { fault: `line ${i + 2} is no entry`, ours: true };
    known.push(entry);
  }
  return { known };
}

function entryOf(value: unknown): Acquaintance | null {
  if (!Array.isArray(value) || value.length !== 6) return null;
  const [client, helo, ...numbers] = value as unknown[];
  if (typeof client !== 'string' || parsePrefix(client) === null || typeof helo !== 'string') return null;
  if (!numbers.every((each): each is number => Number.isSafeInteger(each) && Number(each) >= 0)) return null;
  const [messages = 0, days = 0, firstDay = 0, lastDay = 0] = numbers;
  return messages < days || lastDay < firstDay ? null : { client, helo, messages, days, firstDay, lastDay };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
