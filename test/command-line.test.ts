import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../src/command-line.ts';
import { OPTIONS, flagOf } from '../src/options.ts';
import { startDnsStub } from './support/dns-stub.ts';
import * as mta from './support/mta.ts';
import { fakeTerminal } from './support/terminal.ts';

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line to its end; a service stops as soon as it has started, unless told otherwise. */
async function run(
  args: readonly string[],
  whileServing: (terminal: {
    out: string;
    fault: (error: unknown) => void;
    reload: () => void;
  }) => Promise<void> = () => Promise.resolve(),
): Promise<Ran> {
  const state = {
    out: '',
    err: '',
    fault: (_error: unknown): void => undefined,
    reload: (): void => undefined,
  };
  const terminal = fakeTerminal({
    write: (text) => (state.out += text),
    writeError: (text) => (state.err += text),
    untilStopped: async () => {
      await whileServing(state);
      return 'the test';
    },
    onReload: (listener) => {
      state.reload = listener;
    },
    onFault: (listener) => {
      state.fault = (error) => {
        listener('uncaughtException', error);
      };
    },
  });
  const code = await runCommandLine(args, '1.2.3', terminal);
  return { code, out: state.out, err: state.err };
}

const LISTEN = ['--listen', 'inet:127.0.0.1:0'];

describe('usage', () => {
  it.each<[string[], RegExp]>([
    [['--version'], /^1\.2\.3\n$/],
    [['--help'], /^Usage: helo-milter [\s\S]*--observe[\s\S]*Commands:/],
    [['check', '--help'], /^Usage: helo-milter check /],
    [['--list-findings'], /^finding +basis +rfc5321[\s\S]*helo-mismatch +inferred +0 +10 +10 /],
  ])('%j', async (args, wanted) => {
    const { code, out, err } = await run(args);
    expect(out).toMatch(wanted);
    expect(err).toBe('');
    expect(code).toBe(0);
  });

  it('--help names every option', async () => {
    const { out } = await run(['--help']);
    for (const key of Object.keys(OPTIONS)) expect(out).toContain(flagOf(key));
  });

  it.each<[string[], RegExp]>([
    [['--nonsense'], /unknown option '--nonsense'/],
    [['nonsense'], /there is no command "nonsense"/],
    [['--policy'], /argument missing/],
    [['--policy', 'lenient'], /--policy: "lenient" is not one of/],
    [['--weight', 'no-such=1'], /--weight: there is no finding "no-such"/],
    [['--dns-server', 'localhost'], /--dns-server: "localhost" is not an IP address/],
    [['--trust', '10.0.0.0/99'], /--trust: /],
    [['--listen', 'tcp:1'], /--listen: "tcp:1" is no socket to listen on/],
    [['--listen', 'inet:127.0.0.1:1', '--listen', 'inet:192.0.2.1:1'], /--listen: cannot listen on inet:/],
    [['--listen', 'unix:/no/such/directory/socket'], /--listen: cannot listen on unix:.*(?:ENOENT|EACCES)/],
    [['check'], /missing required argument/],
    [['check', 'mail', 'mail.org'], /"mail" is not an IP address/],
    [['check', '192.0.2.1', 'a', 'b'], /too many arguments/],
  ])('%j ends with 64 and one sentence', async (args, wanted) => {
    const { code, out, err } = await run(args);
    expect(err).toMatch(/^helo-milter: [^\n]+\n$/);
    expect(err).toMatch(wanted);
    expect(out).toBe('');
    expect(code).toBe(64);
  });
});

