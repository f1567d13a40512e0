/** Files that options name. */
import { readFile } from 'node:fs/promises';
import { describeError, OptionError } from '../errors.ts';

/** The text of the file that an option names. Rejects with OptionError, which names the option as well. */
export async function namedFile(flag: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new OptionError(flag, describeError(error));
  });
}
