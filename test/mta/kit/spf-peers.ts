/**
 * Other implementations of SPF, each asked about many clients at once by a small program in its own language.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Question {
  readonly ip: string;
  readonly sender: string;
  /** The domain of the sender, and the name given in HELO. */
  readonly domain: string;
}

/** The resolver that they ask, on 127.0.0.1; libspf2 can only find one at port 53. */
export const PORT = 53;

/** What to run for each; mailauth comes from npm and needs the directory it was installed in. */
function command(peer: string, workdir: string): readonly [string, ...string[]] {
  const script = (name: string): string => fileURLToPath(new URL(`../spf-peers/${name}`, import.meta.url));
  switch (peer) {
    case 'pyspf':
      return ['/usr/bin/python3', script('pyspf.py'), String(PORT)];
    case 'Mail::SPF':
      return ['/usr/bin/perl', script('mail-spf.pl'), String(PORT)];
    case 'libspf2': {
      const file = join(workdir, 'resolv.conf');
      writeFileSync(file, 'nameserver 127.0.0.1\n');
      return ['unshare', '--mount', 'sh', script('libspf2.sh'), file];
    }
    default:
      return [process.execPath, script('mailauth.mjs'), String(PORT), process.env['MAILAUTH'] ?? ''];
  }
}

/** The result of each question, in the words of RFC 7208, or in the peer's own if it has no result. */
export function askPeer(peer: string, questions: readonly Question[], workdir: string): string[] {
  const [program, ...args] = command(peer, workdir);
  const input = questions.map(({ ip, sender, domain }) => `${ip}\t${sender}\t${domain}\n`).join('');
  const { stdout, stderr, status } = spawnSync(program, args, { input, encoding: 'utf8' });
  const results = stdout.trimEnd().split('\n');
  if (status !== 0 || results.length !== questions.length) {
    throw new Error(`${peer} gave ${results.length} results for ${questions.length} questions: ${stderr}`);
  }
  return results;
}
