/**
 * Sessions out of all proportion, at a running service: what an MTA may send is accepted, whatever its number
 * and size, and what no MTA sends harms nobody else.
 */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ConfigSource } from '../../src/config/source.ts';
import { createLog } from '../../src/log/log.ts';
import { type Service, startService } from '../../src/service/service.ts';
import { connectPeer, type Peer } from '../support/milter-peer.ts';
import * as mta from '../support/mta.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const ZONE = fileURLToPath(new URL('../../examples/senders.zone', import.meta.url));
const GOOD = [mta.connect('198.51.100.62'), mta.helo('mx2.pool.example.net')];
const BAD = [mta.connect('198.51.100.62'), mta.helo('Jupiter')];
const MIB = 1024 * 1024;

let service: Service;
let port: number;
let lines: string[];
let peers: Peer[] = [];

beforeAll(async () => {
  lines = [];
  const source = new ConfigSource(
    new Map([
      ['listen', ['inet:127.0.0.1:0']],
      ['dnsZone', [ZONE]],
      // With an authserv-id it wants the whole message.
      ['authservId', ['mx.dest.test']],
    ]),
  );
  const log = createLog((line) => lines.push(line.trimEnd()));
  service = await startService(await source.read(), log, { source });
  port = Number(/:(\d+)$/.exec(service.sockets[0] ?? '')?.[1]);
});

afterEach(() => {
  for (const { socket } of peers) socket.destroy();
  peers = [];
});

afterAll(async () => {
  await service.stop(0);
});

async function peer(): Promise<Peer> {
  const made = await connectPeer(port);
  peers.push(made);
  return made;
}

/** An MTA that leaves no step unanswered, so that there is a reply for each packet. */
const HELLO = mta.optneg(6, 0x1ff, 0);
const repeat = (count: number, packet: (i: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, i) => packet(i));

/** The replies to all packets, without the negotiation; some packets may have several. */
async function replies(packets: readonly Buffer[], more = 0): Promise<string[]> {
  const { ask } = await peer();
  return (await ask(Buffer.concat([HELLO, ...packets]), packets.length + 1 + more)).slice(1);
}

async function servesOthers(): Promise<void> {
  expect((await replies([...GOOD, mta.mail('s@x'), mta.rcpt('r@y')])).join('')).toBe('cccc');
  const [, , , refusal] = await replies([...BAD, mta.mail('s@x'), mta.rcpt('r@y')]);
  expect(refusal).toMatch(/^y550 /);
}

describe('a message', () => {
  const mail = [mta.mail('s@x'), mta.rcpt('r@y'), mta.data];
  const end = [mta.endOfHeaders, mta.body('body'), mta.endOfMessage];

  it.each<[string, Buffer[]]>([
    ['1,000 recipients', [mta.mail('s@x'), ...repeat(1000, (i) => mta.rcpt(`r${i}@y`)), mta.data, ...end]],
    ['a sender of 70 kB', [mta.mail(`${'s'.repeat(70_000)}@x`), mta.rcpt('r@y'), mta.data, ...end]],
    ['10,000 fields', [...mail, ...repeat(10_000, (i) => mta.header(`X-${i}`, 'v')), ...end]],
    ['a field of 70 kB', [...mail, mta.header('Subject', 'v'.repeat(70_000)), ...end]],
    [
      'a body of 40 MB',
      [...mail, mta.endOfHeaders, ...repeat(640, () => mta.body('b'.repeat(65_535))), mta.endOfMessage],
    ],
  ])(
    'with %s is taken',
    async (_, message) => {
      const told = await replies([...GOOD, ...message], 1);
      const [field, verdict] = told.splice(-2);
      expect(field).toContain('Authentication-Results|');
      expect(verdict).toBe('a');
      expect(new Set(told)).toEqual(new Set(['c']));
    },
    60_000,
  );

  it('with a body of 300 MB is taken', async () => {
    const { ask, socket } = await peer();
    const head = [HELLO, ...GOOD, ...mail, mta.endOfHeaders];
    await ask(Buffer.concat(head), head.length);
    const piece = mta.body('b'.repeat(65_535));
    const PIECES = 4578;
    for (let i = 1; i < PIECES; i++)
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
    const told = await ask(Buffer.concat([piece, mta.endOfMessage]), head.length + PIECES + 2);
    expect(told.at(-1)).toBe('a');
  }, 120_000);

  it('with 1,000 recipients of a refused client has 1,000 refusals', async () => {
    const told = await replies([...BAD, mta.mail('s@x'), ...repeat(1000, (i) => mta.rcpt(`r${i}@y`))]);
    expect(told.filter((reply) => reply.startsWith('y550 '))).toHaveLength(1000);
  });
});