describe('check', () => {
  it('prints one JSON object with the public names', async () => {
    const stub = await startDnsStub({
      'mail.sender.org A': [{ name: 'mail.sender.org', type: 'A', ttl: 60, data: '198.51.100.7' }],
      'mail.sender.org': [],
    });
    const { code, out } = await run([
      'check',
      '203.0.113.5',
      'mail.sender.org',
      '--json',
      '--dns-server',
      stub.server,
      '--policy',
      'strict',
    ]);
    await stub.close();
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      client: { ip: '203.0.113.5', family: 4 },
      helo: 'mail.sender.org',
      correspondence: 'none',
      stream: 'failed',
      findings: [
        { id: 'helo-mismatch', basis: 'inferred', evidence: { addresses: '198.51.100.7' } },
        { id: 'iprev-none', basis: 'inferred', evidence: {} },
      ],
      verdicts: {
        rfc5321: { disposition: 'accept', score: 2, reply: null, cause: 'iprev-none' },
        emailcore: { disposition: 'reject', score: 12, cause: 'helo-mismatch' },
        strict: {
          disposition: 'reject',
          score: 14,
          reply: expect.stringMatching(/^550 5\.7\.1 \[helo-mismatch\] /) as string,
        },
      },
    });
    expect((JSON.parse(out) as { dns: unknown[] }).dns).toContainEqual({
      name: 'mail.sender.org',
      type: 'A',
      status: 'found',
      records: ['198.51.100.7'],
      ttl: 60,
    });
  });

  it('explains to a person, hostile bytes escaped', async () => {
    const stub = await startDnsStub({
      'mail.sender.org TXT': [{ name: 'mail.sender.org', type: 'TXT', data: '\x1b[31mred\nx' }],
      'mail.sender.org': [],
    });
    const { out } = await run([
      'check',
      '203.0.113.5',
      'mail.sender.org',
      '--dns-server',
      stub.server,
      '--weight',
      'iprev-none=9',
    ]);
    await stub.close();
    expect(out).toMatch(/^203\.0\.113\.5 says HELO mail\.sender\.org\n\nThe name: a host of sender\.org\n/);
    expect(out).toMatch(/mail\.sender\.org +TXT +found +\\x1b\[31mred\\x0ax$/m);
    expect(out).toMatch(
      /rfc5321 +tempfail +score 7: helo-no-address 5, iprev-none 2\n +450 4\.7\.1 \[helo-no-address\]/,
    );
    expect(out).toMatch(/your options +reject +score 14: /);
    expect(out).toMatch(/^To mend it, [\s\S]*\n {2}mail\.sender\.org\. IN A 203\.0\.113\.5\n/m);
    expect(out).not.toMatch(/[^\x20-\x7e\n]/);
  });

  it.each([
    ['', 'none was given'],
    ['this is Jupiter', 'not in the grammar: a space is not allowed in a domain'],
    ['192.0.2.1', 'the address 192.0.2.1 without brackets'],
    ['[192.0.2.1]', 'the address literal of 192.0.2.1'],
    ['[x]', 'not in the grammar: no address inside the brackets'],
    ['Jupiter', 'a domain that the public DNS cannot hold'],
    ['sender.org', 'the domain sender.org'],
  ])('says what %j is', async (helo, words) => {
    const stub = await startDnsStub({});
    const { out } = await run(['check', '203.0.113.5', helo, '--dns-server', stub.server]);
    await stub.close();
    expect(out).toContain(`\nThe name: ${words}\n`);
  });

  it.each([
    [['--dns-zone', '/no/such/file'], /^helo-milter: --dns-zone: .*ENOENT/],
    [['--check', '/no/such/check.mjs'], /^helo-milter: --check \/no\/such\/check\.mjs: /],
  ])('%j ends with 64', async (args, message) => {
    const { code, err } = await run(['check', '203.0.113.5', 'x.org', ...args]);
    expect(err).toMatch(message);
    expect(code).toBe(64);
  });
});

describe('publish', () => {
  it('prints records whose sender is verified by them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'publish-'));
    const zone = join(directory, 'zone');
    const printed = await run(['publish', 'Mail.Sender.ORG.', '198.51.100.7', '2001:DB8::7']);
    expect(printed.code).toBe(0);
    writeFileSync(zone, printed.out);
    const verified = await run([
      'publish',
      'mail.sender.org',
      '198.51.100.7',
      '2001:db8::7',
      '--verify',
      '--dns-zone',
      zone,
    ]);
    expect(verified.out.match(/; ok: /g)).toHaveLength(7);
    expect(verified.code).toBe(0);
    for (const ip of ['198.51.100.7', '2001:db8::7']) {
      const { out } = await run(['check', ip, 'mail.sender.org', '--dns-zone', zone]);
      expect(out).toMatch(/SPF of the name +pass: authorized/);
      expect(out).toMatch(/CSA of the name +pass: authorized/);
      expect(out).toMatch(/_auth of its owner +pass: authorized/);
      expect(out).toContain('so: exact, stream verified');
    }
    rmSync(directory, { recursive: true });
  });

  it('says what is missing, and ends with 1', async () => {
    const stub = await startDnsStub({});
    const { code, out } = await run([
      'publish',
      'mail.sender.org',
      '198.51.100.7',
      '--verify',
      '--dns-server',
      stub.server,
    ]);
    await stub.close();
    expect(out.match(/; missing: /g)).toHaveLength(5);
    expect(code).toBe(1);
  });

  it.each([
    [['publish', 'Jupiter', '192.0.2.1'], /"Jupiter" is not the full name of a host/],
    [['publish', 'a_b.org', '192.0.2.1'], /"a_b\.org" is not/],
    [['publish', 'mail.org', 'x'], /"x" is not an IP address/],
    [['publish', 'mail.org'], /missing required argument/],
  ])('%j ends with 64', async (args, message) => {
    const { code, err } = await run(args);
    expect(err).toMatch(message);
    expect(code).toBe(64);
  });
});

