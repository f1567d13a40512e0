/**
 * Finds a decision in a decision log. The file may be large: it is read line by line, and only a line with
 * the reference is parsed.
 */
import { logLines } from '../decisions/log-lines.ts';

export interface FoundRecord {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/**
 * The decision with this reference, and of several (a session can have many messages) the first that has a
 * verdict; null if there is none. Rejects with UsageError if the file, which may be compressed, cannot be
 * read.
 */
export async function findRecord(file: string, reference: string): Promise<FoundRecord | null> {
  let first: FoundRecord | null = null;
  let line = 0;
  for await (const text of logLines(file)) {
    line++;
    if (text?.includes(reference) !== true) continue;
    const record = parsed(text);
    if (record?.['reference'] !== reference) continue;
    if (record['judged'] !== null) return { text, line };
    first ??= { text, line };
  }
  return first;
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null;
  } catch {
    return null;
  }
}
