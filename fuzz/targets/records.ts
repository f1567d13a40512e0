/** What we write and read again: decision logs, log lines, replies, and what a store keeps for us. */
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { assess } from '../../src/core/assess.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { readRecord, RecordError } from '../../src/decisions/record-reader.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { asciiJson, formatFields, jsonString } from '../../src/log/value.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { lineLimit, smtpReply } from '../../src/policy/smtp-reply.ts';
import { clean, fill, placeholders } from '../../src/policy/template.ts';
import { assessmentText, readAssessmentText } from '../../src/store/assessment-text.ts';
import { guarded } from '../../src/store/reply-guard.ts';
import { bytesOf, must, pieces, refused, type Target, textOf } from '../target.ts';

const POLICY = makePolicy('strict', findings);
const json = (maxDepth: number): fc.Arbitrary<Buffer> =>
  fc.json({ maxDepth }).map((text) => Buffer.from(text));

const record: Target = {
  name: 'decision-record',
  files: ['decisions/'],
  // Those of the corpus are real ones.
  seeds: [bytesOf('{"version":2,"time":"2026-11-24T07:40:00.023Z","client":{"ip":"192.0.2.1"},"helo":"x"}')],
  shaped: json(3),
  words: ['null', '[]', '{}', '-1', '1e400', '"', '\\u0000', '"version":1', 'true', '"__proto__":{}', '""'],
  run: (input) => {
    const line = input.toString('utf8');
    const read = refused([RecordError], () => readRecord(line, checks));
    if (read === null) return;
    must(Number.isFinite(read.time), 'a record has a time');
    if (read.judged === null) return;
    const verdict = decide(read.judged.assessment, POLICY);
    must(Number.isFinite(verdict.score) && verdict.score >= 0, 'and can be judged again');
  },
};

const lines: Target = {
  name: 'log-line',
  files: ['log/value.ts'],
  seeds: ['mail.example.org', 'a "b"\n\x1b[31m', 'x=y z', '\\'].map(bytesOf),
  shaped: fc.string({ unit: 'binary', maxLength: 400 }).map((text) => Buffer.from(text)),
  words: ['"', '\\', ' = ', '\r\n', '\x1b', '\u2028'],
  run: (input) => {
    for (const text of [textOf(input), input.toString('utf8'), input.toString('utf16le')]) {
      const line = formatFields([
        ['a', text],
        ['b', 'end'],
      ]);
      must(/^[\x20-\x7e]*$/.test(line), 'a line is printable ASCII');
      must(
        /^ a=(?:[^\s"=]+|"(?:[^"\\]|\\.)*") b=end$/.test(line),
        'a value cannot pretend to be another field',
      );
      must(/^[\x20-\x7e]*$/.test(jsonString(text)), 'JSON is printable ASCII');
      must(text.length > 256 || JSON.parse(jsonString(text)) === text, 'and reads as it was');
      must(JSON.parse(asciiJson(text)) === text, 'whole as well');
    }
  },
};

const ZONE = `
$ORIGIN example.org.
mail A 192.0.2.1
mail TXT "v=spf1 ip4:192.0.2.1 -all"
1.2.0.192.in-addr.arpa. PTR mail
org. NS ns.org.
example.org. NS ns
`;
const RESOLVER = zoneFileResolver(ZONE, 'zone');
const onCheckError = (check: string, error: unknown): never => {
  throw new Error(`the check ${check} threw`, { cause: error });
};

const reply: Target = {
  name: 'smtp-reply',
  files: [
    'policy/smtp-reply.ts',
    'policy/written-name.ts',
    'policy/mailbox.ts',
    'advice/',
    'core/assess.ts',
    'core/checks/',
  ],
  seeds: ['gone.example.org\nSee {helo}\nr@example.org', 'Jupiter\n\n', 'a_b.example\n{x}\n<"a b"@x>'].map(
    bytesOf,
  ),
  shaped: fc
    .tuple(
      fc.constantFrom(
        'Jupiter',
        'gone.example.org',
        '[192.0.2.9]',
        'mail.local',
        'x y',
        '192.0.2.1',
        'co.uk',
      ),
      fc.string({ unit: fc.constantFrom('{', '}', 'helo', 'ip', '%', ' ', '\r', '\x80') }),
      fc.emailAddress(),
    )
    .map((words) => bytesOf(words.join('\n'))),
  words: ['{helo}', '{client}', '{', '}', '%s', '<', '>', '\r', '\0'],
  run: async (input) => {
    const [helo = '', template = '', address = ''] = textOf(input).split('\n');
    const cleaned = clean(helo, 40);
    must(
      /^[\x20-\x7e]*$/.test(cleaned) && cleaned.length <= 40,
      'a cleaned text is printable, and no longer than it may be',
    );
    must(Array.isArray(placeholders(template)), 'any template has its placeholders');
    must(fill('{a}{a}', { a: 'x' }) !== '', 'a template is filled');
    const assessment = await assess(makeClient('198.51.100.9', helo), {
      resolver: RESOLVER,
      checks,
      onCheckError,
    });
    const words = {
      helpUrl: 'https://example.net/helo',
      contact: null,
      templates: new Map([...findings.keys()].map((id) => [id, template])),
    };
    for (const each of [words, { ...words, templates: new Map<string, string>() }]) {
      const told = smtpReply(decide(assessment, POLICY), {
        ...{ assessment, findings, words: each, reference: 'x'.repeat(12), policy: POLICY },
        ...{ address: address.slice(0, 250), recipient: address },
      });
      if (told === null) continue;
      must(/^[\x20-\x7e]+$/.test(told.text), 'a reply is printable ASCII');
      must(told.text.length <= Math.max(lineLimit(address.slice(0, 250)), 200), 'and fits into a line');
      must(told.text.includes('(ref '), 'and has its reference');
      must(Math.floor(told.code / 100) === Number(told.enhancedCode[0]), 'and codes of one class');
    }
  },
};

const MAIL = makeClient('192.0.2.1', 'mail.example.org');
const SHARED = assessmentText(await assess(MAIL, { resolver: RESOLVER, checks, onCheckError })) ?? '';

const shared: Target = {
  name: 'store-assessment',
  files: ['store/assessment-text.ts', 'decisions/members.ts', 'core/conclude.ts'],
  seeds: [bytesOf(SHARED)],
  shaped: json(3),
  words: [
    '"result":"pass"',
    '"correspondence":"exact"',
    'null',
    '[]',
    '-1',
    '1e400',
    '"proofs":["aligned"]',
    '"__proto__":{}',
  ],
  run: (input) => {
    const read = readAssessmentText(input.toString('utf8'), MAIL, checks);
    if (read === null) return;
    must(read.client === MAIL, 'what a store says is about the client that was asked for');
    must(read.findings.length === 0, 'a store gives no reason to refuse');
    must(decide(read, POLICY).disposition === 'accept', 'what a store says refuses nobody');
    const text = assessmentText(read);
    must(text !== null && readAssessmentText(text, MAIL, checks) !== null, 'it can be shared again');
  },
};

/** What becomes of these octets: those that went through, and whether the connection goes on. */
function through(chunks: readonly Buffer[]): { readonly octets: number; readonly open: boolean } {
  const stream = guarded(
    new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
      },
      highWaterMark: 1 << 20,
    }),
  );
  stream.on('error', () => undefined);
  let octets = 0;
  const isOpen = (): boolean => !stream.destroyed;
  for (const chunk of chunks) {
    if (!isOpen()) break;
    stream.push(chunk);
    if (isOpen()) octets += chunk.length;
  }
  return { octets, open: isOpen() };
}

