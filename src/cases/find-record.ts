/**
 * Finds a decision in a decision log. The file may be large: it is read line by line, and only a line with
 * the reference is parsed.
 */
import { open } from 'node:fs/promises';

export interface FoundRecord {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/**
 * The decision with this reference, and of several (a session can have many messages) the first that has a
 * verdict; null if there is none. Rejects if the file cannot be read.
 */
export async function findRecord(file: string, reference: string): Promise<FoundRecord | null> {
  const handle = await open(file);
  let first: FoundRecord | null = null;
  let line = 0;
  try {
    for await (const text of handle.readLines()) {
      line++;
      if (!text.includes(reference)) continue;
      const record = parsed(text);
      if (record?.['reference'] !== reference) continue;
      if (record['judged'] !== null) return { text, line };
      first ??= { text, line };
    }
  } finally {
    await handle.close();
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
