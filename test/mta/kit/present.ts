/**
 * Which real parts this machine has. A suite whose part is missing says so loudly; with CI=true that is a failure,
 * since there everything has been installed.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

const PROGRAMS = {
  postfix: 'postfix',
  nsd: 'nsd',
  miltertest: 'miltertest',
  openssl: 'openssl',
} as const;
export type Part = keyof typeof PROGRAMS;

function find(program: string): string | null {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, program)).find((path) => existsSync(path)) ?? null;
}

/** Servers of the system must be started by root. */
function missing(parts: readonly Part[]): string[] {
  const absent: string[] = parts.filter((part) => find(PROGRAMS[part]) === null);
  return process.getuid?.() === 0 ? absent : [...absent, 'root'];
}

/** `describe` for a suite that needs these parts. */
export function describeWith(parts: readonly Part[], title: string, suite: () => void): void {
  const absent = missing(parts);
  if (absent.length === 0) {
    describe(title, suite);
    return;
  }
  const notice = `${title}: SKIPPED, this machine lacks ${absent.join(', ')}`;
  if (process.env['CI'] === 'true') {
    it(notice, () => {
      throw new Error(`${notice}; with CI=true nothing may be skipped`);
    });
    return;
  }
  process.stderr.write(`\n*** ${notice} ***\n\n`);
  describe.skip(notice, suite);
}
