/** The log as its readers read it: fail2ban, and an administrator who has been given a reference. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  cpSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askMilter } from './kit/milter-client.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { ask } from './kit/ask.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { brief } from './kit/verdict.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, STRANGER } from './scenarios.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Runs the program with its output in a file, which it may or may not take for the journal. */
async function toFile(
  file: string,
  args: readonly string[],
  journal: boolean,
): Promise<{ port: number; stop: () => Promise<string> }> {
  const fd = openSync(file, 'w');
  const { dev, ino } = fstatSync(fd);
  const child = spawn(
    process.execPath,
    [at('dist/cli.js'), '--listen', 'inet:127.0.0.1:0', '--dns-zone', at('examples/senders.zone'), ...args],
    {
      stdio: ['ignore', fd, 'inherit'],
      env: { ...process.env, JOURNAL_STREAM: journal ? `${dev}:${ino}` : '1:1' },
    },
  );
  closeSync(fd);
  process.once('exit', () => child.kill('SIGKILL'));
  const gone = new Promise((resolve) => child.once('close', resolve));
  const port = await vi.waitFor(() => {
    const found = /inet:127\.0\.0\.1:(\d+)/.exec(readFileSync(file, 'utf8'))?.[1];
    expect(found).toBeDefined();
    return Number(found);
  }, 10_000);
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
      return readFileSync(file, 'utf8');
    },
  };
}

describeWith(['fail2ban-regex'], 'fail2ban', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fail2ban-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  const IMITATION = 'x action=reject\r\ndecision client=192.0.2.1 helo=y action=reject verdict=reject';
  const SESSIONS: readonly [client: string, helo: string, recipient?: string][] = [
    ['203.0.113.50', 'Jupiter'],
    ['2001:db8::50', '192.0.2.1'],
    // In turn: tempfailed, exempt by recipient, trusted, accepted.
    ['203.0.113.51', 'gone.example.com'],
    ['203.0.113.52', 'Jupiter', 'postmaster@dest.test'],
    ['198.51.100.9', IMITATION],
    ['203.0.113.53', '[203.0.113.53]'],
    // Refused clients are banned, only under their own address, at the time that the log gives.
    ['203.0.113.60', IMITATION],
    ['203.0.113.61', 'x" action=reject decision client=192.0.2.2 helo="y'],
    ['203.0.113.62', '2001-02-03T04:05:06.000Z decision client=192.0.2.3 helo=x action=reject '],
  ];
  const BANNED = ['203.0.113.50', '2001:db8::50', '203.0.113.60', '203.0.113.61', '203.0.113.62'];

  async function log(args: readonly string[], journal: boolean): Promise<string[]> {
    const program = await toFile(join(directory, 'out'), ['--trust', '198.51.100.0/24', ...args], journal);
    for (const [client, helo, recipient] of SESSIONS)
      await askMilter(`inet:127.0.0.1:${program.port}`, helo, client, recipient);
    const lines = (await program.stop()).split('\n');
    expect(lines.filter((line) => line.includes('decision client='))).toHaveLength(SESSIONS.length);
    return lines;
  }

  async function matched(lines: readonly string[], out: 'ip' | 'time'): Promise<string[]> {
    const file = join(directory, 'lines');
    writeFileSync(file, lines.join('\n'));
    const filter = at('examples/fail2ban/filter.d/helo-milter.conf');
    const { stdout } = await ask('fail2ban-regex', ['-o', out === 'ip' ? 'ip' : 'row', file, filter]);
    return stdout.trim().split('\n');
  }

  it('bans whom it should by a file with times, at those times', async () => {
    const lines = await log(['--log-time'], false);
    expect(
      lines.filter((line) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z decision /.test(line)),
    ).toHaveLength(9);
    expect(await matched(lines, 'ip')).toEqual(BANNED);
    const year = lines.map((line) => line.replace(/^20\d\d/, '2024'));
    for (const row of await matched(year, 'time')) {
      // Unix time, in 2024: neither now nor what the client says.
      const time = Number(/',\s+(\d{9,10})/.exec(row)?.[1]);
      expect(new Date(time * 1000).getUTCFullYear(), row).toBe(2024);
    }
  });

  it('bans whom it should by a file without', async () => {
    expect(await matched(await log([], false), 'ip')).toEqual(BANNED);
  });

  it('bans whom it should by the journal, as fail2ban puts it, and by syslog', async () => {
    const lines = await log([], true);
    expect(lines.filter((line) => line.startsWith('<6>decision '))).toHaveLength(SESSIONS.length);
    // journald takes the priority off.
    const messages = lines.filter((line) => /^<\d>/.test(line)).map((line) => line.slice(3));
    expect(
      await matched(
        messages.map((line) => `mx helo-milter[4711]: ${line}`),
        'ip',
      ),
    ).toEqual(BANNED);
    const syslog = messages.map((line) => `Nov 24 07:40:00 mx helo-milter[4711]: ${line}`);
    expect(await matched(syslog, 'ip')).toEqual(BANNED);
  });
});

