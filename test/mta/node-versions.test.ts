/** The program on other versions of Node: if one is too old it says so; on Debian 13's it serves. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { askMilter } from './kit/milter-client.ts';
import { install } from './kit/installed.ts';
import { describeWith, PARTS } from './kit/present.ts';
import { startProgram } from './kit/program.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const cli = new URL('../../dist/cli.js', import.meta.url).pathname;
const nodeOf = (part: string): string => join(PARTS, part, 'bin/node');

describeWith(['node-12.22.12', 'node-18.19.0'], 'the Node of Debian 11 and that of Debian 12', () => {
  it.each(['12.22.12', '18.19.0'])(
    '%s: one sentence and exit code 78, whatever is asked',
    async (version) => {
      for (const args of [[], ['--version'], ['--help'], ['check', '192.0.2.1', 'x.test'], ['--no-such']]) {
        await expect(promisify(execFile)(nodeOf(`node-${version}`), [cli, ...args])).rejects.toMatchObject({
          code: 78,
          stdout: '',
          stderr: `helo-milter: it needs Node 20.19+, 22.13+, or 24 and later, and this is v${version}; README.md says where to get one\n`,
        });
      }
    },
  );
});

describeWith(['node-20.19.2'], 'the version of Debian 13', () => {
  const node = nodeOf('node-20.19.2');

  it('serves, and becomes nobody', async () => {
    const workdir = makeWorkdir();
    const { cli: readable } = install(join(workdir, 'installed'));
    const program = await startProgram(['--user', 'nobody'], { installed: { node, cli: readable } });
    expect(await askMilter(program.socket, 'Jupiter')).toMatch(/^550 .*\[helo-not-fqdn\]/);
    // This one was not built by Debian.
    expect(await program.output()).toContain(
      'warning node detail="Node 20 has had no security fixes since 2026-04-30',
    );
    expect(await program.stop()).toBe(0);
    removeWorkdir(workdir);
  });

  it.each([[['--check-config'], 78] as const, [['--listen', 'inet:127.0.0.1:0'], 64] as const])(
    'says what to do where it cannot become nobody: %j',
    async (args, code) => {
      const env = { ...process.env, UV_USE_IO_URING: '1' };
      await expect(
        promisify(execFile)(node, [cli, '--user', 'nobody', ...args], { env }),
      ).rejects.toMatchObject({
        code,
        stderr:
          'helo-milter: --user: cannot become "nobody": Node does not allow it while UV_USE_IO_URING is set; unset it\n',
      });
    },
  );
});
