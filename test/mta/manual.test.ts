/**
 * What comes with the program, as read on a user's machine: by man, by bash, and by npm's global
 * installation.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import { pack } from '../support/packed.ts';
import { ask } from './kit/ask.ts';
import { describeWith } from './kit/present.ts';
import { type Registry, startRegistry } from './kit/registry.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const run = promisify(execFile);
const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describeWith(['man'], 'man', () => {
  it('reads the page without a warning, and shows every option', async () => {
    const page = file('man/helo-milter.8');
    // A warning is a line on standard error, from groff or from man itself.
    const { stdout, stderr } = await ask('man', ['--warnings=w', '--encoding=UTF-8', '-l', page], {
      env: { MANPAGER: 'cat', MANWIDTH: '200', LC_ALL: 'C.UTF-8' },
    });
    expect(stderr).toBe('');
    const shown = stdout.replaceAll(/.\x08/g, '').replaceAll('‐\n', '-');
    for (const [key] of ROWS) expect(shown).toMatch(new RegExp(`^ +${flagOf(key)}(?: |$)`, 'm'));
    for (const heading of ['NAME', 'OPTIONS', 'CONFIGURATION FILE', 'SIGNALS', 'EXIT STATUS']) {
      expect(shown).toMatch(new RegExp(`^${heading}$`, 'm'));
    }
  });

  it('knows its name, as apropos wants it', async () => {
    const { stdout } = await ask('lexgrog', [file('man/helo-milter.8')]);
    expect(stdout).toContain('helo-milter - a HELO gate for Postfix and Sendmail');
  });
});

describeWith(['bash'], 'the completion for bash', () => {
  async function completed(...words: string[]): Promise<string[]> {
    const script = [
      `source ${file('completion/helo-milter.bash')}`,
      'COMP_WORDS=("$@")',
      'COMP_CWORD=$(($# - 1))',
      '_helo_milter',
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const { stdout, stderr } = await run('bash', ['--norc', '-uc', script, 'bash', ...words], {
      cwd: file('examples'),
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }

  it.each<[string[], string[]]>([
    [['helo-milter', '--reject'], ['--reject-at']],
    [
      ['helo-milter', '--shadow-policy', ''],
      ['rfc5321', 'emailcore', 'strict'],
    ],
    [['helo-milter', '--policy', 's'], ['strict']],
    [['helo-milter', '--policy', 'strict', '--apply-at', 'h'], ['helo']],
    [['helo-milter', 'pub'], ['publish']],
    [['helo-milter', 'publish', '--ver'], ['--verify']],
    [['helo-milter', '--observe', 'check', '--js'], ['--json']],
    [['helo-milter', 'check', '--listen'], []],
    [['helo-milter', '--config', 'helo-'], ['helo-milter.toml']],
    [['helo-milter', '--grace', ''], []],
    [
      ['helo-milter', '--weight', 'helo-spf-'],
      ['helo-spf-fail=', 'helo-spf-softfail=', 'helo-spf-permerror='],
    ],
    [
      ['helo-milter', 'check', '--weight', 'dns'],
      ['dns-share=', 'dns-temperror='],
    ],
    [['helo-milter', '--reply-template', 'helo-al'], ['helo-alias=']],
    // As bash takes them apart.
    [['helo-milter', '--weight', '=', 'helo-al'], ['helo-alias=']],
    [['helo-milter', '--policy', '=', 's'], ['strict']],
    [['helo-milter', '--weight', 'helo-alias', '='], []],
    [['helo-milter', '--weight', 'helo-alias', '=', '1'], []],
  ])('%j: %j', async (words, wanted) => {
    expect(await completed(...words)).toEqual(wanted);
  });

  it('offers every option and every command', async () => {
    const offered = await completed('helo-milter', '');
    expect(offered).toEqual(
      expect.arrayContaining(['check', 'publish', ...ROWS.map(([key]) => flagOf(key))]),
    );
  });

  it('is what bash has for the name once it is sourced', async () => {
    const { stdout } = await run('bash', [
      '--norc',
      '-c',
      `source ${file('completion/helo-milter.bash')}; complete -p helo-milter`,
    ]);
    expect(stdout).toBe('complete -F _helo_milter helo-milter\n');
  });
});

describe('npm, installing the packed program globally in an empty place', () => {
  let workdir: string;
  let registry: Registry;
  let prefix: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    registry = await startRegistry(workdir);
    prefix = join(workdir, 'prefix');
    const tarball = pack(workdir).filename;
    const place = ['--prefix', prefix, '--registry', registry.url, '--cache', join(workdir, 'cache')];
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];
    await run('npm', ['install', '--global', ...place, ...quiet, join(workdir, tarball)], { cwd: workdir });
  });

  afterAll(async () => {
    await registry.stop();
    removeWorkdir(workdir);
  });

  const program = (...args: string[]): ReturnType<typeof run> =>
    run(join(prefix, 'bin', 'helo-milter'), args, { cwd: workdir });

  it('gives a program that knows its version', async () => {
    expect((await program('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('and explains a client', async () => {
    const { stdout } = await program('check', '192.0.2.1', '[192.0.2.1]', '--dns-server', '127.0.0.1:9');
    expect(stdout).toContain('\nThe name: the address literal of 192.0.2.1\n');
  });

  it('and reads a configuration', async () => {
    const sample = join(prefix, 'lib/node_modules/helo-milter/examples/helo-milter.toml');
    expect((await program('--config', sample, '--check-config')).stdout).toContain(`ok (${sample})\n`);
  });

  it('and its manual page', () => {
    expect(existsSync(join(prefix, 'share/man/man8/helo-milter.8'))).toBe(true);
  });
});
