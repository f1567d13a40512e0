/**
 * The shipped units under a real systemd; and, without one, what the program says to systemd and accepts from
 * it.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask } from './kit/ask.ts';
import { askMilter } from './kit/milter-client.ts';
import { listenForNotices, type NotifyListener } from './kit/notify-listener.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type PrivateSystemd, startSystemd, UNITS } from './kit/private-systemd.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { brief } from './kit/verdict.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { SENDER } from './scenarios.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const run = promisify(execFile);
const REFUSED = /^550 5\.7\.1 .*\[helo-not-fqdn\]/;

describeWith(['systemd-analyze'], 'the units', () => {
  const files = [
    'helo-milter.service',
    'helo-milter.socket',
    'helo-milter-report.service',
    'helo-milter-report.timer',
  ].map((name) => join(UNITS, name));

  it('are found correct by systemd-analyze verify', async () => {
    const { stdout, stderr } = await ask('systemd-analyze', ['verify', ...files]);
    expect(stdout + stderr).toBe('');
  });

  it('expose no more than docs/systemd.md states', async () => {
    const page = readFileSync(new URL('../../docs/systemd.md', import.meta.url), 'utf8');
    const stated = Number(/exposure level (\d\.\d)/.exec(page)?.[1]);
    const { stdout } = await ask('systemd-analyze', [
      'security',
      '--offline=true',
      '--no-pager',
      files[0] ?? '',
    ]);
    const measured = Number(/Overall exposure level for helo-milter\.service: (\d+\.\d)/.exec(stdout)?.[1]);
    expect(measured).toBeGreaterThan(0);
    expect(measured).toBeLessThanOrEqual(stated);
  });
});

describeWith(['own systemd', 'postfix', 'systemd-notify'], 'a real systemd', () => {
  let workdir: string;
  let systemd: PrivateSystemd;
  let postfix: Postfix;

  beforeAll(async () => {
    workdir = makeWorkdir();
    const port = await freePort();
    const path = join(workdir, 'postfix/spool/helo-milter/socket');
    postfix = await startPostfix(workdir, {
      mainCf: 'milter_default_action = tempfail',
      milters: [`inet:127.0.0.1:${port}`, 'unix:helo-milter/socket'],
      chroot: true,
    });
    systemd = await startSystemd(workdir, {
      service: 'WatchdogSec=3s\nTimeoutAbortSec=1s',
      socket: `ListenStream=\nListenStream=127.0.0.1:${port}\nListenStream=${path}\nSocketGroup=postfix`,
      config: 'contact = "call us"\n',
    });
    await systemd.run('systemctl', 'start', 'helo-milter.socket');
  });

  afterAll(async () => {
    await systemd.stop();
    await postfix.stop();
    removeWorkdir(workdir);
  });

  const show = async (property: string): Promise<string> =>
    (await systemd.run('systemctl', 'show', '--value', '-p', property, 'helo-milter.service')).trim();

  async function told(service: number): Promise<string> {
    const client = await SmtpClient.connect(postfix.ports[service] ?? 0);
    await client.become(SENDER, 'Jupiter');
    const reply = brief(await client.send());
    client.close();
    return reply;
  }

  it('starts the service at the first connection, and not before', async () => {
    expect(await show('ActiveState')).toBe('inactive');
    expect(await told(0)).toBe('550 helo-not-fqdn');
    expect(await show('ActiveState')).toBe('active');
    expect(await show('StatusText')).toMatch(
      /^listens on inet:127\.0\.0\.1:\d+, unix:\/.*\/helo-milter\/socket/,
    );
  });

  it('hands over a unix socket that a chrooted smtpd reaches', async () => {
    expect(await told(1)).toBe('550 helo-not-fqdn');
  });

  it('has it read /etc/helo-milter.toml', async () => {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0);
    await client.become(SENDER, 'Jupiter');
    expect((await client.send()).text).toContain('call us');
    client.close();
  });

  it('gives it no right it does not need', async () => {
    const status = await systemd.run('cat', `/proc/${await show('MainPID')}/status`);
    expect(status).not.toMatch(/^Uid:\t.*\b0\b/m);
    expect(status).toMatch(/^Cap(?:Prm|Eff|Bnd|Amb):\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
  });

  it('lets it write nowhere but to its own places', async () => {
    const pid = await show('MainPID');
    const status = await systemd.run('cat', `/proc/${pid}/status`);
    const [uid = '', gid = ''] = ['Uid', 'Gid'].map(
      (name) => new RegExp(`^${name}:\\t(\\d+)`, 'm').exec(status)?.[1] ?? '',
    );
    // As its user, and with what it sees of the disk.
    const search =
      'find / ( -path /proc -o -path /sys ) -prune -o -type d -writable -print 2>/dev/null; true';
    const shell = ['sh', '-c', search.replaceAll(/[()]/g, '\\$&')];
    const found = await systemd.run('nsenter', '-t', pid, '-m', '-S', uid, '-G', gid, ...shell);
    const own = /^\/(?:var\/(?:log|lib)\/private\/helo-milter|(?:var\/)?tmp)(?:\/|$)/;
    const directories = found.trim().split('\n');
    expect(directories.filter((each) => !own.test(each))).toEqual([]);
    expect(directories).toContain('/var/log/private/helo-milter');
  });

  it('bounds its memory as docs/systemd.md states', async () => {
    const page = readFileSync(new URL('../../docs/systemd.md', import.meta.url), 'utf8');
    const [, gib] = /\(`MemoryMax=(\d+)G`\)/.exec(page) ?? [];
    const [, heap = 'no heap'] = /\(`NODE_OPTIONS=(\S+)`\)/.exec(page) ?? [];
    expect(await show('MemoryMax')).toBe(String(Number(gib) * 2 ** 30));
    expect(await systemd.run('cat', `/proc/${await show('MainPID')}/environ`)).toContain(heap);
  });

  it('reloads it', async () => {
    const pid = await show('MainPID');
    await systemd.run('systemctl', 'reload', 'helo-milter.service');
    await vi.waitFor(async () => {
      expect((await systemd.journal()).some((line) => /\breloaded\b/.test(line))).toBe(true);
      expect(await show('ActiveState')).toBe('active');
    }, 10_000);
    expect(await show('MainPID')).toBe(pid);
  });

  it('has no mail deferred by a restart', async () => {
    const pid = await show('MainPID');
    const restarted = systemd.run('systemctl', 'restart', 'helo-milter.service');
    const replies = [];
    for (let i = 0; i < 10; i++) replies.push(await told(i % 2));
    await restarted;
    expect(new Set(replies)).toEqual(new Set(['550 helo-not-fqdn']));
    expect(await show('MainPID')).not.toBe(pid);
  });

  it('is given signs of life in time, and starts it again when they stop', async () => {
    const pid = await show('MainPID');
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(await show('MainPID')).toBe(pid);
    expect(await show('StatusText')).toMatch(/; 0 sessions$/);
    await systemd.run('kill', '-STOP', pid);
    await vi.waitFor(
      async () => {
        expect(await show('NRestarts')).toBe('1');
        expect(await show('ActiveState')).toBe('active');
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(await show('MainPID')).not.toBe(pid);
    expect(await told(0)).toBe('550 helo-not-fqdn');
  });

  it('stops it, and says that it was told', async () => {
    await systemd.run('systemctl', 'stop', 'helo-milter.socket', 'helo-milter.service');
    expect(await show('Result')).toBe('success');
    expect(await show('ActiveState')).toBe('inactive');
    // With another, systemd kills the process that says so, too, if it meets it.
    expect(await show('KillMode')).toBe('mixed');
  });
});

describeWith(['python3', 'systemd-notify'], 'what systemd is told', () => {
  let workdir: string;
  let listener: NotifyListener;
  let program: Program | null = null;

  beforeEach(() => {
    workdir = makeWorkdir();
  });

  afterEach(async () => {
    await program?.stop('SIGKILL');
    program = null;
    listener.stop();
    removeWorkdir(workdir);
  });

  const heard = (word: string): (readonly string[])[] =>
    listener.messages.filter(([first]) => first === word);
  const until = (check: () => void): Promise<void> => vi.waitFor(check, 10_000);

  it('is start, reload and end, in order', async () => {
    listener = await listenForNotices(workdir);
    program = await startProgram(['--grace', '2s'], { environment: { NOTIFY_SOCKET: listener.path } });
    const status = `STATUS=listens on ${program.socket}`;
    await until(() => {
      expect(listener.messages).toEqual([['READY=1', status]]);
    });
    const before = process.hrtime.bigint() / 1000n;
    program.child.kill('SIGHUP');
    await until(() => {
      expect(heard('READY=1')).toHaveLength(2);
    });
    await program.stop();
    await until(() => {
      expect(listener.messages.map(([first]) => first)).toEqual([
        'READY=1',
        'RELOADING=1',
        'READY=1',
        'STOPPING=1',
      ]);
    });
    const [, usec = ''] = listener.messages[1] ?? [];
    expect(usec).toMatch(/^MONOTONIC_USEC=\d+$/);
    const at = BigInt(usec.slice('MONOTONIC_USEC='.length));
    expect(at >= before && at < before + 10_000_000n).toBe(true);
    expect(listener.messages[3]).toContain('EXTEND_TIMEOUT_USEC=12000000');
  });

  it('is that all is well, while the sockets answer and the loop turns', async () => {
    const path = join(workdir, 'socket');
    listener = await listenForNotices(workdir);
    program = await startProgram(['--listen', `unix:${path}`], {
      environment: { NOTIFY_SOCKET: listener.path, WATCHDOG_USEC: '400000' },
    });
    await until(() => {
      expect(heard('WATCHDOG=1').length).toBeGreaterThan(3);
    });
    program.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const count = heard('WATCHDOG=1').length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(heard('WATCHDOG=1')).toHaveLength(count);
    program.child.kill('SIGCONT');
    await until(() => {
      expect(heard('WATCHDOG=1').length).toBeGreaterThan(count);
    });
    rmSync(path);
    await until(() => {
      expect(listener.messages.at(-1)).toEqual([`STATUS=no answer on unix:${path}: ENOENT`]);
    });
    expect(await program.output()).toContain('watchdog');
  });

  it('goes over a socket that systemd has opened, without another process', async () => {
    const path = join(workdir, 'socket');
    const args = [process.execPath, CLI, '--listen', `unix:${path}`];
    // No PATH: nothing could be started.
    listener = await listenForNotices(workdir, [
      '/usr/bin/env',
      'PATH=/nonexistent',
      'WATCHDOG_USEC=200000',
      ...args,
    ]);
    await until(() => {
      expect(heard('READY=1')).toEqual([['READY=1', `STATUS=listens on unix:${path}`]]);
      expect(heard('WATCHDOG=1').length).toBeGreaterThan(2);
    });
    expect(await askMilter(`unix:${path}`, 'Jupiter')).toMatch(REFUSED);
  });
});

describeWith(['systemd-socket-activate'], 'systemd-socket-activate', () => {
  let workdir: string;

  beforeAll(() => {
    workdir = makeWorkdir();
  });

  afterAll(() => {
    removeWorkdir(workdir);
  });

  it('hands over several sockets of both kinds; --listen is not asked', async () => {
    const path = join(workdir, 'socket');
    const port = await freePort();
    const port6 = await freePort('::1');
    const sockets = [`127.0.0.1:${port}`, `[::1]:${port6}`, path].flatMap((each) => ['-l', each]);
    const child = spawn(
      'systemd-socket-activate',
      [...sockets, '--fdname=one:two:three', process.execPath, CLI, '--listen', 'inet:127.0.0.1:1'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    process.once('exit', () => child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      const names = [`inet:127.0.0.1:${port}`, `inet:[::1]:${port6}`, `unix:${path}`];
      await vi.waitFor(async () => {
        expect(await askMilter(names[0] ?? '', 'Jupiter')).toMatch(REFUSED);
      }, 10_000);
      for (const name of names) expect(await askMilter(name, 'Jupiter')).toMatch(REFUSED);
      expect(output).toContain(` listens on ${names.join(', ')}\n`);
    } finally {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await gone;
    }
  });
});

describe('--listen systemd', () => {
  it('ends with 64 where nothing is handed over', async () => {
    const ended = run(process.execPath, [CLI, '--listen', 'systemd']);
    await expect(ended).rejects.toMatchObject({
      code: 64,
      stderr: expect.stringMatching(
        /^helo-milter: --listen: systemd has handed no socket over[^\n]*\n$/,
      ) as string,
    });
  });
});
