/**
 * Which real software this machine has. A suite whose software is missing says so loudly; with CI=true that
 * is a failure, since there everything has been installed.
 */
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

/** Where `.ci/parts` puts what cannot be installed. */
export const PARTS = fileURLToPath(new URL('../../../.parts', import.meta.url));

const BUILT = [
  'sendmail',
  'pf-milter',
  'milter-check',
  'node-12.22.12',
  'node-18.19.0',
  'node-20.19.2',
] as const;

/**
 * Programs of the system, what `.ci/parts` makes, a library of the system's Python, and
 * `test/mta/own-network`.
 */
export type Part =
  | 'postfix'
  | 'nsd'
  | 'chromium'
  | 'unbound'
  | 'ldns-signzone'
  | 'miltertest'
  | 'openssl'
  | 'redis-server'
  | 'spamassassin'
  | 'sieve-test'
  | 'rspamadm'
  | 'rspamd'
  | 'opendkim'
  | 'opendmarc'
  | 'policyd-spf'
  | 'nginx'
  | 'haproxy'
  | 'spfquery.libspf2'
  | 'fail2ban-regex'
  | 'promtool'
  | 'man'
  | 'jq'
  | 'bash'
  | 'systemd-analyze'
  | 'systemd-notify'
  | 'systemd-socket-activate'
  | 'setpriv'
  | 'dpkg-deb'
  | 'shellcheck'
  | 'unshare'
  | 'python3'
  | 'own systemd'
  | (typeof BUILT)[number]
  | 'python3-authres'
  | 'python3-spf'
  | 'libmail-spf-perl'
  | 'python3-systemd'
  | 'own network';

function has(part: Part): boolean {
  if (part === 'own network') {
    return (networkInterfaces()['lo'] ?? []).some(({ address }) => address.startsWith('2001:db8:'));
  }
  // As process 1 of a namespace; only trying shows whether one may be made.
  if (part === 'own systemd') return existsSync('/lib/systemd/systemd') && installed('unshare');
  if (part === 'python3-authres') return existsSync('/usr/lib/python3/dist-packages/authres');
  if (part === 'python3-spf') return existsSync('/usr/lib/python3/dist-packages/spf.py');
  if (part === 'libmail-spf-perl') return existsSync('/usr/share/perl5/Mail/SPF.pm');
  if (part === 'python3-systemd') return existsSync('/usr/lib/python3/dist-packages/systemd');
  return BUILT.some((each) => each === part) ? existsSync(join(PARTS, part)) : installed(part);
}

function installed(program: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => existsSync(join(directory, program)));
}

/** Servers of the system must be started by root. */
function missing(parts: readonly Part[]): string[] {
  const absent: string[] = parts.filter((part) => !has(part));
  return process.getuid?.() === 0 ? absent : [...absent, 'root'];
}

/** `describe` for a suite that needs this software. */
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
