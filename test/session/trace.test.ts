import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { type IpPrefix, parsePrefix } from '../../src/core/ip.ts';
import { createLog } from '../../src/log/log.ts';
import { createTrace } from '../../src/session/trace.ts';
import * as mta from '../support/mta.ts';
import { fakeTerminal } from '../support/terminal.ts';
import { quietly } from '../support/quietly.ts';

const networks = (...texts: string[]): IpPrefix[] =>
  texts.map(parsePrefix).filter((prefix) => prefix !== null);

function tracing(
  level: 'info' | 'debug',
  clients: readonly IpPrefix[],
): { lines: string[]; trace: ReturnType<typeof createTrace> } {
  const lines: string[] = [];
  let now = 0;
  const trace = createTrace({
    log: createLog((line) => lines.push(line.trimEnd()), { level }),
    clients: () => clients,
    cached: () => 7,
    now: () => (now += 1.26),
  });
  return { lines, trace };
}

describe('createTrace', () => {
  const clients = networks('203.0.113.0/24', '2001:db8::/32');

  it.each([
    ['203.0.113.50', true],
    ['2001:db8::1', true],
    ['198.51.100.7', false],
    ['no address', false],
    [null, false],
  ])('%s is listened to: %s', (address, wanted) => {
    expect(tracing('info', clients).trace(address, 's') !== null).toBe(wanted);
  });

  it('listens to nobody by default', () => {
    expect(tracing('info', []).trace('203.0.113.50', 's')).toBeNull();
  });

  it('logs what is said, cleaned', () => {
    const { lines, trace } = tracing('info', clients);
    const listener = trace('203.0.113.50', 'mwt.1');
    listener?.('mta', 'helo', 'evil\r\ndecision client=192.0.2.1');
    listener?.('milter', 'helo', 'continue');
    listener?.('mta', 'close', '');
    expect(lines).toEqual([
      'trace session=mwt.1 client=203.0.113.50 ms=1.3 side=mta what=helo text="evil\\x0d\\x0adecision client=192.0.2.1"',
      'trace session=mwt.1 client=203.0.113.50 ms=2.5 side=milter what=helo text=continue',
      'trace session=mwt.1 client=203.0.113.50 ms=3.8 side=mta what=close',
    ]);
  });

  it('tells at level debug when sessions begin and end', () => {
    const { lines, trace } = tracing('debug', []);
    const listener = trace(null, 'mwt.1');
    for (const event of ['connect', 'helo', 'mail']) listener?.('mta', event, '');
    listener?.('milter', 'mail', 'accept');
    listener?.('mta', 'close', '');
    expect(lines).toEqual([
      'debug session-opened session=mwt.1 client=unknown',
      'debug session-closed session=mwt.1 client=unknown ms=1 commands=3 cached=7',
    ]);
  });
});

/** Runs the service while an MTA talks to it; returns the log lines. */
async function served(
  args: readonly string[],
  packets: readonly Buffer[],
  replies: number,
): Promise<string[]> {
  let out = '';
  let asked = false;
  const terminal = fakeTerminal({
    write: (text) => {
      out += text;
    },
    untilStopped: async () => {
      // The second call waits for the signal to stop at once, which nobody sends.
      if (asked) return new Promise<never>(() => undefined);
      asked = true;
      const port = Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(out)?.[1]);
      const socket = quietly(connect(port, '127.0.0.1'));
      let received = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
      socket.write(Buffer.concat(packets));
      while (mta.replies(received).length < replies) await new Promise((resolve) => setTimeout(resolve, 5));
      const gone = new Promise((resolve) => socket.once('close', resolve));
      socket.write(mta.quit);
      await gone;
      return 'the test';
    },
  });
  expect(await runCommandLine(['--listen', 'inet:127.0.0.1:0', ...args], '1', terminal)).toBe(0);
  return out.split('\n');
}

describe('--trace-client', () => {
  const session = [
    mta.optneg(),
    mta.macros('C', { j: 'mx.dest.test' }),
    mta.connect('203.0.113.50'),
    mta.helo('this is Jupiter'),
    mta.macros('M', { i: 'Q1' }),
    mta.mail('s@x', 'SIZE=10'),
    mta.rcpt('postmaster@dest.test'),
    mta.header('Subject', 'hello'),
    mta.body('x'.repeat(100)),
    mta.endOfMessage,
  ];

  it('prints the dialogue of one client, with the session that its decisions name', async () => {
    const lines = await served(
      ['--trace-client', '192.0.2.1', '--trace-client', '203.0.113.0/24'],
      session,
      9,
    );
    const traced = lines.filter((line) => line.startsWith('trace '));
    expect(
      traced.map((line) => line.replace(/^trace session=\S+ client=203\.0\.113\.50 ms=[\d.]+ side=/, '')),
    ).toEqual([
      'mta what=macro text="C j=mx.dest.test"',
      'mta what=connect text="[203.0.113.50] inet 203.0.113.50 4711"',
      'milter what=connect text=continue',
      'mta what=helo text="this is Jupiter"',
      'milter what=helo text=continue',
      'mta what=macro text="M i=Q1"',
      'mta what=mail text="<s@x> SIZE=10"',
      'milter what=mail text=continue',
      'mta what=rcpt text=<postmaster@dest.test>',
      'milter what=rcpt text=continue',
      'mta what=header text="Subject: hello"',
      'milter what=header text=continue',
      'mta what=body text="100 octets"',
      'milter what=body text=continue',
      'mta what=endOfMessage',
      expect.stringMatching(/^milter what=change text="i\|{4}Authentication-Results\|.*x-helo=fail/),
      'milter what=endOfMessage text=accept',
      'mta what=quit',
      'mta what=close',
    ]);
    const id = /session=(\S+)/.exec(traced[0] ?? '')?.[1] ?? '?';
    expect(lines.find((line) => line.startsWith('decision '))).toContain(` ref=${id}.1`);
  });

  it('costs and says nothing for others', async () => {
    const lines = await served(['--trace-client', '192.0.2.0/24'], session, 9);
    expect(lines.filter((line) => line.startsWith('decision '))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('trace '))).toEqual([]);
  });
});
