/**
 * Two independent clients of the milter protocol, built by `.ci/parts`: Postfix's own, as a program, with
 * every protocol version and every address family; and `milter-check` of go-milter, with a whole message.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MilterServer, type MilterSession, formatSocketAddress } from '../../src/milter/index.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { describeWith, PARTS } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, SENDER6, STRANGER } from './scenarios.ts';
import { feed } from '../support/quietly.ts';

const VERSIONS = ['2', '3', '4', '6'];

/**
 * Runs a program to its end; resolves to what it wrote to stdout and stderr, in order. Rejects if it fails.
 */
async function run(
  program: string,
  args: readonly string[],
  input: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  // One file for both: from two pipes the order would be lost.
  const directory = mkdtempSync(join(tmpdir(), 'client-'));
  const written = openSync(join(directory, 'output'), 'a+');
  const child = spawn(join(PARTS, program), args, {
    env: { ...process.env, ...environment },
    stdio: ['pipe', written, written],
  });
  feed(child.stdin, input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  closeSync(written);
  const output = readFileSync(join(directory, 'output'), 'latin1');
  rmSync(directory, { recursive: true });
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${output}`);
  return output;
}

/**
 * Sends these commands through Postfix's client; returns the replies other than "go on", each after its
 * command.
 */
async function postfixSays(
  socket: string,
  version: string,
  commands: readonly string[],
  macros: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const input = [`create ${socket}`, ...commands, 'disconnect', 'free', ''].join('\n');
  const output = await run('pf-milter', ['-p', version], input, macros);
  const told: string[] = [];
  let command = '';
  for (const line of output.split('\n')) {
    if (line.startsWith('> ')) command = line.slice(2).split(' ')[0] ?? '';
    else if (line !== '')
      told.push(`${command}: ${line.replace(/^\S+: /, '').replace(/^(\d{3}) .*\[([a-z-]+)\].*$/, '$1 $2')}`);
  }
  return told;
}

const from = (address: string, family = 'AF_INET'): string => `connect client.test ${address} 4711 ${family}`;
const message = ['mail <a@sender.org>', 'rcpt <b@dest.test>', 'data'];

describeWith(['pf-milter', 'nsd'], 'the client of Postfix', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    // The driver does not send {j}: without the option --authserv-id its mail would not be tagged.
    program = await startProgram(['--dns-server', nsd.server, '--authserv-id', 'mx.dest.test']);
  });

  afterAll(async () => {
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  const CASES: { title: string; commands: string[]; told: string[]; macros?: Record<string, string> }[] = [
    { title: 'a good name', commands: [from(SENDER), 'ehlo mail.sender.org', ...message], told: [] },
    {
      title: 'a good name over IPv6',
      commands: [from(SENDER6, 'AF_INET6'), 'ehlo mail.sender.org', ...message],
      told: [],
    },
    {
      title: 'a bad name, and postmaster',
      commands: [from(SENDER), 'ehlo Jupiter', ...message.slice(0, 2), 'rcpt <postmaster@dest.test>'],
      told: ['rcpt: 550 helo-not-fqdn'],
    },
    {
      title: 'another name in between',
      commands: [
        from(SENDER),
        'helo gone.strange.org',
        ...message.slice(0, 2),
        'helo mail.sender.org',
        ...message,
        'unknown BOGUS',
        'ehlo Jupiter',
        ...message.slice(0, 2),
      ],
      told: ['rcpt: 450 helo-nxdomain', 'rcpt: 550 helo-not-fqdn'],
    },
    {
      title: 'a client that has logged in',
      commands: [from(SENDER), 'ehlo Jupiter', ...message],
      macros: { '{auth_authen}': 'bob' },
      told: [],
    },
    {
      title: 'the name of the MTA itself',
      commands: [from(STRANGER), 'ehlo mail.sender.org', ...message.slice(0, 2)],
      macros: { '{j}': 'mail.sender.org' },
      told: ['rcpt: 550 helo-claims-us'],
    },
    {
      title: 'a client on a unix socket',
      commands: ['connect here / 0 AF_UNIX', 'ehlo Jupiter', ...message],
      told: [],
    },
    {
      title: 'a client of a family that is not known',
      commands: ['connect nowhere x 0 AF_UNSPEC', 'ehlo Jupiter', ...message.slice(0, 2)],
      told: ['rcpt: 550 helo-not-fqdn'],
    },
    { title: 'no HELO', commands: [from(SENDER), ...message], told: [] },
    { title: 'nothing but a connection', commands: [from(SENDER)], told: [] },
  ];

  it.each(VERSIONS.flatMap((version) => CASES.map((each) => ({ version, ...each }))))(
    'version $version: $title',
    async ({ version, commands, told, macros }) => {
      expect(await postfixSays(program.socket, version, commands, macros)).toEqual(told);
    },
  );

  it.each(VERSIONS)(
    'version %s: a filter of the library hears every event that the version has',
    async (version) => {
      const heard: string[] = [];
      const note = (event: string) => () => {
        heard.push(event);
        return 'continue' as const;
      };
      const newSession = (): MilterSession => ({
        connect: note('connect'),
        helo: note('helo'),
        mail: note('mail'),
        rcpt: note('rcpt'),
        data: note('data'),
        unknown: note('unknown'),
        close: () => heard.push('close'),
      });
      const server = new MilterServer({
        newSession,
        onError: (error) => heard.push(String(error)),
      });
      const socket = formatSocketAddress(await server.listen('inet:127.0.0.1:0'));
      const told = await postfixSays(socket, version, [from(SENDER), 'ehlo x', ...message, 'unknown BOGUS']);
      await server.close({ graceMs: 1000 });
      expect(told).toEqual([]);
      const since: Partial<Record<string, number>> = { data: 4, unknown: 3 };
      const wanted = ['connect', 'helo', 'mail', 'rcpt', 'data', 'unknown', 'close'];
      expect(heard).toEqual(wanted.filter((event) => Number(version) >= (since[event] ?? 2)));
    },
  );
});

describeWith(['milter-check', 'nsd'], 'milter-check of go-milter', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let path: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    path = join(workdir, 'milter.sock');
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram([
      '--dns-server',
      nsd.server,
      '--listen',
      'inet:127.0.0.1:0',
      '--listen',
      `unix:${path}`,
      '--authserv-id',
      'localhost',
    ]);
  });

  afterAll(async () => {
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  const HEADER = 'Subject: t\r\nAuthentication-Results: localhost; x-helo=pass\r\n\r\nbody\r\n';

  async function check(transport: string, helo: string, address: string): Promise<string[]> {
    const where = transport === 'unix' ? path : program.socket.replace('inet:', '');
    const args = [
      '-transport',
      transport,
      '-address',
      where,
      '-helo',
      helo,
      '-conn-addr',
      address,
      '-actions',
      '511',
    ];
    const output = await run('milter-check', args, HEADER);
    return output
      .split('\n')
      .filter((line) => /^\d{4}\//.test(line))
      .map((line) => line.replace(/^\S+ \S+ /, ''));
  }

  it.each(['tcp', 'unix'])('%s: a whole message, tagged, its forged tag removed', async (transport) => {
    expect(await check(transport, 'mail.sender.org', SENDER)).toEqual([
      'CONNECT: continue',
      'HELO: continue',
      'MAIL: continue',
      'RCPT: continue',
      'HEADER: continue',
      'change header: at 1, name Authentication-Results, value ',
      'insert header: at 0, name Authentication-Results, value localhost;',
      'EOB: accept',
    ]);
  });

  it.each(['tcp', 'unix'])('%s: a refusal', async (transport) => {
    const lines = await check(transport, 'Jupiter', SENDER);
    expect(lines.slice(0, 3)).toEqual(['CONNECT: continue', 'HELO: continue', 'MAIL: continue']);
    expect(lines[3]).toMatch(/^RCPT: .*550/);
  });
});
