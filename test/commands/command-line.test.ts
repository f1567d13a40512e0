import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { flagOf } from '../../src/config/option.ts';
import { OPTIONS } from '../../src/config/options.ts';
import type { Host } from '../../src/system/host.ts';
import { makeHost } from '../support/host.ts';
import { startDnsStub } from '../support/dns-stub.ts';
import * as mta from '../support/mta.ts';
import { fakeTerminal } from '../support/terminal.ts';
import { quietly } from '../support/quietly.ts';

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line to its end; by default a service stops as soon as it has started. */
async function run(
  args: readonly string[],
  whileServing: (terminal: {
    out: string;
    fault: (error: unknown) => void;
    reload: () => void;
    stopAgain: (reason: string) => void;
  }) => Promise<void> = () => Promise.resolve(),
  environment: Readonly<Record<string, string>> = {},
  host: Partial<Host> = {},
): Promise<Ran> {
  let stopping = false;
  const state = {
    stopAgain: (_reason: string): void => undefined,
    out: '',
    err: '',
    fault: (_error: unknown): void => undefined,
    reload: (): void => undefined,
  };
  const terminal = fakeTerminal({
    host: { ...makeHost(), ...host },
    write: (text) => (state.out += text),
    writeError: (text) => (state.err += text),
    untilStopped: async () => {
      if (stopping) return new Promise<string>((resolve) => (state.stopAgain = resolve));
      stopping = true;
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
  const code = await runCommandLine(args, '1.2.3', terminal, environment);
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
    [['--nonsense'], /unknown option '--nonsense'$/m],
    [['--rejct-at', '12'], /unknown option '--rejct-at'; did you mean --reject-at\?$/m],
    [['check', '192.0.2.1', 'a', '--grace', '1s'], /unknown option '--grace'$/m],
    [['chek'], /there is no command "chek"; did you mean check\?$/m],
    [['nonsense'], /there is no command "nonsense"/],
    [['--policy'], /argument missing/],
    [['--policy', 'lenient'], /--policy: "lenient" is not one of/],
    [['--weight', 'no-such=1'], /--weight: there is no finding "no-such"/],
    [['--dns-server', 'localhost'], /--dns-server: "localhost" is not an IP address/],
    [['--trust', '10.0.0.0/99'], /--trust: /],
    [['--listen', 'tcp:1'], /--listen: "tcp:1" is no socket to listen on/],
    [['--listen', 'inet:127.0.0.1:1', '--listen', 'inet:192.0.2.1:1'], /--listen: cannot listen on inet:/],
    [
      ['--listen', 'unix:/no/such/directory/socket'],
      /--listen: there is no directory \/no\/such\/directory$/m,
    ],
    [['--http', '0.0.0.0:9892'], /--http: 0\.0\.0\.0 is not loopback, .*http-public/],
    [[...LISTEN, '--http', '192.0.2.1:1', '--http-public'], /--http: cannot listen on 192\.0\.2\.1 port 1: /],
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
      'mail.sender.org TXT': [{ name: 'mail.sender.org', type: 'TXT', ttl: 300, data: '\x1b[31mred\nx' }],
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
    expect(out).toMatch(/mail\.sender\.org +TXT +found +\\x1b\[31mred\\x0ax \(TTL 300\)$/m);
    expect(out).toMatch(
      /rfc5321 +tempfail +score 7: helo-no-address 5, iprev-none 2\n +450 4\.7\.1 \[helo-no-address\]/,
    );
    expect(out).toMatch(/your options +reject +score 14: /);
    expect(out).toMatch(/^To fix it, the sender sends through the mail relay of its provider\.\n/m);
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
    [['--check', '/no/such/check.mjs'], /^helo-milter: --check: .*\/no\/such\/check\.mjs/],
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
    // A resolver that denied the top-level domain too would be at fault itself.
    const stub = await startDnsStub({ 'org NS': [{ name: 'org', type: 'NS', ttl: 60, data: 'a.nic.test' }] });
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

  it('does not miss what is optional', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'publish-'));
    const zone = join(directory, 'zone');
    const args = ['publish', 'mail.sender.org', '198.51.100.7'];
    writeFileSync(zone, (await run(args)).out.replaceAll(/^_.*\n/gm, ''));
    const { code, out } = await run([...args, '--verify', '--dns-zone', zone]);
    expect(out.match(/; missing: .*(?:optional|experimental)$/gm)).toHaveLength(2);
    expect(code).toBe(0);
    rmSync(directory, { recursive: true });
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
    expect(out).toMatch(
      /^ {2}postconf -h helo_milter .* \|\| postconf -e 'helo_milter = \{ inet:127\.0\.0\.1:\d+, connect_timeout=5s, command_timeout=15s, content_timeout=30s, default_action=tempfail \}' 'smtpd_helo_required = yes'$/m,
    );
    expect(out.slice(0, out.indexOf('stopping')).trimEnd().split('\n')).toHaveLength(10);
    expect(out).toMatch(/^stopping reason="the test" connections=0\nstopped\n$/m);
  });

  it.each<[number, RegExp | null]>([
    [Infinity, null],
    [65_536, null],
    [20_096, null],
    [
      20_095,
      /^warning descriptors detail="at most some 19999 SMTP connections at a time are served, not 20000/m,
    ],
    [1024, /some 928 SMTP .*; it may open 1024 files: raise \\"ulimit -n\\" or LimitNOFILE= .* 65536/],
    [25, /some 0 SMTP/],
  ])('with %d open files it warns of %s', async (limit, warning) => {
    const { out } = await run(LISTEN, undefined, {}, { openFiles: () => limit });
    if (warning === null) expect(out).not.toContain('descriptors');
    else expect(out).toMatch(warning);
  });

  // As a shell runs it, with a postconf that says what main.cf has, and notes what it is told to write.
  it.each<[string, 'written' | 'shown']>([
    ['', 'written'],
    ['SOCKET', 'written'],
    ['{ SOCKET, command_timeout=15s }', 'written'],
    ['{SOCKET}', 'written'],
    ['{ SOCKET0, command_timeout=15s }', 'shown'],
    ['{ inet:127.0.0.1:1, command_timeout=15s }', 'shown'],
    ['unix:helo-milter/socket', 'shown'],
  ])('a helo_milter "%s" is %s by its command', async (value, fate) => {
    const { out } = await run(LISTEN);
    const [socket = ''] = /inet:127\.0\.0\.1:\d+/.exec(out) ?? [];
    const [, command = ''] = /^ {2}(postconf -h helo_milter .*)$/m.exec(out) ?? [];
    const has = value.replace('SOCKET', socket);
    const postconf = `postconf() { case $1 in -h) [ -z '${has}' ] || echo '${has}';; -e) echo "written $2";; esac; }`;
    const said = execFileSync('sh', ['-c', `${postconf}\n${command}`], { encoding: 'utf8' });
    if (fate === 'shown') expect(said).toBe(`${has}\n`);
    else expect(said).toMatch(/^written helo_milter = \{ inet:/);
    expect(out).toContain('docs/farm.md');
  });

  it.each([
    [['--observe'], 'observes only: nothing is refused'],
    [['--enforce-percent', '10'], 'acts on 10 % of the client networks'],
    [[], 'acts on every verdict'],
  ])('%j: %s', async (args, words) => {
    const { out } = await run([...LISTEN, ...args]);
    expect(out).toContain(words);
    // Mail need not wait for a milter that refuses nothing.
    expect(out).toContain(`default_action=${args.includes('--observe') ? 'accept' : 'tempfail'} }'`);
  });

  it('says where it serves its numbers, and serves them', async () => {
    const { out, code } = await run([...LISTEN, '--http', '127.0.0.1:0', '--http-page'], async (state) => {
      const [, origin = ''] =
        /^metrics and health at (http:\/\/127\.0\.0\.1:\d+)\/metrics/m.exec(state.out) ?? [];
      const response = await fetch(`${origin}/metrics`);
      expect(await response.text()).toContain('helo_milter_sessions 0\n');
      expect(state.out).toContain(`the page at ${origin}/\n`);
    });
    expect(out).toMatch(/^stopped$/m);
    expect(code).toBe(0);
  });

  it('serves an MTA and logs the decision', async () => {
    const { out } = await run([...LISTEN, '--grace', '0s'], async (state) => {
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(state.out)?.[1]);
      const socket = quietly(connect(port, '127.0.0.1'));
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
      const socket = quietly(connect(port, '127.0.0.1'));
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
      writeFileSync(file, '\ndeny evil.org until=2001-01-01\ndeny worse.org until=2001-01-01\n');
      state.reload();
      await vi.waitFor(() => {
        expect(state.out).toContain('\nreloaded\n');
      });
    });
    expect(code).toBe(0);
    // Told once, though the file was read again and the line has moved.
    expect(out.match(/^access-expired .*/gm)).toEqual([
      expect.stringMatching(/^access-expired file=\S+ line=1$/),
      expect.stringMatching(/^access-expired file=\S+ line=3$/),
    ]);
    expect(out).toMatch(
      /^error reload detail=".*access:2: an allow needs proof, .*" effect="what was read before stays"$/m,
    );
    expect((await run([...LISTEN, '--access', join(directory, 'none')])).err).toMatch(/--access: ENOENT/);
    rmSync(directory, { recursive: true });
  });

  it('logs a peer that breaks the protocol', async () => {
    const { out } = await run([...LISTEN, '--grace', '0s'], async (state) => {
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(state.out)?.[1]);
      const socket = quietly(connect(port, '127.0.0.1'));
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

  it('a second wish to stop cuts the grace time short', async () => {
    const started = Date.now();
    let closed: Promise<unknown> = Promise.resolve();
    const { out, code } = await run([...LISTEN, '--grace', '1h'], async (state) => {
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(state.out)?.[1]);
      const socket = quietly(connect(port, '127.0.0.1'));
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write(mta.optneg());
      await new Promise((resolve) => socket.once('data', resolve));
      closed = new Promise((resolve) => socket.once('close', resolve));
      setTimeout(() => {
        state.stopAgain('the test');
      }, 100);
    });
    await closed;
    expect(code).toBe(0);
    expect(out).toMatch(/^stopping reason="the test" connections=1\nstopped$/m);
    expect(Date.now() - started).toBeLessThan(60_000);
  });
});

describe('the configuration', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  function file(text: string): string {
    const path = join(directory, 'helo-milter.toml');
    writeFileSync(path, text);
    return path;
  }

  it('flag before environment before file before default', async () => {
    const config = file(
      'listen = "inet:127.0.0.1:0"\npolicy = "strict"\nreject-at = 20\ntempfail-at = 15\nobserve = true\n',
    );
    const { out } = await run(['--config', config, '--reject-at', '30'], undefined, {
      HELO_MILTER_REJECT_AT: '25',
      HELO_MILTER_TEMPFAIL_AT: '16',
      HELO_MILTER_OBSERVE: 'no',
    });
    expect(out).toContain('policy strict: reject at 30, tempfail at 16, verdict at rcpt\n');
    expect(out).toContain(`acts on every verdict; configuration ${config}\n`);
  });

  it('the environment may name the file', async () => {
    const config = file('reject-at = 20\n');
    const { out, code } = await run(['--print-config'], undefined, { HELO_MILTER_CONFIG: config });
    expect(code).toBe(0);
    expect(out).toContain(`\nreject-at = 20 # ${config}:1:1\n`);
  });

  it('reaches every command, and so do flags before its name', async () => {
    const config = file('dns-server = "127.0.0.1:9"\ndeadline = "200ms"\nweight = { helo-literal = 50 }\n');
    for (const args of [
      ['check', '--config', config, '192.0.2.1', '[192.0.2.1]'],
      ['--config', config, 'check', '192.0.2.1', '[192.0.2.1]'],
      ['--weight', 'helo-literal=50', '--dns-server', '127.0.0.1:9', 'check', '192.0.2.1', '[192.0.2.1]'],
    ]) {
      expect((await run(args)).out).toMatch(/your options +reject +score 50: helo-literal 50/);
    }
    const broken = file('dns-server = "nobody"\n');
    const { err, code } = await run(['publish', 'mail.org', '192.0.2.1', '--verify', '--config', broken]);
    expect(err).toContain(`${broken}:1:14: dns-server: "nobody" is not an IP address`);
    expect(code).toBe(78);
  });

  it.each<[what: string, args: string[], environment: Record<string, string>, code: number, err: RegExp]>([
    ['a flag', ['--reject-at', 'x'], {}, 64, /^helo-milter: --reject-at: "x" is not a number/],
    ['a variable', [], { HELO_MILTER_REJECT_AT: 'x' }, 64, /^helo-milter: HELO_MILTER_REJECT_AT: "x" is not/],
    ['no file', ['--config', '/no/such/file'], {}, 64, /^helo-milter: --config: ENOENT/],
    [
      'no file in a variable',
      [],
      { HELO_MILTER_CONFIG: '/no/such' },
      64,
      /^helo-milter: HELO_MILTER_CONFIG: ENOENT/,
    ],
    [
      'a file',
      ['--config', 'FILE:reject-at = "x"'],
      {},
      78,
      /^helo-milter: .*\.toml:1:13: reject-at: "x" is not/,
    ],
    [
      'a key',
      ['--config', 'FILE:rejct-at = 1'],
      {},
      78,
      /\.toml:1:1: there is no option "rejct-at"; did you mean reject-at\?$/m,
    ],
    [
      'a weight',
      ['--config', 'FILE:[weight]\nhelo-mismach = 5'],
      {},
      78,
      /\.toml:2:1: weight: there is no finding "helo-mismach"; did you mean helo-mismatch\?$/m,
    ],
    [
      'a socket',
      ['--config', 'FILE:listen = ["inet:127.0.0.1:0", "tcp:1"]'],
      {},
      78,
      /\.toml:1:31: listen: "tcp:1" is no socket/,
    ],
    ['a list that is not there', ['--config', 'FILE:access = "none"'], {}, 78, /\.toml:1:10: access: ENOENT/],
    ['a list', ['--access', 'FILE:allow x.org'], {}, 78, /^helo-milter: .*\.toml:1: an allow needs proof/],
    [
      'two',
      ['--config', 'FILE:a = 1\nbb = 2'],
      {},
      78,
      /:1:1: there is no option "a"\nhelo-milter: .*:2:1: there is no option "bb"/,
    ],
    [
      'a user, with --check-config',
      ['--check-config', '--user', 'no-such'],
      {},
      78,
      /--user: there is no user/,
    ],
    [
      'a group without a user, with --check-config',
      ['--check-config', '--group', 'root'],
      {},
      78,
      /--group: it needs --user/,
    ],
    [
      'the group of a socket, with --check-config',
      ['--check-config', '--config', 'FILE:socket-group = "no-such"'],
      {},
      78,
      /\.toml:1:16: socket-group: there is no group "no-such"/,
    ],
    ...(
      ['listen = "unix:/no/such/s"', 'pid-file = "/no/such/p"', 'decision-log = "/no/such/d"'] as const
    ).map((line): [string, string[], Record<string, string>, number, RegExp] => [
      `${line} with --check-config`,
      ['--check-config', '--config', `FILE:${line}`],
      {},
      78,
      /\.toml:1:\d+: [a-z-]+: there is no directory \/no\/such/,
    ]),
    [
      'the decision log',
      [...LISTEN, '--config', 'FILE:decision-log = "/no/such/d"'],
      {},
      78,
      /\.toml:1:16: decision-log: there is no directory/,
    ],
    [
      'a page for help',
      ['--help-url', 'example.org/helo'],
      {},
      64,
      /--help-url: "example\.org\/helo" is not a URL/,
    ],
    [
      'with --check-config, a flag',
      ['--check-config', '--reject-at', 'x'],
      {},
      78,
      /^helo-milter: --reject-at: /,
    ],
  ])('%s at fault', async (_, args, environment, code, err) => {
    const real = args.map((arg) => (arg.startsWith('FILE:') ? file(arg.slice(5)) : arg));
    const ran = await run(real, undefined, environment);
    expect(ran.err).toMatch(err);
    expect(ran.out).toBe('');
    expect(ran.code).toBe(code);
  });

  it('--check-config says ok, and what may surprise', async () => {
    const config = file('policy = "strict"\ndeadline = "12s"\n');
    const { out, code } = await run(['--check-config', '--config', config]);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(
        /^warning: \S+toml:1:1: crosses RFC 5321 §4\.1\.4: helo-mismatch 10 alone reaches reject-at 10/,
      ),
      expect.stringMatching(/^warning: \S+toml:2:1: 12s is as long as Sendmail waits/),
      `ok (${config})`,
      '',
    ]);
    expect(code).toBe(0);
    expect((await run(['--check-config'])).out).toBe(
      'ok (no configuration file was named, so none was read)\n',
    );
  });
});
