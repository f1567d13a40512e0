import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  deliver,
  formatSocketAddress,
  MilterClient,
  type MilterClientOptions,
  MilterServer,
  type MilterServerOptions,
  type MilterSession,
  replyCode,
} from '../../src/milter/index.ts';
import { encodePacket } from '../../src/milter/packet.ts';
import { decodeReply } from '../../src/milter/received.ts';
import { optneg } from '../support/mta.ts';

let ending: (() => void | Promise<void>)[];

beforeEach(() => {
  ending = [];
});

afterEach(async () => {
  for (const end of ending.toReversed()) await end();
});

/** A client and its filter; both end with the test. */
async function driving(
  session: MilterSession,
  server: Partial<MilterServerOptions> = {},
  options: MilterClientOptions = {},
): Promise<MilterClient> {
  const filter = new MilterServer({ newSession: () => session, onError: () => undefined, ...server });
  ending.push(() => filter.close());
  const client = await MilterClient.open(await filter.listen('inet:127.0.0.1:0'), options);
  ending.push(() => {
    client.close();
  });
  return client;
}

/** A client of a server that answers whatever it is sent with these bytes. */
async function scripted(bytes: Buffer, options: MilterClientOptions = {}): Promise<MilterClient> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(bytes);
    ending.push(() => {
      socket.destroy();
    });
  });
  ending.push(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const client = await MilterClient.open(`inet:127.0.0.1:${port}`, options);
  ending.push(() => {
    client.close();
  });
  return client;
}

describe('the dialogue', () => {
  it('shows a filter each event as an MTA does', async () => {
    const seen: unknown[] = [];
    const client = await driving({
      connect: (info) => (seen.push(info), 'continue'),
      helo: (name, context) => (seen.push(name, context.macro('tls_version')), 'continue'),
      mail: ({ address, args }) => (seen.push(address, args), 'continue'),
      rcpt: ({ address }) => (seen.push(address), 'continue'),
      data: () => (seen.push('data'), 'continue'),
      unknown: (line) => (seen.push(line), 'continue'),
      header: (name, value) => (seen.push(`${name}=${value}`), 'continue'),
      endOfHeaders: () => (seen.push('end of headers'), 'continue'),
      body: (chunk) => (seen.push(chunk.toString()), 'continue'),
      abort: () => {
        seen.push('abort');
      },
      close: () => {
        seen.push('close');
      },
    });
    await client.connect('2001:db8::25', { hostname: 'mail.example.org', port: 4711 });
    client.macros('helo', { '{tls_version}': 'TLSv1.3' });
    await client.helo('mail.example.org');
    await client.unknown('NOOPE');
    await client.mail('a@example.org', 'SIZE=10');
    await client.rcpt('b@example.net');
    await client.data();
    await client.header('Subject', 'one');
    await client.endOfHeaders();
    await client.body(Buffer.from('body'));
    client.abort();
    await client.helo('again.example.org');
    client.quit();
    await expect.poll(() => seen.at(-1)).toBe('close');
    expect(seen).toEqual([
      { hostname: 'mail.example.org', family: 'inet6', address: '2001:db8::25', port: 4711 },
      'mail.example.org',
      'TLSv1.3',
      'NOOPE',
      'a@example.org',
      ['SIZE=10'],
      'b@example.net',
      'data',
      'Subject=one',
      'end of headers',
      'body',
      'abort',
      'again.example.org',
      // A second HELO without macros of its own leaves those of the first standing, as in libmilter.
      'TLSv1.3',
      'close',
    ]);
  });

  it('plays a client without an address', async () => {
    let family = '';
    const client = await driving({ connect: (info) => ((family = info.family), 'continue') });
    expect(await client.connect(null)).toBe('continue');
    expect(family).toBe('unknown');
  });

  it.each([
    ['continue', 'continue'],
    ['accept', 'accept'],
    ['reject', 'reject'],
    ['tempfail', 'tempfail'],
    ['discard', 'discard'],
    [
      replyCode(550, '5.7.1', ['100 % of it', 'refused']),
      { kind: 'reply-code', code: 550, enhancedCode: '5.7.1', lines: ['100 % of it', 'refused'] },
    ],
  ] as const)('reads the reply %j', async (reply, read) => {
    const client = await driving({ mail: () => reply });
    expect(await client.mail('a@example.org')).toEqual(read);
  });

  it('does not send what was declined, nor wait where nobody answers', async () => {
    let seen = 0;
    const client = await driving({ connect: () => (seen++, 'continue') }, { noReply: ['connect'] });
    expect(await client.connect('192.0.2.1')).toBeNull();
    expect(await client.helo('mail.example.org')).toBeNull();
    await expect.poll(() => seen).toBe(1);
  });

  it.each([2, 3, 4, 6])('speaks version %i', async (version) => {
    const client = await driving(
      { data: () => 'continue', unknown: () => 'continue', helo: () => 'continue' },
      {},
      { version },
    );
    expect(client.agreement.version).toBe(version);
    expect(await client.data()).toBe(version < 4 ? null : 'continue');
    expect(await client.unknown('NOOPE')).toBe(version < 3 ? null : 'continue');
    expect(await client.helo('mail.example.org')).toBe('continue');
  });

  it('tells the macros that a filter asks for', async () => {
    const client = await driving({}, { macros: { connect: ['j', '{daemon_name}'], endOfMessage: ['i'] } });
    expect(client.agreement.macros).toEqual({
      connect: ['j', '{daemon_name}'],
      endOfMessage: ['i'],
      endOfHeaders: [],
    });
  });
});

