/** OpenDKIM's `miltertest` plays the MTA: an independent reading of the protocol. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';

const SCRIPTS = fileURLToPath(new URL('miltertest', import.meta.url));
const COMMON = 'common.lua';

describeWith(['miltertest', 'nsd'], 'miltertest', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server]);
  });

  afterAll(async () => {
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  const scripts = readdirSync(SCRIPTS).filter((name) => name !== COMMON);

  it.each(scripts)('%s', async (name) => {
    // miltertest runs one file: the shared part goes in front.
    const script = join(mkdtempSync(join(workdir, 'lua-')), name);
    writeFileSync(script, [COMMON, name].map((file) => readFileSync(join(SCRIPTS, file), 'utf8')).join('\n'));
    const port = program.socket.split(':').at(-1) ?? '';
    const { stderr } = await promisify(execFile)('miltertest', ['-D', `PORT=${port}`, '-s', script]);
    expect(stderr).toBe('');
  });

  it('no script is missing', () => {
    expect(scripts).toHaveLength(6);
  });
});