it('6,000 messages of a connection leave nothing behind', async () => {
  const message = [mta.mail('s@x'), mta.rcpt('r@y'), mta.data, mta.endOfHeaders, mta.endOfMessage];
  const { ask } = await peer();
  let count = (await ask(Buffer.concat([HELLO, ...GOOD]), 3)).length;
  const round = async (): Promise<number> => {
    for (let i = 0; i < 4; i++) {
      const batch = repeat(500, () => Buffer.concat(message));
      count += 500 * message.length;
      await ask(Buffer.concat(batch), count);
    }
    lines.length = 0;
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  await round();
  // The bound allows for the replies that the peer keeps, and for code that is compiled meanwhile.
  const [before, after] = [await round(), await round()];
  expect(after - before).toBeLessThan(8 * MIB);
}, 120_000);

describe('an MTA', () => {
  it.each([2, 3, 4, 5, 6, 7, 99])('of version %i is served, or told that it cannot be', async (version) => {
    const { ask, closed, socket } = await peer();
    const first = await Promise.race([
      ask(mta.optneg(version, 0x1ff, 0), 1).then(([reply]) => reply?.[0]),
      closed.then(() => 'closed'),
    ]);
    expect(first).toBe('O');
    socket.destroy();
    await servesOthers();
  });
});

it('half of 300 sessions that vanish while they wait leave the other half as they were', async () => {
  const all = await Promise.all(repeat(300, () => HELLO).map(() => peer()));
  const bytes = Buffer.concat([HELLO, ...BAD, mta.mail('s@x'), mta.rcpt('r@y')]);
  const told = all.map(({ ask, socket }, i) => {
    if (i % 2 === 0) return ask(bytes, 5);
    socket.write(bytes);
    if (i % 3 === 0) socket.destroy();
    else if (i % 3 === 1) socket.resetAndDestroy();
    else socket.end();
    return null;
  });
  for (const each of told) if (each !== null) expect((await each)[4]).toMatch(/^y550 /);
  for (const { socket } of all) socket.destroy();
  await vi.waitFor(() => {
    expect(service.connections).toBe(0);
  });
});

describe('what no MTA sends', () => {
  const CONVERSATION = Buffer.concat([
    mta.optneg(),
    mta.macros('C', { j: 'mx.dest.test' }),
    ...GOOD,
    mta.macros('M', { i: 'ABC', mail_addr: 's@x' }),
    mta.mail('s@x', 'SIZE=1'),
    mta.rcpt('r@y'),
    mta.data,
    mta.header('Authentication-Results', 'mx.dest.test; x-helo=pass'),
    mta.endOfHeaders,
    mta.body('body'),
    mta.endOfMessage,
    mta.abort,
    mta.packet('K'),
  ]);

  it('in 1,000 conversations with some bytes changed, dropped or doubled, harms no other', async () => {
    const place = fc.nat(CONVERSATION.length - 1);
    const change = fc.oneof(
      fc.record({ at: place, byte: fc.nat(255) }),
      fc.record({ at: place, drop: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ at: place, twice: fc.integer({ min: 1, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        let bytes = Buffer.from(CONVERSATION);
        for (const each of changes) {
          const at = Math.min(each.at, bytes.length - 1);
          if ('byte' in each) bytes[at] = each.byte;
          else if ('drop' in each)
            bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + each.drop)]);
          else bytes = Buffer.concat([bytes.subarray(0, at + each.twice), bytes.subarray(at)]);
        }
        const { socket, closed } = await connectPeer(port);
        socket.resume();
        socket.end(bytes);
        await closed;
      }),
      { numRuns: 1000 },
    );
    await servesOthers();
  }, 120_000);

  it.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['TLS', Buffer.from('16030100f8010000f40303', 'hex')],
    ['SMTP', Buffer.from('EHLO x\r\nMAIL FROM:<>\r\n')],
    ['nothing but zeros', Buffer.alloc(65_536)],
  ])('%s is closed or waits, and harms no other', async (_, bytes) => {
    const { socket } = await peer();
    socket.write(bytes);
    await servesOthers();
  });
});
