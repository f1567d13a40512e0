/** The inputs that were found, in files: `corpus/TARGET/…`. They are run before anything else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOfInput } from './hunt.ts';

/** `root` is the folder of this room in the checkout. */
export function corpusOf(root: string, target: string): readonly Buffer[] {
  const directory = join(root, 'corpus', target);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name)));
}

/** Writes an input, and gives its path. */
export function addToCorpus(root: string, target: string, input: Buffer): string {
  const directory = join(root, 'corpus', target);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, nameOfInput(input));
  writeFileSync(file, input);
  return file;
}
