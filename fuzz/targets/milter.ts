/** What comes over a milter socket, from either side. */
import fc from 'fast-check';
import { Conversation } from '../../src/milter/conversation.ts';
import { decodeCommand } from '../../src/milter/command.ts';
import { encodePacket, PacketDecoder, ProtocolError } from '../../src/milter/packet.ts';
import { decodeAgreement, decodeChange, decodeReply } from '../../src/milter/received.ts';
import { type ConnectReply, encodeReply, replyCode } from '../../src/milter/reply.ts';
import type { MilterSession } from '../../src/milter/session.ts';
import { bytesOf, must, pieces, refused, type Target, textOf } from '../target.ts';

const packet = (letter: string, data: string | Buffer = ''): Buffer =>
  encodePacket(letter.charCodeAt(0), typeof data === 'string' ? bytesOf(data) : data);

const OFFER = packet('O', Buffer.from('00000006000001ff001fffff', 'hex'));
/** Each command as an MTA sends it, and some as none does. */
const COMMANDS: readonly Buffer[] = [
  packet('C', 'mail.example.org\x004\x12\x67192.0.2.1\0'),
  packet('C', '[IPv6:2001:db8::1]\x006\x12\x67IPv6:2001:db8::1\0'),
  packet('C', 'x\x00U'),
  packet('D', 'Hj\0mx.example.org\0{daemon_name}\0smtpd\0'),
  packet('H', 'mail.example.org\0'),
  packet('M', '<s@example.org>\0SIZE=1\0'),
  packet('R', '<r@example.org>\0'),
  packet('T'),
  packet('L', 'Subject\0hello\0'),
  packet('N'),
  packet('B', 'body\r\n'),
  packet('E'),
  packet('A'),
  packet('U', 'BOGUS\0'),
  packet('K'),
  packet('Q'),
  packet('H'),
  packet('R', 'no nul'),
];
const SESSION = Buffer.concat([OFFER, ...COMMANDS.slice(0, 13)]);
const dialogue = fc
  .array(fc.constantFrom(...COMMANDS), { maxLength: 60 })
  .map((each) => Buffer.concat([OFFER, ...each]));
const WORDS = ['\0\0\0\x01', '\0\0\0\x0d', ...COMMANDS.map(textOf)];

/** The packets as text; null where the stream breaks the protocol. */
function packetsOf(chunks: readonly Buffer[]): { readonly read: string[]; readonly broken: boolean } {
  const decoder = new PacketDecoder();
  const read: string[] = [];
  const most = 2 * chunks.reduce((sum, { length }) => sum + length, 256);
  try {
    for (const chunk of chunks) {
      decoder.push(Buffer.from(chunk));
      for (let next = decoder.next(); next !== null; next = decoder.next()) {
        const packet = next;
        read.push(`${packet.command} ${textOf(packet.data)}`);
        refused([ProtocolError], () => decodeCommand(packet));
      }
      must(decoder.held <= most, 'bounded by what came');
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { read, broken: true };
  }
  return { read, broken: false };
}

const packets: Target = {
  name: 'milter-packets',
  files: ['milter/packet.ts', 'milter/command.ts'],
  seeds: [SESSION, packet('O'), Buffer.from([255, 255, 255, 255, 0])],
  shaped: dialogue,
  words: WORDS,
  run: (input) => {
    const whole = packetsOf([input]);
    const cut = packetsOf(pieces(input));
    must(JSON.stringify(whole) === JSON.stringify(cut), 'packets do not depend on where they are cut');
  },
};

/**
 * The order in which libmilter calls a filter: one message after the other, each with its steps in order, and
 * none after MAIL but RCPT until there was one. `X` is the close, `A` an abort, and the others are the letters
 * of the commands. An end of a message is answered even where none has begun, and may bring a last piece of
 * the body.
 */
const IN_ORDER = /^(?:C?(?:[HU]|MU*(?:R[RU]*T?[LU]*N?[BU]*)?(?:B?E|B|A)?|B?E|B)*X)+$/;

/**
 * A message is under way from MAIL until its end, or a reply after which the MTA shows no more of it; if it is
 * given up before, the filter is told by `A` (`xxfi_abort`), and of no other.
 */
class UnderWay {
  #message = false;
  /** Not thrown, since what a callback throws is caught. */
  readonly wrong: string[] = [];

  called(letter: string): void {
    if ('MHX'.includes(letter))
      this.#holds(!this.#message, `${letter} comes after an abort of the message before it`);
    if (letter === 'A') this.#holds(this.#message, 'an abort is of a message under way');
    this.#message = letter === 'M' || (this.#message && letter !== 'A' && letter !== 'E');
  }

  answered(letter: string, reply: ConnectReply): void {
    const over = letter === 'R' ? reply === 'accept' : reply !== 'continue';
    if ('MRTLNB'.includes(letter) && over) this.#message = false;
  }

  #holds(it: boolean, what: string): void {
    if (!it) this.wrong.push(what);
  }
}