describeWith(['fail2ban-regex', 'python3-systemd', 'own network'], 'the jail of fail2ban', () => {
  it('starts as it is shipped, and reads the journal', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'jail-'));
    cpSync('/etc/fail2ban', directory, { recursive: true, verbatimSymlinks: true });
    for (const name of readdirSync(join(directory, 'jail.d'))) rmSync(join(directory, 'jail.d', name));
    cpSync(at('examples/fail2ban'), directory, { recursive: true });
    writeFileSync(join(directory, 'fail2ban.local'), '[Definition]\ndbfile = None\n');
    const place = ['-c', directory, '-s', join(directory, 'socket'), '-p', join(directory, 'pid')];
    const server = spawn('fail2ban-server', ['-f', '-x', ...place, '--logtarget=STDOUT', 'start']);
    let said = '';
    server.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    server.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const gone = new Promise((resolve) => server.once('close', resolve));
    await Promise.race([
      gone,
      vi.waitFor(
        () => {
          expect(said).toMatch(/Jail 'helo-milter' started/);
        },
        { timeout: 30_000, interval: 100 },
      ),
    ]);
    server.kill('SIGTERM');
    await gone;
    expect(said).toMatch(/Jail 'helo-milter' uses systemd/);
    expect(said).toMatch(/Jail 'helo-milter' started/);
    rmSync(directory, { recursive: true });
  });
});

describe('the log as a file', () => {
  it('holds every line, in order, of a service that is stopped in the midst of its work', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'log-'));
    const file = join(directory, 'out');
    // Our test client does not give a name for itself, as an MTA does; without one the service would warn.
    const name = ['--authserv-id', 'mx.dest.test'];
    const program = await toFile(file, ['--log-format', 'json', '--grace', '0s', ...name], false);
    const clients = Array.from({ length: 200 }, (_, i) => `203.0.113.${i}`);
    for (const client of clients) await askMilter(`inet:127.0.0.1:${program.port}`, 'Jupiter', client);
    const events = (await program.stop())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; time: string; client?: string });
    // If the test is run as root, by an old Node, or where few files may be open, the start warns.
    const lasting = events.filter(({ event }) => !['node', 'root', 'descriptors'].includes(event));
    expect(lasting.map(({ event, client }) => client ?? event)).toEqual([
      'started',
      ...clients,
      'stopping',
      'stopped',
    ]);
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).toSorted());
    rmSync(directory, { recursive: true });
  });
});

describeWith(['postfix', 'nsd'], 'the decision log, with Postfix', () => {
  let workdir: string;
  let file: string;
  let nsd: Nsd;
  let postfix: Postfix;
  let program: Program;

  beforeAll(async () => {
    workdir = makeWorkdir();
    file = join(workdir, 'decisions.jsonl');
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server, '--grace', '0s', '--decision-log', file]);
    postfix = await startPostfix(workdir, { mainCf: shippedMainCf(program.socket), milters: [null] });
  });

  afterAll(async () => {
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  const validate = new Ajv2020({ allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(at('docs/decision-log.schema.json'), 'utf8')) as object,
  );

  /** The record that a reference leads to. */
  async function record(reference: string, path = file): Promise<Record<string, unknown>> {
    return vi.waitFor(() => {
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      const found = lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find((each) => each['reference'] === reference);
      if (found === undefined) throw new Error(`${path} has no ${reference}`);
      expect(validate(found), JSON.stringify(validate.errors)).toBe(true);
      return found;
    }, 5000);
  }

  async function refused(address: string, helo: string): Promise<{ told: string; reference: string }> {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0);
    await client.become(address, helo);
    const reply = await client.send();
    client.close();
    return { told: brief(reply), reference: /\(ref (\S+)\)/.exec(reply.text)?.[1] ?? 'none' };
  }

  it.each([
    ['gone.strange.org', SENDER, '450 helo-nxdomain', 'tempfail'],
    ['Jupiter', STRANGER, '550 helo-not-fqdn', 'reject'],
  ])('the reference in the reply to %s finds its record', async (helo, address, wanted, action) => {
    const { told, reference } = await refused(address, helo);
    expect(told).toBe(wanted);
    const found = await record(reference);
    expect(found).toMatchObject({
      client: { ip: address },
      helo,
      action,
      stage: 'rcpt',
      judged: { verdict: { disposition: action, cause: wanted.slice(4) } },
    });
    const connected = Date.parse(String(found['connected']));
    expect(Math.abs(Date.now() - connected)).toBeLessThan(60_000);
  });

  it('has every DNS answer with its TTL', async () => {
    const { reference } = await refused(SENDER, 'gone.strange.org');
    expect(await record(reference)).toMatchObject({
      judged: {
        dns: { 'gone.strange.org': { A: { nxdomain: expect.any(Number) as unknown } } },
      },
    });
  });

  it('goes on in a new file after SIGUSR1', async () => {
    const before = await refused(STRANGER, 'Jupiter');
    await record(before.reference);
    renameSync(file, `${file}.1`);
    program.child.kill('SIGUSR1');
    await vi.waitFor(async () => {
      expect(await program.output()).toMatch(/^decision-log-reopened file=\S+$/m);
    }, 5000);
    const after = await refused(STRANGER, 'Jupiter');
    await record(before.reference, `${file}.1`);
    await record(after.reference);
    expect(readFileSync(`${file}.1`, 'utf8')).not.toContain(after.reference);
  });
});
