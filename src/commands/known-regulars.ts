/** The regulars as the service keeps them in its file, for the commands of the terminal. */
import type { Config } from '../config/config.ts';
import type { IpAddress } from '../core/ip.ts';
import { describeError, FileError, OptionError } from '../errors.ts';
import { type Acquaintance, Regulars } from '../state/regulars.ts';
import { parseRegulars } from '../state/regulars-text.ts';
import { namedFile } from '../system/named-file.ts';

/** Those in the file, in its order. Rejects with UsageError if it cannot be read. */
export async function readRegulars(file: string): Promise<readonly Acquaintance[]> {
  const text = await namedFile('--regulars-file', file);
  const found = parseRegulars(text);
  if ('fault' in found) throw new FileError(`${file}: ${found.fault}`);
  return found.known;
}

export interface RegularHere {
  readonly regular: boolean;
  /** Why that is not known; null where it is. */
  readonly fault: string | null;
}

/**
 * Whether the service knows the client under this name by its mail. A file that is not there yet knows
 * nobody.
 */
export async function regularHere(
  { regulars: limit, regularsFile: file, regularsNetwork }: Config,
  ip: IpAddress | null,
  helo: string,
): Promise<RegularHere> {
  if (limit === null || file === null) return { regular: false, fault: null };
  try {
    const known = new Regulars(
      () => limit,
      () => regularsNetwork,
      () => Date.now(),
    );
    known.restore(await readRegulars(file));
    return { regular: known.has(ip, helo), fault: null };
  } catch (error) {
    const isNew = error instanceof OptionError && /\bENOENT\b/.test(error.message);
    return { regular: false, fault: isNew ? null : describeError(error) };
  }
}