/** What a callback answers, chosen by its number and the first octets of the input. */
const REPLIES: readonly ConnectReply[] = [
  'continue',
  'continue',
  'continue',
  'accept',
  'tempfail',
  replyCode(550, '5.7.1', 'no % and\r\nno'),
];

interface Heard {
  readonly calls: string;
  readonly replies: string;
}

async function converse(chunks: readonly Buffer[], choice: number): Promise<Heard> {
  let calls = '';
  const underWay = new UnderWay();
  const note = (letter: string): void => {
    calls += letter;
    underWay.called(letter);
  };
  let at = choice;
  const answer =
    (letter: string, legal: readonly ConnectReply[]) =>
    (...given: readonly unknown[]): Promise<ConnectReply> | ConnectReply => {
      if (given.length === 0) underWay.wrong.push('a callback has its context');
      note(letter);
      at = (at * 31 + 7) % 997;
      const reply = legal[at % legal.length] ?? 'continue';
      underWay.answered(letter, reply);
      return at % 3 === 0 ? Promise.resolve(reply) : reply;
    };
  const session: MilterSession = {
    connect: answer('C', ['continue', 'continue']),
    helo: answer('H', ['continue']),
    mail: answer('M', REPLIES),
    rcpt: answer('R', REPLIES),
    data: answer('T', REPLIES),
    unknown: answer('U', ['continue']),
    header: answer('L', REPLIES),
    endOfHeaders: answer('N', REPLIES),
    body: answer('B', REPLIES),
    endOfMessage: answer('E', REPLIES),
    abort: () => {
      note('A');
    },
    close: () => {
      note('X');
    },
  };
  const written: Buffer[] = [];
  let [ended, more] = [false, false];
  const conversation = new Conversation(
    {
      newSession: () => session,
      replyOnError: 'tempfail',
      onError: (error) => {
        if (!(error instanceof ProtocolError)) throw error;
      },
      wishes: {
        keep: ['connect', 'helo', 'mail', 'rcpt', 'data', 'unknown', 'header', 'endOfHeaders', 'body'],
        noReply: [],
        actions: [],
        macros: {},
        rejectedRecipients: false,
        leadingSpace: false,
      },
    },
    {
      write: (bytes) => {
        must(!ended, 'nothing is written after the end');
        written.push(Buffer.from(bytes));
        return true;
      },
      yield: () => (more = true),
      pause: () => undefined,
      resume: () => undefined,
      destroy: () => (ended = true),
    },
  );
  for (const chunk of chunks) conversation.receive(Buffer.from(chunk));
  // Until all promises have settled and all portions are done.
  for (let turns = 0, last = ''; turns < 10_000; turns++) {
    for (let i = 0; i < 4; i++) await Promise.resolve();
    const now = `${calls} ${written.length} ${String(more)}`;
    if (now === last && !more) break;
    last = now;
    if (more) {
      more = false;
      conversation.proceed();
    }
  }
  conversation.end();
  must(underWay.wrong.length === 0, underWay.wrong[0] ?? '');
  return { calls, replies: textOf(Buffer.concat(written)) };
}

