/**
 * What only Postfix has: client addresses by XCLIENT and by the PROXY protocol, mail from the command line,
 * its own log. What both MTAs have is in `scenarios.test.ts`.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { LOGIN } from './kit/dovecot-auth.ts';
import { type Nsd, startNsd, withSystemPath } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { brief } from './kit/verdict.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, SENDER6, STRANGER } from './scenarios.ts';
import { feed } from '../support/quietly.ts';

/** In network order. */
function octetsOf(address: string): Buffer {
  return Buffer.from(parseIp(address)?.bytes ?? []);
}

describeWith(['postfix', 'nsd'], 'Postfix', () => {
  let workdir: string;
  let nsd: Nsd;
  let postfix: Postfix;
  let program: Program;
  let port: number;
  let proxied: number;
  const clients: SmtpClient[] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server, '--grace', '0s']);
    postfix = await startPostfix(workdir, {
      mainCf: `${shippedMainCf(program.socket)}\nnon_smtpd_milters = ${program.socket}\n`,
      milters: [null, `${program.socket} -o smtpd_upstream_proxy_protocol=haproxy`],
    });
    [port = 0, proxied = 0] = postfix.ports;
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  async function client(
    address: string,
    helo: string,
    more: Record<string, string> = {},
  ): Promise<SmtpClient> {
    const made = await SmtpClient.connect(port);
    clients.push(made);
    const reply = await made.become(address, helo, more);
    expect(reply.code, reply.text).toBe(250);
    return made;
  }

  /** A refused message is told when the client gives it up. */
  async function expectTold(made: SmtpClient, part: string): Promise<void> {
    made.close();
    await vi.waitFor(async () => {
      expect((await program.decisions()).at(-1)).toContain(part);
    }, 10_000);
  }

  it.each([
    ['mail.sender.org', SENDER, '250'],
    ['mail.sender.org', SENDER6, '250'],
    ['gone.strange.org', SENDER, '450 helo-nxdomain'],
    ['Jupiter', STRANGER, '550 helo-not-fqdn'],
  ])('XCLIENT: %s as %s is told %s', async (helo, address, wanted) => {
    const made = await client(address, helo);
    expect(brief(await made.send())).toBe(wanted);
    await expectTold(made, ` client=${address} helo=${helo} `);
  });

  it('XCLIENT LOGIN counts as a login', async () => {
    expect((await (await client(SENDER, 'Jupiter', { LOGIN })).send()).code).toBe(250);
    expect((await program.decisions()).at(-1)).toContain(' action=accept exempt=authenticated ');
  });

  it('XCLIENT HELO stands in for a HELO that the milter is never told', async () => {
    const made = await SmtpClient.connect(port);
    clients.push(made);
    await made.say('EHLO probe.test');
    await made.say(`XCLIENT NAME=[UNAVAILABLE] ADDR=${SENDER} HELO=Jupiter`);
    expect(brief(await made.send())).toBe('250');
    expect((await program.decisions()).at(-1)).toMatch(/ helo="" action=accept .* findings=helo-missing:0/);
  });

  /** What HAProxy sends first, by version of its protocol. */
  const PREFACES = {
    1: (address: string) => {
      const [family, here] = address.includes(':') ? ['TCP6', '::1'] : ['TCP4', '127.0.0.1'];
      return `PROXY ${family} ${address} ${here} 4711 25\r\n`;
    },
    // A signature; version 2, PROXY; TCP over the family; the length; both addresses; both ports.
    2: (address: string) => {
      const [family, here] = address.includes(':') ? [0x21, '::1'] : [0x11, '127.0.0.1'];
      const addresses = Buffer.concat([octetsOf(address), octetsOf(here), Buffer.from([0x12, 0x67, 0, 25])]);
      const head = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n'), 0x21, family, 0, addresses.length]);
      return Buffer.concat([head, addresses]);
    },
  } as const;

  it.each(
    ([1, 2] as const).flatMap((version) =>
      [
        ['mail.sender.org', SENDER, '250'] as const,
        ['gone.strange.org', SENDER, '450 helo-nxdomain'] as const,
        ['Jupiter', STRANGER, '550 helo-not-fqdn'] as const,
        ['mail.sender.org', SENDER6, '250'] as const,
      ].map((row) => [version, ...row] as const),
    ),
  )('PROXY, version %i: %s as %s is told %s', async (version, helo, address, wanted) => {
    const made = await SmtpClient.connect(proxied, undefined, PREFACES[version](address));
    clients.push(made);
    await made.say(`EHLO ${helo}`);
    expect(brief(await made.send())).toBe(wanted);
    await expectTold(made, ` client=${address} helo=${helo} `);
  });

  it('mail from the command line is never refused', async () => {
    const before = (await program.decisions()).length;
    const sent = promisify(execFile)(
      'sendmail',
      ['-C', postfix.etc, '-f', 'root@dest.test', 'user@dest.test'],
      {
        env: withSystemPath(),
      },
    );
    feed(sent.child.stdin, 'Subject: t\n\nbody\n');
    await sent;
    await vi.waitFor(async () => {
      const [line] = (await program.decisions()).slice(before);
      expect(line).toMatch(/ client=127\.0\.0\.1 .* action=accept exempt=loopback /);
    }, 10_000);
    await vi.waitFor(() => {
      expect(postfix.log()).toMatch(/relay=none.*status=sent|discard.*status=sent/);
    }, 10_000);
  });

  it('its log has the reference that finds our line', async () => {
    const refused = await client(SENDER, 'Jupiter');
    const refusal = await refused.send();
    const reference = /\(ref (\S+)\)/.exec(refusal.text)?.[1] ?? 'none';
    await expectTold(refused, `ref=${reference}`);
    const line = (await program.decisions()).find((each) => each.includes(`ref=${reference}`));
    expect(line).toMatch(/ client=198\.51\.100\.7 helo=Jupiter action=reject verdict=reject /);
    // Postfix logs through a daemon of its own, a little later.
    await vi.waitFor(() => {
      expect(postfix.log()).toContain(reference);
    }, 5000);
  });

  it('the second session of a client is served from the cache, and the log says so', async () => {
    for (let i = 0; i < 2; i++) await (await client(SENDER6, 'cache.sender.org')).send();
    const [first, second] = (await program.decisions()).slice(-2);
    expect(first).toContain(' cache=miss ');
    expect(second).toContain(' cache=hit ');
  });
});
