/**
 * docs/systemd.md followed literally, under a real systemd: its commands, and the mistakes that an operator
 * makes between them.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { blocksOf, documented } from '../support/documented.ts';
import { askMilter } from './kit/milter-client.ts';
import { describeWith } from './kit/present.ts';
import { INSTALLED_UNITS, type PrivateSystemd, startSystemd } from './kit/private-systemd.ts';
import { startRedis } from './kit/redis.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';

vi.setConfig({ testTimeout: 180_000 });

const REFUSED = /^550 5\.7\.1 .*\[helo-not-fqdn\]/;
const CONFIG = '/etc/helo-milter.toml';
const TYPO = 'reject-att = 3\n';
const FAULT = /toml:1:1: there is no option "reject-att"; did you mean reject-at\?/;

/** The block of settings that contains the word. */
function settings(word: string): string {
  const found = blocksOf('docs/systemd.md').filter(
    ({ language, text }) => language === 'ini' && text.includes(word),
  );
  expect(found, `blocks with ${word}`).toHaveLength(1);
  return found[0]?.text ?? '';
}

describeWith(['own systemd', 'systemd-notify', 'redis-server'], 'docs/systemd.md', () => {
  let workdir: string;
  let systemd: PrivateSystemd;
  let tcp: string;
  let unix: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    tcp = `inet:127.0.0.1:${await freePort()}`;
    unix = `unix:${join(workdir, 'sockets/milter')}`;
    systemd = await startSystemd(workdir, {
      service: '',
      socket: `ListenStream=\nListenStream=${tcp.slice('inet:'.length)}`,
      config: null,
    });
  });

  afterAll(async () => {
    await systemd.stop();
    removeWorkdir(workdir);
  });

  const sh = (commands: string): Promise<string> => systemd.run('sh', '-e', '-c', commands);
  const configure = (text: string): void => {
    systemd.write(CONFIG, text);
  };
  const show = async (property: string, unit = 'helo-milter.service'): Promise<string> =>
    (await systemd.run('systemctl', 'show', '--value', '-p', property, unit)).trim();
  const until = (check: () => Promise<void>): Promise<void> =>
    vi.waitFor(check, { timeout: 120_000, interval: 200 });
  /**
   * systemd 257 now and then kills the process in which it opens the sockets ("Failed to receive listening
   * socket"), and the job fails. The service, which gets no socket then, asks for it again.
   */
  const mostly = async (script: string): Promise<void> => {
    await sh(script).catch((error: unknown) => {
      expect(String(error)).toContain('Job failed');
    });
  };
  const states = async (): Promise<string[]> => [
    await show('ActiveState'),
    await show('ActiveState', 'helo-milter.socket'),
  ];
  const serving = (): Promise<void> =>
    until(async () => {
      expect(await states()).toEqual(['active', 'active']);
    });
  const journal = async (): Promise<string> => (await systemd.journal()).join('\n');
  /** Waits until the service has failed more often than systemd's default limits would allow. */
  const failing = (times: number): Promise<void> =>
    until(async () => {
      expect(Number(await show('NRestarts'))).toBeGreaterThanOrEqual(times);
    });

  it('installs a service that observes', async () => {
    const [, units = ''] = documented('docs/systemd.md', 'npm pack').split(/^cd .*\n/m);
    await sh(`cd ${INSTALLED_UNITS}\n${units}`);
    expect(await sh(documented('docs/systemd.md', 'enable --now helo-milter.socket'))).toContain(
      'Active: active (running)',
    );
    expect(await show('UnitFileState', 'helo-milter.socket')).toBe('enabled');
    expect(await show('UnitFileState')).toBe('enabled');
    expect(await journal()).toContain('observes only: nothing is refused; logs what strict would have done');
    expect(await askMilter(tcp, 'Jupiter')).toMatch(/^(?:accept|continue)$/);
  });

  it('is ordered before Postfix, that of Debian too', async () => {
    for (const unit of ['helo-milter.service', 'helo-milter.socket']) {
      const before = (await show('Before', unit)).split(' ');
      expect(before).toEqual(
        expect.arrayContaining(['postfix.service', 'postfix@-.service', 'sendmail.service']),
      );
    }
  });

  it('fails a reload where a file is wrong or not for its eyes, and goes on as it was', async () => {
    const reload = documented('docs/systemd.md', 'systemctl reload');
    configure('contact = "call us"\n');
    await sh(reload);
    await until(async () => {
      expect(await askMilter(tcp, 'Jupiter')).toMatch(/call us/);
    });
    const pid = await show('MainPID');
    configure(TYPO);
    await expect(sh(reload)).rejects.toThrow(/Job for helo-milter\.service failed/);
    expect(await journal()).toMatch(FAULT);
    configure('access = "/etc/helo-milter.access"\n');
    systemd.write('/etc/helo-milter.access', '');
    await systemd.run('chmod', '600', '/etc/helo-milter.access');
    await expect(sh(reload)).rejects.toThrow(/Job for helo-milter\.service failed/);
    expect(await journal()).toMatch(/toml:1:10: access: EACCES/);
    expect(await askMilter(tcp, 'Jupiter')).toMatch(/call us/);
    expect([await show('MainPID'), ...(await states())]).toEqual([pid, 'active', 'active']);
  });

  it('checks a file as such a user, without the service', async () => {
    const check = documented('docs/systemd.md', 'systemd-run');
    // systemd-run needs a message bus, and there is none here: the unit that it would make is written by
    // hand.
    const [, words = '', program = ''] =
      /^systemd-run --pipe --wait (.*) (helo-milter .*)$/.exec(check.replaceAll(/\s+/g, ' ').trim()) ?? [];
    const properties = words
      .replaceAll(' \\', '')
      .split(' ')
      .map((word) => word.replace(/^--property=/, ''));
    const lines = ['[Service]', 'Type=oneshot', ...properties, `ExecStart=/usr/bin/env ${program}`, ''];
    const told = async (unit: string): Promise<[status: string, said: string]> => {
      systemd.write(`/run/systemd/system/${unit}`, lines.join('\n'));
      await sh(`systemctl daemon-reload; systemctl start ${unit}`).catch(() => undefined);
      await systemd.run('journalctl', '--sync');
      const said = await systemd.run(
        'journalctl',
        '-o',
        'cat',
        '-t',
        'env',
        '-t',
        'helo-milter',
        '-t',
        'node',
        '-u',
        unit,
      );
      return [await show('ExecMainStatus', unit), said];
    };
    expect(await told('check-1.service')).toEqual([
      '78',
      expect.stringMatching(/^helo-milter: \/etc\/helo-milter\.toml:1:10: access: EACCES/) as string,
    ]);
    await systemd.run('chmod', '644', '/etc/helo-milter.access');
    expect(await told('check-2.service')).toEqual(['0', `ok (${CONFIG})\n`]);
  });

  it('has a decision log that nobody else can read, and a directory for its regulars', async () => {
    const regulars = 'regulars = "5/3"\nregulars-file = "/var/lib/helo-milter/regulars"\n';
    configure(`decision-log = "/var/log/helo-milter/decisions.jsonl"\n${regulars}`);
    await sh('systemctl restart helo-milter.service');
    expect(await askMilter(tcp, 'Jupiter')).toMatch(REFUSED);
    expect(await sh('stat -L -c %a /var/log/helo-milter/decisions.jsonl')).toBe('600\n');
    expect(await sh('stat -c %a:%U /var/log/private')).toBe('700:root\n');
    // In the view that the service itself has: with systemd 257 the owner is `nobody` outside of it, and
    // another one there.
    const pid = (await show('MainPID')).trim();
    const owner = (await sh(`stat -c %u /proc/${pid}`)).trim();
    expect(await sh(`stat -L -c %u:%a /proc/${pid}/root/var/lib/helo-milter`)).toBe(`${owner}:755\n`);
    expect(await sh('stat -c %a:%U /var/lib/private')).toBe('700:root\n');
  });

  it('makes a report of it that only root can read, and mails it', async () => {
    configure('decision-log = "/var/log/helo-milter/decisions.jsonl"\nobserve = true\n');
    await sh('systemctl restart helo-milter.service');
    await askMilter(tcp, 'Jupiter');
    const [, units = ''] = documented('docs/systemd.md', 'helo-milter-report.timer').split(/^cd .*\n/m);
    for (const unit of ['service', 'timer']) {
      const alone = '[Unit]\nDefaultDependencies=no\n';
      systemd.write(`/etc/systemd/system/helo-milter-report.${unit}.d/00-test.conf`, alone);
    }
    const mailed = join(workdir, 'mailed');
    systemd.write('/run/sendmail', `#!/bin/sh\ncat >${mailed}\nid -u >>${mailed}\n`);
    await sh('chmod 755 /run/sendmail');
    const mail = settings('ExecStartPost=+').replace('exec sendmail', 'exec /run/sendmail');
    systemd.write('/etc/systemd/system/helo-milter-report.service.d/10-mail.conf', mail);
    expect(await show('ActiveState', 'helo-milter-report.timer')).toBe('inactive');
    await sh(`cd ${INSTALLED_UNITS}\n${units}`);
    expect(await show('ActiveState', 'helo-milter-report.timer')).toBe('active');
    const page = '/var/lib/helo-milter-report/report.html';
    await until(async () => {
      await sh('systemctl start helo-milter-report.service');
      expect(await sh(`cat ${page}`)).toContain('Jupiter');
    });
    expect(await sh(`stat -L -c %a ${page}`)).toBe('600\n');
    expect(readFileSync(mailed, 'utf8')).toMatch(/^To: root\nSubject: .*\n[^]*Jupiter[^]*\n0\n$/);
    // The next one restarts it.
    configure('decision-log = "/var/log/helo-milter/decisions.jsonl"\n');
  });

  it('reads a password that nobody else can, in the check before a reload too', async () => {
    const redisPort = await freePort();
    const redis = await startRedis(workdir, redisPort, ['user helo on >not-a-real-one ~* +@all']);
    const file = '/etc/helo-milter/store.password';
    const dropIn = '/etc/systemd/system/helo-milter.service.d/20-password.conf';
    const restart = 'systemctl restart helo-milter.service';
    const reload = documented('docs/systemd.md', 'systemctl reload');
    try {
      systemd.write(file, 'not-a-real-one\n');
      await sh(`chown root:root ${file}; chmod 600 ${file}`);
      configure(`store = "redis://helo@127.0.0.1:${redisPort}"\nstore-password-file = "${file}"\n`);
      await expect(sh(reload)).rejects.toThrow(/Job for helo-milter\.service failed/);
      expect(await journal()).toMatch(/store-password-file: EACCES/);
      await sh(documented('docs/systemd.md', 'groupadd'));
      systemd.write(dropIn, settings('SupplementaryGroups='));
      await sh(`systemctl daemon-reload\n${restart}\n${reload}`);
      await until(async () => {
        expect(await redis.say('client', 'list')).toContain(' user=helo ');
      });
      expect(await sh(`stat -c %a:%U:%G ${file}`)).toBe('640:root:helo-milter-store\n');
    } finally {
      configure('');
      await sh(`rm -f ${dropIn}; systemctl daemon-reload; ${restart}`);
      await redis.stop();
    }
  });

  it('has a second process beside it, as docs/farm.md has it', async () => {
    const second = await freePort();
    const http = await freePort();
    const log = '/var/log/helo-milter/decisions';
    configure(`decision-log = "${log}.jsonl"\n`);
    await sh('systemctl restart helo-milter.service');
    const script = documented('docs/farm.md', 'helo-milter-b.$unit')
      .replace(/8892/, tcp.split(':')[2] ?? '')
      .replace(/8893/, String(second))
      .replace(/9893/, String(http));
    await sh(script);
    for (const unit of ['service', 'socket'])
      expect(await show('ActiveState', `helo-milter-b.${unit}`)).toBe('active');
    for (const [socket, helo] of [
      [tcp, 'Jupiter'],
      [`inet:127.0.0.1:${second}`, 'Saturn'],
    ] as const)
      expect(await askMilter(socket, helo)).toMatch(REFUSED);
    await until(async () => {
      const logs = [await sh(`cat ${log}.jsonl`), await sh(`cat ${log}.b.jsonl`)];
      const names = logs.map(
        (text) => new Set(Array.from(text.matchAll(/"helo":"([^"]+)"/g), ([, helo]) => helo)),
      );
      expect(names).toEqual([new Set(['Jupiter']), new Set(['Saturn'])]);
    });
    expect(await (await fetch(`http://127.0.0.1:${http}/healthz`)).text()).toBe('ok\n');
    // The first is neither stopped nor robbed of its files with the second, and the other way round.
    await sh('systemctl stop helo-milter-b.socket; systemctl restart helo-milter.service');
    expect(await askMilter(tcp, 'Jupiter')).toMatch(REFUSED);
    await sh('systemctl start helo-milter-b.socket; systemctl restart helo-milter.socket');
    expect(await askMilter(`inet:127.0.0.1:${second}`, 'Saturn')).toMatch(REFUSED);
    await sh('systemctl disable --now helo-milter-b.socket helo-milter-b.service');
    await serving();
  });

  it('heals by itself from a restart with a typo, and serves who has waited', async () => {
    configure(TYPO);
    await expect(sh('systemctl restart helo-milter.service')).rejects.toThrow(/Job .* failed/);
    const waiting = askMilter(tcp, 'Jupiter');
    await failing(6);
    expect(await show('ActiveState', 'helo-milter.socket')).toBe('active');
    expect(await show('SubState')).toMatch(/^(?:auto-restart|start)$/);
    configure('');
    expect(await waiting).toMatch(REFUSED);
    await serving();
  });

  it('heals from a typo that a client finds', async () => {
    await sh('systemctl stop helo-milter.service');
    configure(TYPO);
    const waiting = askMilter(tcp, 'Jupiter');
    await failing(2);
    configure('');
    // A restart works at once, too: no limit is in the way.
    await sh('systemctl restart helo-milter.service');
    expect(await waiting).toMatch(REFUSED);
    await serving();
  });

  it('gets other sockets', async () => {
    systemd.write(
      '/etc/systemd/system/helo-milter.socket.d/override.conf',
      `[Socket]\nListenStream=${unix.slice(5)}\n`,
    );
    await mostly(`systemctl daemon-reload\n${documented('docs/systemd.md', 'restart helo-milter.socket')}`);
    await serving();
    for (const each of [tcp, unix]) expect(await askMilter(each, 'Jupiter')).toMatch(REFUSED);
  });

  it.each([
    'restart helo-milter.socket helo-milter.service',
    'restart helo-milter.service helo-milter.socket',
    'restart helo-milter.socket',
    'stop helo-milter.socket helo-milter.service; systemctl start helo-milter.service',
    'stop helo-milter.socket; systemctl start helo-milter.socket',
  ])('stands systemctl %s', async (words) => {
    await mostly(`systemctl ${words}`);
    await until(async () => {
      expect(await show('ActiveState', 'helo-milter.socket')).toBe('active');
    });
    expect(await askMilter(unix, 'Jupiter')).toMatch(REFUSED);
    await serving();
  });

  it('stands seven restarts of the socket in a row', async () => {
    for (let i = 0; i < 7; i++) await mostly('systemctl restart helo-milter.socket');
    await until(async () => {
      expect(await show('ActiveState', 'helo-milter.socket')).toBe('active');
    });
    expect(await show('Result', 'helo-milter.socket')).toBe('success');
    expect(await askMilter(unix, 'Jupiter')).toMatch(REFUSED);
    await serving();
  });

  it('stands them with a typo', async () => {
    configure(TYPO);
    await sh('systemctl restart helo-milter.socket helo-milter.service').catch(() => undefined);
    await sh('systemctl restart helo-milter.socket').catch(() => undefined);
    await failing(1);
    configure('');
    expect(await askMilter(unix, 'Jupiter')).toMatch(REFUSED);
    await serving();
  });

  it('listens nowhere else where the sockets cannot be had, and heals', async () => {
    await sh('systemctl stop helo-milter.socket');
    expect(await states()).toEqual(['inactive', 'inactive']);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(tcp.split(':')[2]), '127.0.0.1', resolve));
    try {
      await expect(sh('systemctl start helo-milter.service')).rejects.toThrow(/Job .* failed/);
      await failing(1);
      expect(await journal()).toMatch(/HELO_MILTER_LISTEN: systemd has handed no socket over; start /);
      await expect(askMilter('inet:127.0.0.1:8892', 'Jupiter')).rejects.toThrow(/ECONNREFUSED/);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await serving();
    expect(await askMilter(tcp, 'Jupiter')).toMatch(REFUSED);
  });

  it('goes without the socket unit', async () => {
    const socket = `inet:127.0.0.1:${await freePort()}`;
    configure(`listen = ["${socket}", "unix:/run/helo-milter/socket"]\n`);
    systemd.write('/etc/systemd/system/helo-milter.service.d/override.conf', settings('UnsetEnvironment='));
    const commands = documented('docs/systemd.md', 'rm /etc/systemd/system/helo-milter.socket');
    await sh(commands.replace('systemctl edit helo-milter.service', 'systemctl daemon-reload'));
    expect(await askMilter(socket, 'Jupiter')).toMatch(REFUSED);
    expect(await show('StatusText')).toContain(`listens on ${socket}, unix:/run/helo-milter/socket`);
    expect(await show('LoadState', 'helo-milter.socket')).toBe('not-found');
    await expect(askMilter(tcp, 'Jupiter')).rejects.toThrow(/ECONNREFUSED/);
  });
});
