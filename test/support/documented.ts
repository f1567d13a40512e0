/**
 * The commands that the documentation shows. A block of them (```` ```sh ````) says behind its language how
 * it is tested: not at all there, and test/documented-commands.test.ts runs it; `run by FILE`, a test, or
 * packaging/try-debian in a booted Debian, that takes it from here; or `not run: REASON`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block of a page. */
export interface Block {
  /** From the root of the project. */
  readonly page: string;
  /** Of the fence that opens it, from 1. */
  readonly line: number;
  readonly language: string;
  /** What is written behind the language. */
  readonly mark: string;
  readonly text: string;
}

/** The pages that a user reads. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(ROOT + page, 'utf8');
  const found = text.matchAll(/^( *)(`{3,})(\S*) *(.*)\n(?:([^]*?)^)?\1\2 *$/gm);
  return [...found].map(({ index, 3: language = '', 4: mark = '', 5: inside = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length,
    language,
    mark,
    text: inside,
  }));
}

/** The only block of commands on this page that contains the word. */
export function documented(page: string, word: string): string {
  const found = blocksOf(page).filter(({ language, text }) => language === 'sh' && text.includes(word));
  if (found.length !== 1) throw new Error(`${page} has ${found.length} blocks of commands with ${word}`);
  return found[0]?.text ?? '';
}
