/** What Postfix can do, and since which version. */
import { compareLevels } from './postfix-value.ts';

/**
 * In each line, the first release whose `milter_default_action` knows `shutdown`, which is also its built-in
 * default there: 421 and the end of the connection while a milter is down. Later lines have it from the
 * beginning.
 */
const SHUTDOWN_SINCE: readonly string[] = ['3.7.20', '3.8.15', '3.9.9', '3.10.8', '3.11'];

/** These versions, as part of a sentence. */
export const SHUTDOWN_VERSIONS = '3.11, 3.10.8, 3.9.9, 3.8.15 or 3.7.20';

/** Null if the version is not known. */
export function knowsShutdown(version: string | null): boolean | null {
  if (version === null) return null;
  const line = (text: string): string => text.split('.').slice(0, 2).join('.');
  const since = SHUTDOWN_SINCE.find((each) => compareLevels(line(each), line(version)) === 0);
  return since === undefined
    ? compareLevels(version, SHUTDOWN_SINCE.at(-1) ?? '') > 0
    : compareLevels(version, since) >= 0;
}