const conversation: Target = {
  name: 'milter-conversation',
  files: ['milter/'],
  seeds: [SESSION, Buffer.concat([SESSION, SESSION.subarray(OFFER.length), packet('Q')])],
  shaped: dialogue,
  words: WORDS,
  run: async (input) => {
    const choice = input.length;
    const whole = await converse([input], choice);
    must(IN_ORDER.test(whole.calls), `the order of libmilter, but ${whole.calls.slice(0, 200)}`);
    const cut = await converse(pieces(input), choice);
    must(whole.calls === cut.calls, 'calls do not depend on where packets are cut');
    must(whole.replies === cut.replies, 'replies do not depend on where packets are cut');
    const { read, broken } = packetsOf([bytesOf(whole.replies)]);
    must(!broken, 'what we write are packets');
    const asked = packetsOf([input]).read.filter((each) => !/^(?:68|65|81|75) /.test(each)).length;
    must(read.length <= asked + 1, 'no more replies than commands');
  },
};

const received: Target = {
  name: 'milter-replies',
  files: ['milter/received.ts', 'milter/packet.ts'],
  seeds: [
    encodeReply('continue'),
    encodeReply(replyCode(550, '5.7.1', ['one', 'two %'])),
    packet('i', '\0\0\0\x01Name\0value\0'),
    packet('m', '\0\0\0\x01Name\0\0'),
    packet('O', Buffer.from('00000006000001ff001fffff00000002', 'hex')),
  ],
  shaped: fc
    .tuple(fc.constantFrom(...Array.from('acdrtyhim+-eb2qOsf')), fc.uint8Array({ maxLength: 60 }))
    .map(([letter, data]) => packet(letter, Buffer.from(data))),
  words: ['550-5.7.1 ', '450 4.7.1 ', '\r\n', '\0', '%%'],
  run: (input) => {
    const decoder = new PacketDecoder();
    decoder.push(input);
    const next = refused([ProtocolError], () => decoder.next());
    if (next === null) return;
    const reply = refused([ProtocolError], () => decodeReply(next));
    if (reply !== null && typeof reply !== 'string') {
      must(
        reply.code >= 400 && reply.code < 600 && reply.lines.length > 0,
        'a reply code has a code and lines',
      );
    }
    refused([ProtocolError], () => decodeChange(next));
    refused([ProtocolError], () => decodeAgreement(next.data));
  },
};

const replies: Target = {
  name: 'reply-encoder',
  files: ['milter/reply.ts'],
  seeds: [bytesOf('550\n5.7.1\ntext'), bytesOf('450\n4.7.1\n\n100% \r\n.\0')],
  shaped: fc
    .tuple(
      fc.integer({ min: 390, max: 610 }),
      fc.constantFrom('5.7.1', '4.7.1', '5.7', ''),
      fc.string({ unit: 'binary' }),
    )
    .map((words) => Buffer.from(words.join('\n'))),
  words: ['550', '450', '5.7.1', '4.999.999', '%', '\r\n', '\0'],
  run: (input) => {
    const [code = '', enhanced = '', ...text] = input.toString('utf8').split('\n');
    const reply = refused([RangeError], () =>
      replyCode(Number(code), enhanced, text.length > 1 ? text : text.join('')),
    );
    if (reply === null) return;
    const decoder = new PacketDecoder();
    decoder.push(encodeReply(reply));
    const next = decoder.next();
    must(next !== null && decoder.next() === null, 'a reply is one packet');
    const read = decodeReply(next);
    must(read !== null && typeof read !== 'string', 'a reply code is read as one');
    must(
      JSON.stringify(read.lines) === JSON.stringify(reply.lines),
      'the client sees the lines that we meant',
    );
    must(read.code === Number(code) && read.enhancedCode === enhanced, 'and the codes');
    must(
      reply.lines.some((line) => line !== ''),
      'there is a text',
    );
    for (const line of reply.lines) {
      must(/^[\x20-\x7e]*$/.test(line), 'a line is printable ASCII');
      must(`${reply.code}-${enhanced} ${line}`.length <= 510, 'a line fits into 512 octets');
    }
  },
};

export const MILTER: readonly Target[] = [packets, conversation, received, replies];
