/**
 * The resolver against servers that no library would write, over real sockets. Whatever comes, the question
 * ends in time, and nothing but its answer is ever accepted.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../../src/core/resolver.ts';
import { Asker } from '../../src/dns/asker.ts';
import type { SharedQuestions } from '../../src/dns/shared-questions.ts';
import { createStubResolver } from '../../src/dns/stub-resolver.ts';
import {
  a,
  cname,
  extendedError,
  labels,
  message,
  opt,
  type Parts,
  question,
  questionOf,
  rr,
  soa,
  wireName,
} from '../support/dns-bytes.ts';
import { framed, type Heard, type RawDns, type Reply, startRawDns } from '../support/raw-dns.ts';

const NAME = 'mail.example.org';
const FORGED = '192.0.2.66';
const TRUE = '192.0.2.1';

const servers: RawDns[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(
  answer: (heard: Heard, reply: Reply, socket: Socket | null) => void,
  address?: string,
): Promise<RawDns> {
  const made = await startRawDns(answer, address);
  servers.push(made);
  return made;
}

function resolverOf(asked: readonly RawDns[], timeoutMs = 1000): SharedQuestions {
  return createStubResolver({
    servers: asked.map(({ server }) => server),
    timeoutMs,
    now: () => performance.now(),
  });
}

const idOf = (query: Buffer): number => query.readUInt16BE(0);

/** The answer to a query; by default a correct one. */
function respond(query: Buffer, parts: Parts): Buffer {
  return message({ id: idOf(query), question: questionOf(query), ...parts });
}

const good = (query: Buffer, ttl = 300): Buffer => respond(query, { answers: [a(NAME, TRUE, ttl)] });
const hasEdns = (query: Buffer): boolean => query.readUInt16BE(10) === 1;
const pointer = (at: number): Buffer => Buffer.from([0xc0 | (at >> 8), at & 255]);
const ownedBy = (owner: Buffer): Buffer => a(owner, FORGED);
const CUT = 0x8380;

/** Bad datagrams; each ends in `temperror`, never in the forged address. */
const ODD: readonly [title: string, answer: (query: Buffer) => readonly Buffer[]][] = [
  ['nothing', () => []],
  ['an empty datagram', () => [Buffer.alloc(0)]],
  ['half a header', (query) => [good(query).subarray(0, 7)]],
  ['the query itself', (query) => [query]],
  ['random octets', () => [Buffer.from('deadbeef'.repeat(20), 'hex')]],
  ['our id and random octets', (query) => [Buffer.concat([query.subarray(0, 2), Buffer.alloc(90, 0xff)])]],
  [
    'a wrong id',
    (query) => [message({ id: idOf(query) ^ 1, question: questionOf(query), answers: [a(NAME, FORGED)] })],
  ],
  [
    'another name in the question',
    (query) => [
      respond(query, { question: question('mail.example.net', 1), answers: [a('mail.example.net', FORGED)] }),
    ],
  ],
  [
    'another name in the question, ours in the answer',
    (query) => [respond(query, { question: question('mail.example.net', 1), answers: [a(NAME, FORGED)] })],
  ],
  [
    'a name of other labels that reads the same',
    (query) => [
      respond(query, { question: question(labels('mail.example', 'org'), 1), answers: [a(NAME, FORGED)] }),
    ],
  ],
  [
    'another type in the question',
    (query) => [respond(query, { question: question(NAME, 28), answers: [a(NAME, FORGED)] })],
  ],
  [
    'another class in the question',
    (query) => [respond(query, { question: question(NAME, 1, 3), answers: [a(NAME, FORGED)] })],
  ],
  ['no question', (query) => [respond(query, { question: null, answers: [a(NAME, FORGED)] })]],
  [
    'two questions',
    (query) => [
      respond(query, {
        question: Buffer.concat([questionOf(query), questionOf(query)]),
        counts: [2, 1, 0, 0],
        answers: [a(NAME, FORGED)],
      }),
    ],
  ],
  ['an address of another owner', (query) => [respond(query, { answers: [a('other.example.org', FORGED)] })]],
  [
    'an address in the wrong section',
    (query) => [respond(query, { flags: 0x8100, authorities: [a(NAME, FORGED)] })],
  ],
  [
    'an address of three octets',
    (query) => [respond(query, { answers: [rr(NAME, 1, Buffer.from([192, 0, 2]))] })],
  ],
  [
    'more answers counted than there are',
    (query) => [respond(query, { counts: [1, 9, 0, 0], answers: [a(NAME, FORGED)] })],
  ],
  ['65,535 of everything counted', (query) => [respond(query, { counts: [1, 65_535, 65_535, 65_535] })]],
  [
    'a record length past the end',
    (query) => [respond(query, { answers: [a(NAME, FORGED).subarray(0, -2)] })],
  ],
  [
    'an owner that points to itself',
    (query) => [respond(query, { answers: [ownedBy(pointer(query.length - 11))] })],
  ],
  ['an owner that points forward', (query) => [respond(query, { answers: [ownedBy(pointer(0x3ff))] })]],
  [
    'owners that point at each other',
    (query) => {
      const at = 12 + questionOf(query).length;
      return [respond(query, { answers: [ownedBy(pointer(at + 16)), ownedBy(pointer(at))] })];
    },
  ],
  ['a label of unknown kind', (query) => [respond(query, { answers: [ownedBy(Buffer.from([0x80, 1, 0]))] })]],
  [
    'a name of 300 octets',
    (query) => [
      respond(query, { answers: [ownedBy(labels(...Array.from({ length: 6 }, () => 'x'.repeat(49))))] }),
    ],
  ],
  ['an alias of itself', (query) => [respond(query, { answers: [cname(NAME, NAME)] })]],
  [
    'a loop of aliases',
    (query) => [respond(query, { answers: [cname(NAME, 'b.test'), cname('b.test', NAME)] })],
  ],
  [
    'fifty aliases',
    (query) => [
      respond(query, {
        answers: Array.from({ length: 50 }, (_, i) => cname(i === 0 ? NAME : `n${i}.test`, `n${i + 1}.test`)),
      }),
    ],
  ],
  [
    'a referral',
    (query) => [respond(query, { flags: 0x8000, authorities: [rr('org', 2, wireName('a.nic.test'))] })],
  ],
  ['another operation', (query) => [respond(query, { flags: 0x8180 | 0x2800, answers: [a(NAME, FORGED)] })]],
  ['an unknown code', (query) => [respond(query, { flags: 0x8180 | 11, answers: [a(NAME, FORGED)] })]],
  [
    'a code only EDNS can hold',
    (query) => [respond(query, { additionals: [opt([], 2)], answers: [a(NAME, FORGED)] })],
  ],
  ['REFUSED with an answer', (query) => [respond(query, { flags: 0x8185, answers: [a(NAME, FORGED)] })]],
  [
    'a thousand forgeries with other ids',
    (query) =>
      Array.from({ length: 1000 }, (_, i) =>
        message({
          id: (idOf(query) + 1 + i) & 0xffff,
          question: questionOf(query),
          answers: [a(NAME, FORGED)],
        }),
      ),
  ],
];