describe('a whole message', () => {
  const message = {
    sender: 'a@example.org',
    recipients: ['b@example.net', 'c@example.net'],
    headers: [['Subject', 'one']],
    body: 'body\r\n',
  } as const;

  it('brings every change in order', async () => {
    const client = await driving(
      {
        endOfMessage: (end) => {
          end.progress();
          end.addHeader('X-A', 'a');
          end.insertHeader(0, 'X-B', 'b');
          end.changeHeader(1, 'Subject', null);
          end.addRecipient('d@example.net', 'NOTIFY=NEVER');
          end.deleteRecipient('b@example.net');
          end.changeSender('e@example.org');
          end.quarantine('to look at');
          end.replaceBody(Buffer.from('new'));
          return 'accept';
        },
      },
      {
        actions: [
          'addHeaders',
          'changeHeaders',
          'addRecipients',
          'addRecipientsWithArgs',
          'deleteRecipients',
          'changeSender',
          'quarantine',
          'changeBody',
        ],
      },
    );
    expect(await deliver(client, message)).toEqual({
      sender: null,
      recipients: [null, null],
      final: 'accept',
      changes: [
        { type: 'addHeader', name: 'X-A', value: 'a' },
        { type: 'insertHeader', index: 0, name: 'X-B', value: 'b' },
        { type: 'changeHeader', index: 1, name: 'Subject', value: null },
        { type: 'addRecipient', address: '<d@example.net>', args: 'NOTIFY=NEVER' },
        { type: 'deleteRecipient', address: '<b@example.net>' },
        { type: 'changeSender', address: '<e@example.org>', args: null },
        { type: 'quarantine', reason: 'to look at' },
        { type: 'replaceBody', chunk: Buffer.from('new') },
      ],
    });
  });

  it('stops where the sender is refused', async () => {
    let ended = false;
    const client = await driving({ mail: () => 'reject', endOfMessage: () => ((ended = true), 'accept') });
    expect(await deliver(client, message)).toMatchObject({ final: 'reject', recipients: [] });
    expect(ended).toBe(false);
  });

  it('leaves out a refused recipient, and gives up where all are', async () => {
    let aborted = 0;
    const refused = new Set(['b@example.net']);
    const client = await driving({
      rcpt: ({ address }) => (refused.has(address) ? 'reject' : 'continue'),
      abort: () => {
        aborted++;
      },
    });
    expect(await deliver(client, message)).toMatchObject({
      recipients: ['reject', 'continue'],
      final: 'continue',
    });
    refused.add('c@example.net');
    expect(await deliver(client, message)).toMatchObject({
      recipients: ['reject', 'reject'],
      final: 'reject',
    });
    await expect.poll(() => aborted).toBe(1);
  });

  it('sends no more of the body once the filter skips it', async () => {
    let chunks = 0;
    const client = await driving({ body: () => (chunks++, 'skip') });
    expect(await deliver(client, { ...message, body: 'x'.repeat(200_000) })).toMatchObject({
      final: 'continue',
    });
    expect(chunks).toBe(1);
  });
});

describe('a filter that breaks the protocol', () => {
  const agreed = optneg(6, 0, 0);

  it.each([
    ['a command out of place', encodePacket(0x51), /out of place/],
    ['a length of zero', Buffer.alloc(4), /packet length 0/],
    ['a reply code without NUL', encodePacket(0x79, Buffer.from('550 5.7.1 no')), /one NUL/],
    ['a reply code of two classes', encodePacket(0x79, Buffer.from('550-a\r\n450 b\0')), /no SMTP reply/],
    ['a reply code 250', encodePacket(0x79, Buffer.from('250 ok\0')), /no SMTP reply/],
  ])('is refused: %s', async (_, bytes, message) => {
    const client = await scripted(Buffer.concat([agreed, bytes]));
    await expect(client.helo('mail.example.org')).rejects.toThrow(message);
  });

  it('is given up when it is silent', async () => {
    const client = await scripted(agreed, { timeoutMs: 30_000 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const answer = expect(client.helo('mail.example.org')).rejects.toThrow('no answer within 30000 ms');
      await vi.advanceTimersByTimeAsync(30_000);
      await answer;
    } finally {
      vi.useRealTimers();
    }
  });

  it('is told from one that closes', async () => {
    const client = await scripted(agreed);
    const asked = client.helo('mail.example.org');
    for (const end of ending.splice(0, ending.length - 1).toReversed()) await end();
    await expect(asked).rejects.toThrow(/closed|ECONNRESET/);
  });

  it.each([
    ['no negotiation', encodePacket(0x63), /does not negotiate/],
    ['a short one', encodePacket(0x4f, Buffer.alloc(4)), /OPTNEG of 4 bytes/],
  ])('cannot be opened: %s', async (_, bytes, message) => {
    await expect(scripted(bytes)).rejects.toThrow(message);
  });

  it('cannot be opened where nobody listens, nor by a descriptor', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const address = formatSocketAddress({ kind: 'inet', host: '127.0.0.1', port });
    await expect(MilterClient.open(address)).rejects.toThrow('ECONNREFUSED');
    await expect(MilterClient.open('fd:3')).rejects.toThrow(RangeError);
  });
});

it('reads every reply code that can be written', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 400, max: 599 }),
      fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      (code, text) => {
        const { lines, encoded, enhancedCode } = replyCode(code, `${Math.floor(code / 100)}.7.1`, text);
        const read = decodeReply({ command: encoded[4] ?? 0, data: encoded.subarray(5) });
        expect(read).toEqual({ kind: 'reply-code', code, enhancedCode, lines });
      },
    ),
  );
});