describe('serve', () => {
  it('says what it does and how to attach it, and stops when told', async () => {
    const { code, out } = await run([...LISTEN, '--listen', 'inet:127.0.0.1:0']);
    expect(code).toBe(0);
    expect(out).toMatch(/^helo-milter 1\.2\.3 listens on inet:127\.0\.0\.1:\d+, inet:127\.0\.0\.1:\d+$/m);
    expect(out).toMatch(/^ {2}smtpd_milters = inet:127\.0\.0\.1:\d+ inet:127\.0\.0\.1:\d+$/m);
    expect(out).toMatch(/^stopping reason="the test" connections=0\nstopped\n$/m);
  });

  it.each([
    [['--observe'], 'observes only: nothing is refused'],
    [['--enforce-percent', '10'], 'acts on 10 % of the client networks'],
    [[], 'acts on every verdict'],
  ])('%j: %s', async (args, words) => {
    expect((await run([...LISTEN, ...args])).out).toContain(words);
  });

  it('serves an MTA and logs the decision', async () => {
    const { out } = await run([...LISTEN, '--grace', '0s'], async (state) => {
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(state.out)?.[1]);
      const socket = connect(port, '127.0.0.1');
      let received = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
      socket.write(
        Buffer.concat([mta.optneg(), mta.connect('127.0.0.1'), mta.helo('Jupiter'), mta.mail('s@x')]),
      );
      while (mta.replies(received).length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(mta.replies(received).slice(1)).toEqual(['c', 'c', 'a']);
      socket.destroy();
    });
    expect(out).toContain('decision client=127.0.0.1 helo=Jupiter action=accept exempt=loopback');
  });

  it.each([
    [[], 0x111, 0x150],
    [['--no-auth-results'], 0x100, 0x170],
  ])('%j asks the MTA for the actions %i and declines %i of it', async (args, actions, declined) => {
    await run([...LISTEN, '--grace', '0s', ...args], async (state) => {
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(state.out)?.[1]);
      const socket = connect(port, '127.0.0.1');
      socket.write(mta.optneg());
      const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
      expect(answer.readUInt32BE(9)).toBe(actions);
      expect(answer.readUInt32BE(13)).toBe(declined);
      socket.destroy();
    });
  });

  it('logs a fault that nobody foresaw, and goes on', async () => {
    const { out, code } = await run(LISTEN, (state) => {
      state.fault(new Error('boom'));
      state.fault('just a word');
      return Promise.resolve();
    });
    expect(out).toMatch(/^error internal at=uncaughtException detail="Error: boom\\x0a/m);
    expect(out).toMatch(/^error internal at=uncaughtException detail="just a word"$/m);
    expect(code).toBe(0);
  });

  it('reads the access list again when told; a bad one keeps the old and says so', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'access-'));
    const file = join(directory, 'access');
    writeFileSync(file, 'deny evil.org until=2001-01-01\n');
    const { out, code } = await run([...LISTEN, '--access', file], async (state) => {
      writeFileSync(file, 'deny evil.org\nallow good.org\n');
      state.reload();
      await vi.waitFor(() => {
        expect(state.out).toContain('error reload');
      });
      writeFileSync(file, 'deny evil.org\n');
      state.reload();
      await vi.waitFor(() => {
        expect(state.out).toContain('\nreloaded\n');
      });
    });
    expect(code).toBe(0);
    expect(out).toMatch(/^access-expired file=\S+ line=1$/m);
    expect(out).toMatch(
      /^error reload detail=".*access:2: an allow needs proof, .*" effect="what was read before stays"$/m,
    );
    expect((await run([...LISTEN, '--access', join(directory, 'none')])).err).toMatch(/--access: ENOENT/);
    rmSync(directory, { recursive: true });
  });

  it('logs a peer that breaks the protocol', async () => {
    const { out } = await run([...LISTEN, '--grace', '0s'], async (state) => {
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(state.out)?.[1]);
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.0\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve));
    });
    expect(out).toMatch(/^warning session at=protocol detail="packet length \d+ \(milter-protocol\)"$/m);
  });

  it('ends with 70 for a fault at the start', async () => {
    const terminal = fakeTerminal({
      write: () => {
        throw new Error('no output');
      },
    });
    expect(await runCommandLine(['--list-findings'], '1', terminal)).toBe(70);
  });
});
