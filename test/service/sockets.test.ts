/** Which sockets would be opened, for whom, and which mistakes are told. Nothing is opened here. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.ts';
import { AddressError } from '../../src/milter/index.ts';
import { checkSockets, openSockets, type SocketNeeds } from '../../src/service/sockets.ts';
import { socketsOf } from '../../src/config/addresses.ts';
import { RecordedServer } from '../support/milter-server.ts';

const CONFIG = { listen: ['inet:127.0.0.1:8892'], socketMode: 0o660, socketGroup: null };
const IDENTITY = { user: 'nobody', uid: 65_534, gid: 65_533 };
const FD_NOT_A_SOCKET = 9_999;

function open(
  {
    config = {},
    ...more
  }: Partial<Omit<SocketNeeds, 'config'>> & { config?: Partial<SocketNeeds['config']> } = {},
  server = new RecordedServer(),
): ReturnType<typeof openSockets> {
  return openSockets(server, { handed: [], identity: null, ...more, config: { ...CONFIG, ...config } });
}

describe('socketsOf', () => {
  it.each<[string[], string[]]>([
    [
      ['inet:127.0.0.1:1', 'unix:/tmp/a'],
      ['inet', 'unix'],
    ],
    [['systemd', 'local:/tmp/a'], ['unix']],
    [['systemd'], []],
  ])('%j', (listen, wanted) => {
    expect(socketsOf({ listen }).map(({ kind }) => kind)).toEqual(wanted);
  });

  it('names the option and the value of one that is none', () => {
    expect(() => socketsOf({ listen: ['inet:127.0.0.1:1', 'tcp:1'] })).toThrow(
      expect.objectContaining({ name: 'OptionError', flag: '--listen', value: 'tcp:1' }),
    );
  });
});

describe('openSockets', () => {
  it('opens those of --listen in their order, a unix socket for the user that we become', async () => {
    const server = new RecordedServer();
    const opened = await open(
      { config: { listen: ['unix:/tmp/a', 'inet:127.0.0.1:1'], socketGroup: '42' }, identity: IDENTITY },
      server,
    );
    expect(opened.map(({ address, handed }) => [address.kind, handed])).toEqual([
      ['unix', false],
      ['inet', false],
    ]);
    expect(server.listening[0]?.options).toMatchObject({ mode: 0o660, owner: { uid: 65_534, gid: 42 } });
  });

  it.each([
    ['unix:/tmp/a', { noReply: ['connect', 'header'] }],
    ['inet:127.0.0.1:1', { keep: ['data'] }],
  ])('%s: asks for what spares its waits', async (listen, wishes) => {
    const server = new RecordedServer();
    await open({ config: { listen: [listen] } }, server);
    expect(server.listening[0]?.options.wishes).toEqual(wishes);
  });

  it('opens what systemd hands over, and nothing else', async () => {
    const server = new RecordedServer();
    const opened = await open({ handed: [{ fd: FD_NOT_A_SOCKET, name: 'a' }] }, server);
    expect(server.calls).toEqual([`listen fd:${FD_NOT_A_SOCKET}`]);
    expect(opened).toEqual([{ address: { kind: 'fd', fd: FD_NOT_A_SOCKET }, handed: true }]);
  });

  it('does not start by "systemd" alone where nothing was handed over', async () => {
    const server = new RecordedServer();
    await expect(open({ config: { listen: ['inet:127.0.0.1:1', 'systemd'] } }, server)).rejects.toThrow(
      /^--listen: systemd has handed no socket over/,
    );
    expect(server.calls).toEqual([]);
  });

  it.each([
    [new Error('EADDRINUSE'), /^--listen: cannot listen on inet:127\.0\.0\.1:8892: EADDRINUSE$/],
    [new AddressError('it is no address'), /^--listen: it is no address$/],
  ])('says what was wrong: %s', async (fault, message) => {
    const server = new RecordedServer();
    server.fault = fault;
    await expect(open({}, server)).rejects.toThrow(message);
  });
});

it.each<[Partial<SocketNeeds['config']>, string]>([
  [{}, 'ok'],
  [{ listen: ['systemd'] }, 'ok'],
  [{ listen: ['unix:/no/such/directory/socket'] }, '--listen'],
  [{ listen: ['tcp:1'] }, '--listen'],
  [{ socketGroup: 'no-such-group' }, '--socket-group'],
])('checkSockets %j: %s', async (config, wanted) => {
  const told = await checkSockets({ ...CONFIG, ...config }).then(
    () => 'ok',
    (error: unknown) => (error instanceof OptionError ? error.flag : error),
  );
  expect(told).toBe(wanted);
});