describe('over UDP', () => {
  const serveOdd = (answer: (typeof ODD)[number][1]): Promise<RawDns> =>
    serve((heard, reply) => {
      for (const bytes of answer(heard.query)) reply(bytes);
    });

  it('each is an unknown, in time', async () => {
    const outcomes = ODD.map(async ([title, answer]) => {
      const { status } = await resolverOf([await serveOdd(answer)], 400).lookup(NAME, 'A');
      return `${title}: ${status}`;
    });
    expect(await Promise.all(outcomes)).toEqual(ODD.map(([title]) => `${title}: temperror`));
  });

  it('none hides the true answer of a second server', async () => {
    const second = await serve(({ query }, reply) => {
      reply(good(query));
    });
    const outcomes = ODD.map(async ([title, answer]) => {
      const told = await resolverOf([await serveOdd(answer), second], 15_000).lookup(NAME, 'A');
      return `${title}: ${told.status === 'found' ? told.records.join(' ') : told.status}`;
    });
    expect(await Promise.all(outcomes)).toEqual(ODD.map(([title]) => `${title}: ${TRUE}`));
  });

  it('aliases without an end are an unknown', async () => {
    const server = await serve(({ query }, reply) => {
      const owner = questionOf(query).subarray(0, -4);
      reply(respond(query, { answers: [cname(owner, `n${server.heard.length}.test`)] }));
    });
    expect(await resolverOf([server], 20_000).lookup(NAME, 'A')).toEqual({
      status: 'temperror',
      detail: 'badresp',
    });
    expect(server.heard).toHaveLength(16);
  });

  it('forgeries before the true answer are passed over', async () => {
    const server = await serve(({ query }, reply) => {
      for (let i = 1; i < 50; i++) {
        reply(message({ id: idOf(query) ^ i, question: questionOf(query), answers: [a(NAME, FORGED)] }));
      }
      reply(respond(query, { question: question('evil.test', 1), answers: [a(NAME, FORGED)] }));
      reply(good(query));
    });
    expect(await resolverOf([server], 5000).lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
  });

  it('what another address sends is never heard', async () => {
    const forger = await serve(() => undefined, '127.0.0.2');
    let told = false;
    const server = await serve(({ query, from }, reply) => {
      // From the forger's own socket: everything is right except the source.
      forger.send(respond(query, { answers: [a(NAME, FORGED)] }), from, '127.0.0.1');
      setTimeout(() => {
        told = true;
        reply(good(query));
      }, 50);
    });
    expect(await resolverOf([server], 5000).lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
    expect(told).toBe(true);
  });

  it('ids and ports are hard to guess', async () => {
    const server = await serve(({ query }, reply) => {
      reply(respond(query, {}));
    });
    const resolver = resolverOf([server], 5000);
    for (let i = 0; i < 40; i++) await resolver.lookup(`h${i}.test`, 'A');
    const ids = server.heard.map(({ query }) => idOf(query));
    expect(new Set(ids).size).toBeGreaterThan(35);
    // No fixed distance between one and the next.
    const steps = new Set(ids.slice(1).map((id, i) => (id - (ids[i] ?? 0)) & 0xffff));
    expect(steps.size).toBeGreaterThan(30);
    expect(new Set(server.heard.map(({ from }) => from)).size).toBeGreaterThanOrEqual(4);
  });

  it('asks a server at another address of this host from a fitting one', async () => {
    const server = await serve(({ query }, reply) => {
      reply(good(query));
    }, '127.0.0.2');
    expect(await resolverOf([server], 5000).lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
  });

  it('a server that does not know EDNS is asked without, at once and from then on', async () => {
    const server = await serve(({ query }, reply) => {
      reply(hasEdns(query) ? message({ id: idOf(query), flags: 0x8181 }) : good(query));
    });
    const resolver = resolverOf([server], 5000);
    for (let i = 0; i < 2; i++) expect(await resolver.lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
    expect(server.heard.map(({ query }) => hasEdns(query))).toEqual([true, false, false]);
  });

  it.each<[string, (query: Buffer) => Buffer]>([
    ['that understands EDNS', (query) => respond(query, { flags: 0x8181, additionals: [opt([])] })],
    ['that says the same without', (query) => respond(query, { flags: 0x8181 })],
  ])('FORMERR of a server %s says nothing about other questions', async (_, refuse) => {
    const server = await serve(({ query }, reply) => {
      reply(questionOf(query).includes('hostile') ? refuse(query) : good(query));
    });
    const resolver = resolverOf([server], 5000);
    expect(await resolver.lookup('hostile.example', 'A')).toMatchObject({ detail: 'formerr' });
    expect(await resolver.lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
    expect(hasEdns(server.heard.at(-1)?.query ?? Buffer.alloc(0))).toBe(true);
  });

  it('a server that has answered with EDNS must fail it twice in a row to be asked without', async () => {
    const server = await serve(({ query }, reply) => {
      const edns = hasEdns(query);
      if (edns && questionOf(query).includes('odd')) reply(message({ id: idOf(query), flags: 0x8181 }));
      else reply(respond(query, { flags: 0x8180, additionals: edns ? [opt([])] : [] }));
    });
    const resolver = resolverOf([server], 5000);
    for (const label of ['plain', 'odd', 'plain', 'odd', 'odd', 'plain']) {
      expect(await resolver.lookup(`${label}.example`, 'A')).toMatchObject({ status: 'nodata' });
    }
    // Two queries for each odd answer; with the last, EDNS is given up.
    expect(server.heard.map(({ query }) => hasEdns(query))).toEqual([
      ...[true, true, false],
      ...[true, true, false, true, false],
      false,
    ]);
  });

  it('a way that loses questions with EDNS is tried without', async () => {
    const server = await serve(({ query }, reply) => {
      if (!hasEdns(query)) reply(good(query));
    });
    expect(await resolverOf([server], 20_000).lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
  });
});

describe('over TCP, where UDP is truncated', () => {
  const cut = (query: Buffer): Buffer => respond(query, { flags: CUT, counts: [1, 9, 0, 0] });

  it.each<[title: string, speak: (query: Buffer, reply: Reply, socket: Socket) => void]>([
    ['silence', () => undefined],
    ['closing at once', (_query, _reply, socket) => void socket.destroy()],
    [
      'garbage',
      (_query, reply) => {
        reply(Buffer.alloc(300, 0xff));
      },
    ],
    [
      'an empty message',
      (_query, reply) => {
        reply(Buffer.from([0, 0]));
      },
    ],
    [
      'a length without a message',
      (_query, reply) => {
        reply(Buffer.from([0xff, 0xff]));
      },
    ],
    [
      'another id',
      (query, reply) => {
        reply(
          framed(message({ id: idOf(query) ^ 1, question: questionOf(query), answers: [a(NAME, FORGED)] })),
        );
      },
    ],
    [
      'another question',
      (query, reply) => {
        reply(framed(respond(query, { question: question('evil.test', 1), answers: [a(NAME, FORGED)] })));
      },
    ],
    [
      'truncation again',
      (query, reply) => {
        reply(framed(cut(query)));
      },
    ],
    [
      'half an answer, then the end',
      (query, reply, socket) => {
        reply(framed(good(query)).subarray(0, 20));
        socket.end();
      },
    ],
    [
      'an octet now and then',
      (query, reply, socket) => {
        const bytes = framed(good(query));
        let sent = 0;
        const timer = setInterval(() => {
          reply(bytes.subarray(sent, ++sent));
        }, 300);
        socket.on('close', () => {
          clearInterval(timer);
        });
      },
    ],
  ])('%s is an unknown, in time', async (_, speak) => {
    const server = await serve(({ query, via }, reply, socket) => {
      if (via === 'udp') reply(cut(query));
      else if (socket !== null) speak(query, reply, socket);
    });
    expect(await resolverOf([server], 600).lookup(NAME, 'A')).toMatchObject({ status: 'temperror' });
  });

  it('an answer octet by octet is read', async () => {
    const server = await serve(({ query, via }, reply) => {
      if (via === 'udp') reply(cut(query));
      else for (const octet of framed(good(query))) reply(Buffer.from([octet]));
    });
    expect(await resolverOf([server], 20_000).lookup(NAME, 'A')).toMatchObject({ records: [TRUE] });
  });

  it('many questions share a connection, are answered in any order, and a closed one is replaced', async () => {
    const held: (() => void)[] = [];
    const server = await serve(({ query, via }, reply, socket) => {
      const answer = respond(query, {
        answers: [rr(questionOf(query).subarray(0, -4), 1, Buffer.from([192, 0, 2, 7]))],
      });
      if (via === 'udp') reply(cut(query));
      else {
        held.push(() => {
          reply(framed(answer));
        });
        if (held.length === 5) for (const send of held.splice(0).reverse()) send();
        if (server.heard.length > 11) socket?.end(framed(answer));
      }
    });
    const resolver = resolverOf([server], 20_000);
    const names = ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'];
    const answers = await Promise.all(names.map((name) => resolver.lookup(name, 'A')));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 'found'));
    expect(server.connections).toBe(1);
    for (const name of ['f.test', 'g.test']) {
      expect(await resolver.lookup(name, 'A')).toMatchObject({ status: 'found' });
    }
    expect(server.connections).toBe(2);
  });
});

describe('what a server tells beside the answer', () => {
  async function told(parts: Parts, name = NAME): Promise<Answer<'A'>> {
    const server = await serve(({ query }, reply) => {
      reply(respond(query, parts));
    });
    return resolverOf([server], 5000).lookup(name, 'A');
  }

  it('how long a "no" lasts', async () => {
    expect(await told({ flags: 0x8183, authorities: [soa('example.org', 900, 60)] })).toEqual({
      status: 'nxdomain',
      ttl: 60,
    });
  });

  it('that it has validated the answer, on loopback', async () => {
    expect(await told({ flags: 0x81a0, answers: [a(NAME, TRUE)] })).toMatchObject({ authenticated: true });
  });

  it('why it failed', async () => {
    const additionals = [opt([extendedError(7, 'signature expired')])];
    expect(await told({ flags: 0x8182, additionals })).toEqual({
      status: 'temperror',
      detail: 'bogus',
      errors: [{ code: 7, text: 'signature expired' }],
    });
  });

  it.each([
    'xn--a.example.org',
    'user@example.org',
    'a+b/c.example.org',
    '-edge-.example.org',
    'two words.test',
  ])('of exactly the name that was meant: %s', async (name) => {
    const owner = labels(...name.split('.'));
    expect(await told({ answers: [a(owner, TRUE)] }, name)).toMatchObject({ records: [TRUE] });
    expect(questionOf(servers[0]?.heard[0]?.query ?? Buffer.alloc(0)).subarray(0, -4)).toEqual(owner);
  });

  it('where the alias leads that it did not follow', async () => {
    const server = await serve(({ query }, reply) => {
      const first = questionOf(query).equals(question(NAME, 1));
      reply(respond(query, { answers: first ? [cname(NAME, 'b.test', 9)] : [a('b.test', TRUE, 60)] }));
    });
    expect(await resolverOf([server], 5000).lookup(NAME, 'A')).toEqual({
      status: 'found',
      records: [TRUE],
      ttl: 9,
      alias: 'b.test',
    });
  });
});

describe('nothing is left in flight', () => {
  it('of a question that its only asker gave up', async () => {
    const server = await serve(() => undefined);
    const resolver = resolverOf([server], 1900);
    const asker = new Asker('a');
    const answer = resolver.for(asker).lookup(NAME, 'A');
    await vi.waitFor(() => {
      expect(server.heard).toHaveLength(1);
    });
    asker.end('dropped');
    expect(await answer).toEqual({ status: 'temperror', detail: 'dropped' });
    expect(resolver.inFlight).toBe(0);
    // The query would be repeated after a second.
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect(server.heard).toHaveLength(1);
  });
});
