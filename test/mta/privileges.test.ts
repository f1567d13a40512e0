/**
 * Started by root and by nobody, beside a Postfix with a chrooted smtpd as on Debian: who owns what, and who
 * may what.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { install, type Installed } from './kit/installed.ts';
import { documented } from '../support/documented.ts';
import { askMilter } from './kit/milter-client.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith, PARTS } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { brief } from './kit/verdict.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { SENDER } from './scenarios.ts';

const NOBODY = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--'];

/** With Debian's own Node no process can change its user: there the Node project's build is used. */
function changesUsers(): boolean {
  try {
    process.setegid?.(process.getegid?.() ?? 0);
    return true;
  } catch {
    return false;
  }
}

describeWith(['postfix', 'setpriv', 'node-20.19.2'], 'privileges', () => {
  let workdir: string;
  let postfix: Postfix;
  let path: string;
  let installed: Installed;
  let ids: Readonly<Record<'nobody' | 'nogroup' | 'postfix', number>>;
  const programs: Program[] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    installed = install(join(workdir, 'installed'));
    if (!changesUsers()) installed = { ...installed, node: join(PARTS, 'node-20.19.2/bin/node') };
    const id = async (...words: string[]): Promise<number> =>
      Number((await promisify(execFile)('id', words)).stdout);
    ids = {
      nobody: await id('-u', 'nobody'),
      nogroup: await id('-g', 'nobody'),
      postfix: await id('-g', 'postfix'),
    };
    postfix = await startPostfix(workdir, {
      mainCf: 'milter_default_action = tempfail',
      milters: ['unix:helo-milter/socket'],
      chroot: true,
    });
    path = join(postfix.spool, 'helo-milter/socket');
    mkdirSync(join(postfix.spool, 'helo-milter'));
  });

  afterAll(async () => {
    for (const program of programs) await program.stop('SIGKILL');
    await postfix.stop();
    removeWorkdir(workdir);
  });

  async function start(...parameters: Parameters<typeof startProgram>): Promise<Program> {
    const [args, options] = parameters;
    const program = await startProgram(args, { installed, ...options });
    programs.push(program);
    return program;
  }

  async function told(): Promise<string> {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0);
    await client.become(SENDER, 'Jupiter');
    const reply = brief(await client.send());
    client.close();
    return reply;
  }

  const ownership = (file: string): { uid: number; gid: number; mode: string } => {
    const { uid, gid, mode } = statSync(file);
    return { uid, gid, mode: (mode & 0o777).toString(8) };
  };

  it('root becomes the user, in all threads and for good, and leaves socket and pid file as asked', async () => {
    const pidFile = join(workdir, 'run/pid');
    mkdirSync(join(workdir, 'run'));
    const program = await start([
      ...['--listen', `unix:${path}`, '--socket-group', 'postfix', '--socket-mode', '0620'],
      ...['--user', 'nobody', '--pid-file', pidFile],
    ]);
    const pid = String(program.child.pid);
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      const all = (value: number): string => Array(4).fill(value).join('\t');
      expect(status).toContain(`\nUid:\t${all(ids.nobody)}\n`);
      expect(status).toContain(`\nGid:\t${all(ids.nogroup)}\n`);
      expect(/^Groups:\t(.*?) *$/m.exec(status)?.[1]).toBe(String(ids.nogroup));
      expect(status).toMatch(/^CapPrm:\t0+$/m);
    }
    expect(ownership(path)).toEqual({ uid: ids.nobody, gid: ids.postfix, mode: '620' });
    // Root owns it, so that the user cannot name another process to those who trust the file.
    expect(ownership(pidFile)).toEqual({ uid: 0, gid: 0, mode: '644' });
    expect(readFileSync(pidFile, 'utf8')).toBe(`${pid}\n`);
    expect(await program.output()).not.toContain('warning root ');
    expect(await told()).toBe('550 helo-not-fqdn');
    expect(await program.stop()).toBe(0);
    // The user owns neither directory; the next start finds both files left behind.
    const next = await start([
      '--listen',
      `unix:${path}`,
      '--socket-group',
      'postfix',
      '--pid-file',
      pidFile,
    ]);
    expect(readFileSync(pidFile, 'utf8')).toBe(`${next.child.pid ?? 0}\n`);
    expect(await next.output()).toContain('warning root ');
    expect(await told()).toBe('550 helo-not-fqdn');
    await next.stop();
    expect(existsSync(pidFile)).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  it('is that user already when it first reaches for the store', async () => {
    const closed = join(workdir, 'root-only');
    mkdirSync(closed, { mode: 0o700 });
    const store = ['--store', `unix:${join(closed, 'redis.sock')}`];
    const program = await start(['--listen', `unix:${path}`, '--user', 'nobody', ...store]);
    await vi.waitFor(async () => {
      // Root would be told that there is no such file.
      expect(await program.output()).toMatch(/ store-outage .*EACCES/);
    });
    await program.stop();
  });

  it('--group is the group of process and socket', async () => {
    const program = await start(['--listen', `unix:${path}`, '--user', 'nobody', '--group', 'postfix']);
    const status = readFileSync(`/proc/${program.child.pid ?? 0}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Gid:\\t${ids.postfix}\\t${ids.postfix}\\t`, 'm'));
    expect(ownership(path)).toEqual({ uid: ids.nobody, gid: ids.postfix, mode: '660' });
    expect(await told()).toBe('550 helo-not-fqdn');
    await program.stop();
  });

  const checking = async (args: readonly string[]): Promise<string> => {
    const words = [installed.cli, '--check-config', '--user', 'nobody', ...args];
    const asked = promisify(execFile)(installed.node, words);
    return asked.then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        const { code, stderr } = error as { readonly code: number; readonly stderr: string };
        return `${code} ${stderr}`;
      },
    );
  };

  it('--check-config finds what only root could read, and where only root could write', async () => {
    const [access, log] = [join(workdir, 'access'), join(workdir, 'closed/log')];
    writeFileSync(access, '');
    mkdirSync(join(workdir, 'closed'));
    expect(await checking(['--access', access])).toMatch(/^ok /);
    chmodSync(access, 0o600);
    expect(await checking(['--access', access])).toMatch(
      /^78 helo-milter: --access: EACCES: .* \(as user "nobody", which needs access to it\)\n$/,
    );
    expect(await checking(['--decision-log', log])).toMatch(/^78 helo-milter: --decision-log: EACCES: /);
    chmodSync(join(workdir, 'closed'), 0o777);
    expect(await checking(['--decision-log', log])).toMatch(/^ok /);
    expect(existsSync(log)).toBe(false);
    writeFileSync(log, '');
    expect(await checking(['--decision-log', log])).toMatch(/^78 helo-milter: --decision-log: EACCES: /);
  });

  it('a killed one is replaced at its socket, and Postfix goes on', async () => {
    const args = ['--listen', `unix:${path}`, '--socket-group', 'postfix'];
    const first = await start(args);
    expect(await told()).toBe('550 helo-not-fqdn');
    await first.stop('SIGKILL');
    expect(statSync(path).isSocket()).toBe(true);
    expect(await told()).toBe('451');
    const second = await start(args);
    expect(await told()).toBe('550 helo-not-fqdn');
    await expect(startProgram(args)).rejects.toThrow(
      /ended with 64: helo-milter: --listen: .* another program answers there/,
    );
    expect(await told()).toBe('550 helo-not-fqdn');
    await second.stop();
  });

  it('by setpriv, as docs/systemd.md has it, it serves a chrooted smtpd', async () => {
    const [directory = '', words = ''] = documented('docs/systemd.md', 'install -d -o nobody').split('\n');
    const ours = (text: string): string[] => text.replaceAll('/var/spool/postfix', postfix.spool).split(' ');
    const [make = '', ...where] = ours(directory);
    await promisify(execFile)(make, where);
    const [, wrapper = '', args = ''] = /^(.*) helo-milter (.*)$/.exec(words) ?? [];
    const program = await start(ours(args), { wrapper: ours(wrapper), installed });
    expect(ownership(path)).toEqual({ uid: ids.nobody, gid: ids.postfix, mode: '660' });
    expect(await told()).toBe('550 helo-not-fqdn');
    await program.stop();
  });

  it('nobody needs nothing of root', async () => {
    const own = join(workdir, 'own');
    mkdirSync(own);
    chownSync(own, ids.nobody, ids.nogroup);
    const [socket, pidFile] = [`unix:${join(own, 'socket')}`, join(own, 'pid')];
    // Left by a process that was killed; its number is now another's.
    writeFileSync(pidFile, `${process.pid}\n`);
    chmodSync(pidFile, 0o644);
    const args = ['--listen', socket, '--pid-file', pidFile, '--user', 'nobody'];
    const program = await start(args, { wrapper: NOBODY, installed });
    expect(await askMilter(socket, 'Jupiter')).toMatch(/^550 .*\[helo-not-fqdn\]/);
    expect(ownership(join(own, 'socket'))).toEqual({ uid: ids.nobody, gid: ids.nogroup, mode: '660' });
    await expect(startProgram(['--pid-file', pidFile], { installed })).rejects.toThrow(
      `--pid-file: ${pidFile} belongs to a helo-milter that runs as process ${program.child.pid ?? 0}`,
    );
    expect(await program.stop()).toBe(0);
    expect(readdirSync(own)).toEqual([]);
  });

  it.each([
    [['--user', 'postfix'], /--user: only root can become "postfix"; start as root, or leave it out/],
    [['--socket-group', 'postfix'], /--listen: cannot listen on unix:\S+: .*EPERM/],
    [['--pid-file', '/no/where'], /--pid-file: there is no directory \/no$/m],
  ])('nobody with %j ends with 64 and one sentence, and leaves nothing', async (args, wanted) => {
    const own = join(workdir, `refused-${args.length}-${args[0]?.slice(2) ?? ''}`);
    mkdirSync(own);
    chownSync(own, ids.nobody, ids.nogroup);
    const socket = `unix:${join(own, 'socket')}`;
    const ended = startProgram(['--listen', socket, ...args], { wrapper: NOBODY, installed });
    await expect(ended).rejects.toThrow(/^helo-milter ended with 64: helo-milter: [^\n]+\n$/);
    await expect(ended).rejects.toThrow(wanted);
    expect(readdirSync(own)).toEqual([]);
  });
});