/** Ends of a reply, or of the first value that a list has: where it is over, or why it is not. */
type End = number | 'short' | 'bad' | 'either';

/** Bounds of a reply: the sizes that docs/limits.md gives, and those of a line and of lists in lists. */
const [MOST_OCTETS, MOST_MEMBERS, LONGEST_LINE, DEEPEST] = [65_536, 4096, 4096, 8];

/** The value that begins at `at`, by the grammar of RESP2, and as plainly as that can be written. */
function valueEnd(text: string, at: number, depth: number): End {
  if (at >= text.length) return 'short';
  const lf = text.indexOf('\n', at);
  const line = text.slice(at, lf < 0 ? undefined : lf + 1);
  const type = line.charAt(0);
  if (!'+-:$*'.includes(type) || line.length > LONGEST_LINE) return 'bad';
  if (lf < 0) return /\r./s.test(line) ? 'bad' : 'short';
  if (line.indexOf('\r') !== line.length - 2) return 'bad';
  const [rest, next] = [line.slice(1, -2), lf + 1];
  if (type === '+' || type === '-') return next;
  if (type === ':') return /^-?\d{1,19}$/.test(rest) ? next : 'bad';
  if (rest !== '-1' && !/^\d{1,9}$/.test(rest)) return 'bad';
  const length = Number(rest);
  if (length > (type === '*' ? MOST_MEMBERS : MOST_OCTETS)) return 'bad';
  if (depth >= DEEPEST) return type === '*' ? 'bad' : 'either';
  // What follows the octets of a string is two of a line end, which the library does not look at either.
  if (type === '$') return length < 0 ? next : next + length + 2 > text.length ? 'short' : next + length + 2;
  let end: End = next;
  for (let i = 0; i < length && typeof end === 'number'; i++) end = valueEnd(text, end, depth + 1);
  return end;
}

/** Whether these are replies of RESP2 within bounds, as far as they have come; null where both may be said. */
function isSound(text: string): boolean | null {
  for (let at = 0; at < text.length;) {
    const end = valueEnd(text, at, 0);
    if (end === 'either') return null;
    if (end === 'bad') return false;
    const octets = (end === 'short' ? text.length : end) - at;
    if (octets > MOST_OCTETS) return false;
    if (end === 'short') return true;
    at = end;
  }
  return true;
}

const RESP = [
  '+OK\r\n',
  '-ERR x\r\n',
  ':1\r\n',
  '$3\r\nabc\r\n',
  '$-1\r\n',
  '*2\r\n',
  '*-1\r\n',
  '\r\n',
  '$65537\r\n',
  '*4097\r\n',
  '%1\r\n',
  '>1\r\n',
];
const resp: Target = {
  name: 'store-replies',
  files: ['store/reply-guard.ts'],
  seeds: [
    '+OK\r\n',
    '*2\r\n$1\r\na\r\n:5\r\n',
    '*1\r\n*1\r\n*0\r\n$-1\r\n',
    `${'*1\r\n'.repeat(12)}:1\r\n`,
  ].map(bytesOf),
  shaped: fc.array(fc.constantFrom(...RESP), { maxLength: 20 }).map((words) => bytesOf(words.join(''))),
  words: RESP,
  run: (input) => {
    const whole = through([input]);
    const cut = through(pieces(input));
    must(whole.open === cut.open, 'it does not matter where replies are cut');
    const sound = isSound(textOf(input));
    must(sound === null || whole.open === sound, 'sound replies pass, and no others');
    if (whole.open) must(whole.octets === input.length, 'as they are');
  },
};

export const RECORDS: readonly Target[] = [record, lines, reply, shared, resp];
