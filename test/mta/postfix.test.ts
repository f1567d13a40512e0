/**
 * The whole path: an SMTP client, a real Postfix with the lines of `postfix-conf/`, helo-milter as its user runs it, and
 * a real name server. Clients get their addresses by XCLIENT.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { LOGIN, PASSWORD, startDovecotAuth } from './kit/dovecot-auth.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';

const SENDER = '198.51.100.7';
const STRANGER = '203.0.113.50';

/** Keeps the messages to one address, to be looked at. */
const HOLD = 'smtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}';

/** The file an administrator pastes, with the address of the milter at hand. */
function mainCf(socket: string): string {
  const file = readFileSync(new URL('../../postfix-conf/main.cf', import.meta.url), 'utf8');
  if (!file.includes('inet:127.0.0.1:8892')) throw new Error('postfix-conf/main.cf names no milter');
  return file.replaceAll('inet:127.0.0.1:8892', socket);
}

describeWith(['postfix', 'nsd', 'openssl'], 'Postfix', () => {
  let workdir: string;
  let nsd: Nsd;
  let postfix: Postfix;
  /** One milter for each way of running it; Postfix asks the one that a test has chosen. */
  let program: Program;
  let milterPort: number;
  const clients: SmtpClient[] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    milterPort = await freePort();
    program = await startMilter();
    const sasl = join(workdir, 'auth.sock');
    const server = await startDovecotAuth(sasl);
    server.unref();
    postfix = await startPostfix(workdir, {
      mainCf: `${mainCf(program.socket)}\n${HOLD}`,
      tls: true,
      saslSocket: sasl,
    });
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  function startMilter(...args: string[]): Promise<Program> {
    const listen = ['--listen', `inet:127.0.0.1:${milterPort}`];
    return startProgram([...listen, '--dns-server', nsd.server, '--grace', '0s', ...args]);
  }

  /** The same service under other options. */
  async function restart(...args: string[]): Promise<void> {
    await program.stop();
    program = await startMilter(...args);
  }

  async function client(
    address: string,
    helo: string,
    attributes: Record<string, string> = {},
  ): Promise<SmtpClient> {
    const made = await SmtpClient.connect(postfix.port);
    clients.push(made);
    const reply = await made.become(address, helo, attributes);
    expect(reply.code, reply.text).toBe(250);
    return made;
  }

  /** What the client of this address and name is told of its message: the code and the finding id, if any. */
  async function verdict(address: string, helo: string): Promise<string> {
    const made = await client(address, helo);
    const reply = await made.send();
    await made.say('QUIT');
    const id = /\[([a-z0-9-]+)\]/.exec(reply.text)?.[1];
    return id === undefined ? String(reply.code) : `${reply.code} ${id}`;
  }

  it.each<[string, string, string]>([
    ['mail.sender.org', SENDER, '250'],
    ['MAIL.Sender.ORG', SENDER, '250'],
    ['mail.sender.org', '2001:db8:7::1', '250'],
    ['pool-a.sender.org', SENDER, '250'],
    ['other.sender.org', STRANGER, '250'],
    [`[${STRANGER}]`, STRANGER, '250'],
    ['[IPv6:2001:db8:9::1]', '2001:db8:9::1', '250'],
    ['this is Jupiter', SENDER, '501 helo-syntax'],
    ['x\x01y', SENDER, '501 helo-syntax'],
    ['%s%n"<>', SENDER, '501 helo-syntax'],
    ['a_b.sender.org', SENDER, '501 helo-underscore'],
    ['192.0.2.1', SENDER, '550 helo-bare-ip'],
    ['Jupiter', SENDER, '550 helo-not-fqdn'],
    ['printer.local', SENDER, '550 helo-special-use'],
    ['mail.sender.123', SENDER, '550 helo-numeric-tld'],
    ['co.uk', SENDER, '550 helo-public-suffix'],
    ['[198.51.100]', SENDER, '501 helo-literal-malformed'],
    ['gone.sender.org', SENDER, '450 helo-nxdomain'],
    ['mx-only.sender.org', SENDER, '450 helo-no-address'],
    ['inside.sender.org', SENDER, '450 helo-private-address'],
    ['mail.unheard-of.org', SENDER, '550 helo-unregistered'],
    ['cloud.sender.org', SENDER, '550 helo-spf-fail'],
    ['csa.sender.org', SENDER, '550 helo-csa-fail'],
    ['owned.sender.org', SENDER, '550 helo-auth-fail'],
    ['mx.dest.test', SENDER, '550 helo-special-use'],
    ['x'.repeat(300), SENDER, '501 helo-syntax'],
  ])('rfc5321: %j from %s is told %s', async (helo, address, wanted) => {
    expect(await verdict(address, helo)).toBe(wanted);
  });

  it('refuses at RCPT, with what was seen and a reference that finds the log line', async () => {
    const made = await client(SENDER, 'Jupiter');
    expect((await made.say('MAIL FROM:<s@sender.org>')).code).toBe(250);
    const refusal = await made.say('RCPT TO:<user@dest.test>');
    expect(refusal.text).toMatch(
      /^550 5\.7\.1 <user@dest\.test>: Recipient address rejected: |^550 5\.7\.1 \[helo-not-fqdn\] /,
    );
    expect(refusal.text).toContain('Jupiter');
    const reference = /\(ref (\S+)\)/.exec(refusal.text)?.[1] ?? 'none';
    const line = (await program.decisions()).find((each) => each.includes(`ref=${reference}`));
    expect(line).toMatch(/ client=198\.51\.100\.7 helo=Jupiter action=reject verdict=reject /);
    expect(line).toMatch(/ from=<s@sender\.org> rcpt=<user@dest\.test> /);
    // Postfix logs through a daemon of its own, a little later.
    await vi.waitFor(() => {
      expect(postfix.log()).toContain(reference);
    }, 5000);
  });

  it('accepts mail to postmaster while another recipient of the same message is refused', async () => {
    const made = await client(SENDER, 'Jupiter');
    await made.say('MAIL FROM:<s@sender.org>');
    expect((await made.say('RCPT TO:<user@dest.test>')).code).toBe(550);
    expect((await made.say('RCPT TO:<postmaster@dest.test>')).code).toBe(250);
    expect((await made.say('RCPT TO:<abuse@dest.test>')).code).toBe(250);
    expect((await made.say('RCPT TO:<other@dest.test>')).code).toBe(550);
    expect((await made.say('DATA')).code).toBe(354);
    expect((await made.say('Subject: x\r\n\r\nwhy?\r\n.')).code).toBe(250);
  });

  it('accepts a client that has logged in, by XCLIENT', async () => {
    const made = await client(SENDER, 'Jupiter', { LOGIN });
    expect((await made.send()).code).toBe(250);
    expect((await program.decisions()).at(-1)).toContain(' action=accept exempt=authenticated ');
  });

  it('leaves STARTTLS and AUTH on offer to a client it will refuse, and accepts it once it has logged in', async () => {
    const made = await SmtpClient.connect(postfix.port);
    clients.push(made);
    const hello = await made.become(SENDER, 'Jupiter');
    expect(hello.lines).toContain('STARTTLS');
    expect(hello.lines.some((line) => line.startsWith('AUTH ') && line.includes('PLAIN'))).toBe(true);
    await made.startTls();
    expect((await made.say('EHLO Jupiter')).code).toBe(250);
    const refused = await made.send();
    expect(refused.code).toBe(550);
    await made.say('RSET');
    const token = Buffer.from(`\0${LOGIN}\0${PASSWORD}`).toString('base64');
    expect((await made.say(`AUTH PLAIN ${token}`)).code).toBe(235);
    expect((await made.send()).code).toBe(250);
  });

  it('a second EHLO with a good name clears the verdict, the same bad one does not', async () => {
    const made = await client(SENDER, 'Jupiter');
    expect((await made.send()).code).toBe(550);
    await made.say('EHLO Jupiter');
    expect((await made.send()).code).toBe(550);
    await made.say('EHLO mail.sender.org');
    expect((await made.send()).code).toBe(250);
    await made.say('EHLO Jupiter');
    expect((await made.send()).code).toBe(550);
  });

  it('judges a HELO in the middle of a message afresh', async () => {
    const made = await client(SENDER, 'mail.sender.org');
    await made.say('MAIL FROM:<s@sender.org>');
    await made.say('EHLO Jupiter');
    expect((await made.send()).code).toBe(550);
  });

  it('takes several messages, RSET between them and unknown commands', async () => {
    const made = await client(SENDER, 'mail.sender.org');
    expect((await made.send()).code).toBe(250);
    await made.say('MAIL FROM:<s@sender.org>');
    await made.say('RSET');
    await made.say('RSET');
    expect((await made.say('BOGUS')).code).toBe(500);
    expect((await made.send()).code).toBe(250);
  });

  it('says in the log whether the answer came from the cache', async () => {
    await verdict('2001:db8:7::1', 'cache.sender.org');
    await verdict('2001:db8:7::1', 'cache.sender.org');
    const [first, second] = (await program.decisions()).slice(-2);
    expect(first).toContain(' cache=miss ');
    expect(second).toContain(' cache=hit ');
  });

  it('tags accepted mail above its own Received, and takes off forged tags', async () => {
    const made = await client(SENDER, 'mail.sender.org');
    const forged = [
      'Authentication-Results: mx.dest.test; spf=pass',
      'authentication-results: (x)\r\n MX.DEST.TEST 1; none',
    ];
    const text = [...forged, 'Authentication-Results: other.test; none', 'Subject: tag me', '', 'body'].join(
      '\r\n',
    );
    expect((await made.send(['hold@dest.test'], text)).code).toBe(250);
    const held = (await postfix.held()).find((each) => each.includes('Subject: tag me')) ?? '';
    expect(held).toMatch(
      /^Authentication-Results: mx\.dest\.test;\n\tx-helo=pass (?:reason="helo-churn" )?smtp\.helo=mail\.sender\.org policy\.correspondence=exact policy\.stream=verified;\n\tiprev=pass policy\.iprev=198\.51\.100\.7;\n\tspf=none smtp\.helo=mail\.sender\.org;\n\tx-csa=none smtp\.helo=mail\.sender\.org\nReceived: /,
    );
    expect(held.match(/^authentication-results:/gim)).toHaveLength(2);
    expect(held).toContain('Authentication-Results: other.test; none');
  });

  it.each<[string, string, string]>([
    ['mail.sender.org', SENDER, '250'],
    ['other.sender.org', STRANGER, '550 helo-mismatch'],
    ['cloud.sender.org', STRANGER, '250'],
    ['gone.sender.org', SENDER, '550 helo-nxdomain'],
    [`[${STRANGER}]`, STRANGER, '250'],
    ['[192.0.2.77]', STRANGER, '550 helo-literal-mismatch'],
  ])('strict: %j from %s is told %s', async (helo, address, wanted) => {
    await restart('--policy', 'strict');
    expect(await verdict(address, helo)).toBe(wanted);
  });

  it.each<[string, string, string]>([
    ['pool-a.sender.org', SENDER, '250'],
    ['other.sender.org', STRANGER, '250'],
    ['mail.sender.org', STRANGER, '550 helo-mismatch'],
    [`[${STRANGER}]`, STRANGER, '250'],
  ])('emailcore: %j from %s is told %s', async (helo, address, wanted) => {
    await restart('--policy', 'emailcore');
    expect(await verdict(address, helo)).toBe(wanted);
  });

  it('--observe refuses nothing and logs what it would have done', async () => {
    await restart('--observe', '--policy', 'strict');
    for (const helo of [
      'Jupiter',
      'this is Jupiter',
      'gone.sender.org',
      'mail.unheard-of.org',
      '[192.0.2.77]',
    ]) {
      expect(await verdict(STRANGER, helo), helo).toBe('250');
    }
    for (const line of await program.decisions()) expect(line).toContain(' action=accept verdict=reject ');
    expect(await program.decisions()).toHaveLength(5);
  });

  it.each([
    ['helo', /^550 5\.7\.1 .*\[helo-not-fqdn\]/, 'MAIL'],
    ['mail', /^550 5\.7\.1 .*\[helo-not-fqdn\]/, 'MAIL'],
  ])('--apply-at %s refuses before RCPT', async (stage, text) => {
    await restart('--apply-at', stage);
    const made = await client(SENDER, 'Jupiter');
    expect((await made.say('MAIL FROM:<s@sender.org>')).text).toMatch(text);
  });

  it('--trust exempts a network', async () => {
    await restart('--trust', '198.51.100.0/24');
    expect(await verdict(SENDER, 'Jupiter')).toBe('250');
    expect(await verdict(STRANGER, 'Jupiter')).toBe('550 helo-not-fqdn');
  });

  it('a dead name server delays nobody past the deadline and refuses nobody', async () => {
    await program.stop();
    const dead = `127.0.0.1:${await freePort()}`;
    program = await startProgram([
      '--listen',
      `inet:127.0.0.1:${milterPort}`,
      '--dns-server',
      dead,
      '--deadline',
      '1s',
    ]);
    expect(await verdict(SENDER, 'mail.sender.org')).toBe('250');
    expect((await program.decisions()).at(-1)).toContain('dns-temperror:0');
    await restart();
  });

  it('killed and started again under load, it leaves Postfix deferring, not losing', async () => {
    await restart();
    const told = new Map<number, number>();
    let running = true;
    const sender = async (): Promise<void> => {
      while (running) {
        const made = await client(SENDER, 'mail.sender.org');
        const { code } = await made.send();
        told.set(code, (told.get(code) ?? 0) + 1);
        await made.say('QUIT');
        made.close();
      }
    };
    const senders = [1, 2, 3, 4].map(sender);
    const until = async (code: number, atLeast: number): Promise<void> => {
      while ((told.get(code) ?? 0) < atLeast) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(250, 10);
    await program.stop('SIGKILL');
    await until(451, 10);
    const accepted = told.get(250) ?? 0;
    program = await startMilter();
    await until(250, accepted + 10);
    running = false;
    await Promise.all(senders);
    expect([...told.keys()].sort()).toEqual([250, 451]);
  });
});
