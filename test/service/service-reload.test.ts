/** Changes each option while the service runs, and shows what that changes for a client. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigSource } from '../../src/config/source.ts';
import { createLog, type Log } from '../../src/log/log.ts';
import { nameOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import { type Service, startService } from '../../src/service/service.ts';
import { RELOAD_FILES, type Reload, RELOADS } from '../fixtures/reloads.ts';
import { type DnsStub, startDnsStub } from '../support/dns-stub.ts';
import { connectPeer } from '../support/milter-peer.ts';
import * as mta from '../support/mta.ts';

let directory: string;
let empty: DnsStub;
let full: DnsStub;
let silent: UdpSocket;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reload-'));
  for (const [name, text] of Object.entries(RELOAD_FILES)) writeFileSync(join(directory, name), text);
  empty = await startDnsStub({});
  full = await startDnsStub({
    'mail.sender.org A': [{ name: 'mail.sender.org', type: 'A', ttl: 60, data: '198.51.100.7' }],
    'mail.sender.org': [],
  });
  silent = createSocket('udp4');
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await empty.close();
  await full.close();
  silent.close();
  rmSync(directory, { recursive: true });
});

interface Running {
  readonly service: Service;
  readonly lines: string[];
  readonly configure: (toml: string) => void;
}

async function start(toml: string): Promise<Running> {
  const file = join(mkdtempSync(join(directory, 'config-')), 'helo-milter.toml');
  const configure = (text: string): void => {
    const resolver = /^dns-/m.test(text) ? '' : `dns-zone = "${directory}/zone"\n`;
    writeFileSync(
      file,
      `${resolver}${text}\n`
        .replaceAll('DIR', directory)
        .replace('SERVER-EMPTY', empty.server)
        .replace('SERVER-FULL', full.server)
        .replace('SERVER-SILENT', `127.0.0.1:${silent.address().port}`),
    );
  };
  configure(toml);
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line.trimEnd()));
  const source = new ConfigSource(new Map([['listen', ['inet:127.0.0.1:0']]]), { file });
  const faulty: Log = {
    ...log,
    write: (level, text) => {
      // A fault of our own, for --on-error.
      if (text.includes('fault.sender.org')) throw new Error('boom');
      log.write(level, text);
    },
  };
  return { service: await startService(await source.read(), faulty, { source }), lines, configure };
}

const DAEMON = { j: 'mx.dest.test', '{daemon_name}': 'probe' };

const portOf = ({ service }: Running): number => Number(/:(\d+)$/.exec(service.sockets[0] ?? '')?.[1]);

/** What each session was told, and its last log line. */
async function sessions(running: Running, reload: Reload, letter: string): Promise<string> {
  const {
    ip = '198.51.100.7',
    helos = ['mail.sender.org'],
    recipient = 'user@dest.test',
    pauseMs = 0,
    field,
  } = reload;
  const before = running.lines.length;
  let told = '';
  for (const [i, helo] of helos.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const { socket, ask } = await connectPeer(portOf(running));
    let said: string[] = [];
    /** Sends packets and waits for one more reply. */
    const say = async (...packets: Buffer[]): Promise<string> => {
      said = await ask(Buffer.concat(packets), said.length + 1);
      return said.at(-1) ?? '';
    };
    await say(mta.optneg());
    await say(mta.macros('C', DAEMON), mta.connect(ip));
    if (helo !== '') await say(mta.macros('H'), mta.helo(helo.replace('#', letter)));
    const mail = await say(mta.macros('M', { ...DAEMON, i: 'Q1' }), mta.mail('s@sender.org'));
    if (mail === 'c' && (await say(mta.macros('R'), mta.rcpt(recipient))) === 'c') {
      if (field !== undefined) {
        await say(mta.macros('L'), mta.header('Authentication-Results', field));
      }
      await say(mta.macros('E'), mta.endOfMessage);
    }
    socket.destroy();
    // A message that is not finished is decided when its connection ends.
    while (running.service.connections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    told = said.slice(1).join('\n');
  }
  return `${told}\n${
    running.lines
      .slice(before)
      .filter((line) => /^(?:decision|trace) /.test(line))
      .at(-1) ?? ''
  } `;
}

describe('a reload', () => {
  it.each(ROWS.filter(([, { restart }]) => restart !== true))(
    'that changes %s',
    { timeout: 30_000 },
    async (key) => {
      const reload = RELOADS[key];
      if (reload === undefined)
        throw new Error(`give ${key} a row in test/fixtures/reloads.ts, or \`restart: true\` in its table`);
      const running = await start(reload.before ?? '');
      expect(await sessions(running, reload, 'a')).toMatch(reload.was);
      running.configure(reload.after);
      await running.service.reload();
      const [line] = running.lines.filter((each) => each.startsWith('reloaded'));
      expect(line).toMatch(new RegExp(`^reloaded changed=(?:\\S+,)?${nameOf(key)}(?:,|$)`));
      expect(running.lines.filter((each) => each.startsWith('error reload'))).toEqual([]);
      expect(await sessions(running, reload, 'b')).toMatch(reload.is);
      const open = await connectPeer(portOf(running));
      await open.ask(mta.optneg(), 1);
      // With --grace 1h this would never end.
      if (key !== 'grace') await running.service.stop(0);
      else await running.service.stop();
      open.socket.destroy();
    },
  );

  it('of an option that is read at the start only says so, and changes the others', async () => {
    const running = await start('socket-mode = "0600"');
    running.configure('socket-mode = "0660"\nobserve = true');
    await running.service.reload();
    expect(running.lines).toEqual([
      'reloaded changed=observe',
      'warning reload options=socket-mode effect="they stay as they are until the program is started again"',
    ]);
    await running.service.reload();
    // What repeats is counted, not repeated.
    expect(running.lines.slice(2)).toEqual(['reloaded']);
    await running.service.stop(0);
  });

  it('keeps cached assessments while the same is asked of the same servers', async () => {
    const session = { after: '', was: /./, is: /./ };
    const running = await start('dns-server = "SERVER-FULL"');
    const cached = async (): Promise<string | undefined> =>
      / cache=(\w+) /.exec(await sessions(running, session, ''))?.[1];
    const after = async (toml: string): Promise<string | undefined> => {
      running.configure(toml);
      await running.service.reload();
      return cached();
    };
    expect(await cached()).toBe('miss');
    expect(await cached()).toBe('hit');
    expect(await after('dns-server = "SERVER-FULL"\npolicy = "strict"\ncheck = []')).toBe('hit');
    // This weight needs to know about aliases, which nobody has looked up.
    expect(await after('dns-server = "SERVER-FULL"\nweight = { helo-alias = 1 }')).toBe('miss');
    expect(await after('dns-server = "SERVER-FULL"')).toBe('hit');
    expect(await after('dns-server = "SERVER-FULL"\ncheck = "DIR/check.mjs"')).toBe('miss');
    expect(await after('dns-server = "SERVER-FULL"\ncheck = "DIR/check.mjs"\nreject-at = 20')).toBe('hit');
    const source = RELOAD_FILES['check.mjs'] ?? '';
    writeFileSync(join(directory, 'check.mjs'), source.replace('weight: 1', 'weight: 7'));
    expect(await after('dns-server = "SERVER-FULL"\ncheck = "DIR/check.mjs"\nreject-at = 20')).toBe('miss');
    expect(running.lines.at(-1)).toContain('own-rule:7');
    writeFileSync(join(directory, 'check.mjs'), source);
    expect(await after('dns-server = "SERVER-EMPTY"')).toBe('miss');
    await running.service.stop(0);
  });

  it.each([
    ['a value', 'reject-at = "x"', /toml:2:13: reject-at: \\"x\\" is not a number/],
    ['a key', 'rejct-at = 1', /toml:2:1: there is no option \\"rejct-at\\"; did you mean reject-at\?/],
    ['TOML', 'observe =', /toml:2:\d+: /],
    [
      'a list',
      'observe = true\naccess = "DIR/check.mjs"',
      /check\.mjs:1: \\"export\\" is neither allow nor deny/,
    ],
    ['a check', 'observe = true\ncheck = "DIR/access"', /access: /],
    ['a weight', 'observe = true\nweight = { x-y = 1 }', /toml:3:12: weight: there is no finding/],
    ['a name server', 'dns-server = "x"', /toml:1:14: dns-server: \\"x\\" is not an IP address/],
  ])('with a fault in %s changes nothing, and says so in one line', async (_, toml, message) => {
    const running = await start('');
    running.configure(toml);
    await running.service.reload();
    expect(running.lines).toEqual([
      expect.stringMatching(/^error reload detail=".*" effect="what was read before stays"$/),
    ]);
    expect(running.lines[0]).toMatch(message);
    const refused = { after: '', was: /./, is: /./, helos: ['Jupiter'] };
    expect(await sessions(running, refused, '')).toMatch(/^y550 /m);
    await running.service.stop(0);
  });

  it('leaves a session to what was agreed with the MTA', async () => {
    const running = await start('');
    const { socket, ask } = await connectPeer(portOf(running));
    let said: string[] = [];
    /** Sends packets and waits for one more reply. */
    const say = async (...packets: Buffer[]): Promise<string> => {
      said = await ask(Buffer.concat(packets), said.length + 1);
      return said.at(-1) ?? '';
    };
    await say(mta.optneg());
    await say(mta.macros('C', DAEMON), mta.connect('198.51.100.7'));
    running.configure('apply-at = "helo"\nno-auth-results = true\npolicy = "strict"');
    await running.service.reload();
    expect(await say(mta.helo('gone.strange.org'))).toBe('c');
    expect(await say(mta.mail('s@sender.org'))).toBe('c');
    // The policy is the new one, the stage the old.
    expect(await say(mta.rcpt('user@dest.test'))).toMatch(/^y550 /);
    socket.destroy();
    await running.service.stop(0);
  });
});
