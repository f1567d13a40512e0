/** SIGHUP and SIGTERM under load, through a real Postfix: every session gets its answer. */
import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nameOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import { RELOAD_FILES, RELOADS } from '../fixtures/reloads.ts';
import { type DnsStub, startDnsStub } from '../support/dns-stub.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { type Reply, SmtpClient } from './kit/smtp-client.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

describeWith(['postfix', 'nsd', 'own network'], 'while mail comes in', () => {
  let workdir: string;
  let nsd: Nsd;
  let stubs: DnsStub[];
  let silent: Socket;
  let socket: string;
  let postfix: Postfix;
  let config: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    stubs = [await startDnsStub({}), await startDnsStub({})];
    silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    socket = `inet:127.0.0.1:${await freePort()}`;
    for (const [name, text] of Object.entries(RELOAD_FILES)) writeFileSync(join(workdir, name), text);
    config = join(workdir, 'helo-milter.toml');
    postfix = await startPostfix(workdir, { mainCf: shippedMainCf(socket), milters: [null] });
  });

  afterAll(async () => {
    await postfix.stop();
    for (const stub of stubs) await stub.close();
    silent.close();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  function configure(toml: string): void {
    const server = /^dns-/m.test(toml) ? '' : `dns-server = "${nsd.server}"\n`;
    writeFileSync(
      config,
      `${server}${toml}\n`
        .replaceAll('DIR', workdir)
        .replace('SERVER-EMPTY', stubs[0]?.server ?? '')
        .replace('SERVER-FULL', stubs[1]?.server ?? '')
        .replace('SERVER-SILENT', `127.0.0.1:${silent.address().port}`),
    );
  }

  const start = (toml: string, ...args: string[]): Promise<Program> => {
    configure(toml);
    return startProgram(['--listen', socket, '--config', config, ...args]);
  };

  async function greet(helo: string): Promise<SmtpClient> {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0, SENDER);
    await client.say(`EHLO ${helo}`);
    return client;
  }

  /** Our reply says why; Postfix's own would mean that the milter is gone. */
  function expectOurs({ code, text }: Reply): void {
    if (code !== 250) expect(text).toMatch(/^[45]\d\d .* \[[a-z-]+\] /);
  }

  describe('SIGHUP', () => {
    let program: Program;
    let running = true;
    let served = 0;
    let senders: Promise<void>[];

    beforeAll(async () => {
      program = await start('');
      senders = ['mail.sender.org', 'gone.strange.org', 'Jupiter'].map(async (helo) => {
        while (running) {
          const client = await greet(helo);
          expectOurs(await client.send());
          await client.say('QUIT');
          client.close();
          served++;
        }
      });
    });

    afterAll(async () => {
      running = false;
      await Promise.all(senders);
      await program.stop();
    });

    async function reload(toml: string): Promise<string> {
      const before = (await reloads()).length;
      configure(toml);
      program.child.kill('SIGHUP');
      let line = '';
      await vi.waitFor(
        async () => {
          line = (await reloads())[before] ?? '';
          expect(line).not.toBe('');
        },
        { timeout: 20_000, interval: 20 },
      );
      return line;
    }

    async function reloads(): Promise<string[]> {
      return (await program.output()).split('\n').filter((line) => /^(?:error )?reload/.test(line));
    }

    async function more(sessions: number): Promise<void> {
      const wanted = served + sessions;
      // A sender that has failed would never get this far.
      await Promise.race([
        ...senders,
        vi.waitFor(
          () => {
            expect(served).toBeGreaterThanOrEqual(wanted);
          },
          { timeout: 50_000, interval: 20 },
        ),
      ]);
    }

    it.each(ROWS.filter(([, { restart }]) => restart !== true))(
      'that changes %s loses no session',
      async (key) => {
        const change = RELOADS[key];
        if (change === undefined) throw new Error(`test/fixtures/reloads.ts has no row for ${key}`);
        await reload(change.before ?? '');
        const held = await greet('mail.sender.org');
        await more(3);
        expect(await reload(change.after)).toMatch(
          new RegExp(`^reloaded changed=(?:\\S+,)?${nameOf(key)}(?:,|$)`),
        );
        expectOurs(await held.send());
        held.close();
        await more(3);
      },
    );

    it('with a fault loses none either, and keeps what was', async () => {
      await reload('');
      expect(await reload('reject-at = 0\n')).toMatch(/^error reload detail=".*toml:2:13: reject-at: /);
      await more(3);
      expect((await (await greet('Jupiter')).send()).code).toBe(550);
    });
  });

  describe('SIGTERM', () => {
    it('lets sessions finish that are open, and takes no new ones', async () => {
      const program = await start('', '--grace', '30s');
      const held = [await greet('mail.sender.org'), await greet('Jupiter')];
      const gone = program.stop('SIGTERM');
      await vi.waitFor(async () => {
        expect(await program.output()).toContain('stopping reason=SIGTERM connections=2');
      });
      expect((await (await greet('mail.sender.org')).send()).code).toBe(451);
      const codes: number[] = [];
      for (const client of held) {
        codes.push((await client.send()).code);
        await client.say('QUIT');
      }
      expect(codes).toEqual([250, 550]);
      expect(await gone).toBe(0);
    });

    it.each([
      ['once, when the grace time is over', ['--grace', '1s'], 1],
      ['twice, at once', ['--grace', '1h'], 2],
    ])('%s, answers `continue` to who still waits', async (_, args, signals) => {
      const program = await start(
        'dns-server = "SERVER-SILENT"\ndns-timeout = "20s"\ndeadline = "20s"\n',
        ...args,
      );
      const client = await greet('waits.sender.org');
      await client.say('MAIL FROM:<sender@sender.org>');
      const answer = client.say('RCPT TO:<user@dest.test>');
      const started = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const gone = program.stop('SIGTERM');
      if (signals === 2) {
        await vi.waitFor(async () => {
          expect(await program.output()).toContain('stopping reason=SIGTERM connections=1');
        });
        program.child.kill('SIGTERM');
      }
      expect((await answer).code).toBe(250);
      expect(await gone).toBe(0);
      expect(Date.now() - started).toBeLessThan(15_000);
      client.close();
    });
  });
});
