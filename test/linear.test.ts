/**
 * Nobody can keep us busy with a text: the work of every regular expression in the source, and of everything
 * that reads a stranger's or an operator's text, grows with the length of the text and no faster.
 */
import { pretendsToBeOurs } from '../src/session/our-field.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { AccessList, parseAccess } from '../src/policy/access.ts';
import { parseConfigFile } from '../src/config/file.ts';
import type { Assessment } from '../src/core/assessment.ts';
import { parseAuthRecord } from '../src/core/auth-record/record.ts';
import { checks } from '../src/core/checks/index.ts';
import { makeClient } from '../src/core/client.ts';
import { canonicalName, organisation } from '../src/core/domain.ts';
import { parseHelo } from '../src/core/helo.ts';
import { parseIp, parsePrefix } from '../src/core/ip.ts';
import type { Resolver } from '../src/core/resolver.ts';
import { parseSpfRecord } from '../src/core/spf/record.ts';
import { readRecord } from '../src/decisions/record-reader.ts';
import { parseResolvConf } from '../src/dns/resolv-conf.ts';
import { readServerAddress } from '../src/dns/server-address.ts';
import { zoneFileResolver } from '../src/dns/zone-file.ts';
import { parsePostconf } from '../src/doctor/postconf.ts';
import { expandParameters, splitList } from '../src/doctor/postfix-value.ts';
import { sendmailMta } from '../src/doctor/sendmail-cf.ts';
import { escape, formatValue, jsonString } from '../src/log/value.ts';
import { cutHead, endOfHead } from '../src/mailboxes/head.ts';
import { parseMailbox } from '../src/policy/mailbox.ts';
import { decodeCommand } from '../src/milter/command.ts';
import { decodeChange, decodeReply } from '../src/milter/received.ts';
import { Macros } from '../src/milter/macros.ts';
import { parseSocketAddress, replyCode } from '../src/milter/index.ts';
import { describeCommand } from '../src/milter/observer.ts';
import { parseRecipientRules } from '../src/policy/recipients.ts';
import { textOfWire, writtenName } from '../src/policy/written-name.ts';
import { clean } from '../src/policy/template.ts';
import { parseRegulars } from '../src/state/regulars-text.ts';
import { arrivalOf } from '../src/report/received.ts';
import { TomlDocument } from '../src/config/toml-document.ts';
import { TomlKeys } from '../src/config/toml-keys.ts';
import { TomlPlaces } from '../src/config/toml-places.ts';
import { type Shape, superlinear } from './support/growth.ts';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Expression {
  readonly place: string;
  readonly pattern: RegExp;
  /** It takes a text apart at each place where it matches. */
  readonly splits: boolean;
}

/** Every regular expression of the source, as TypeScript reads it. */
function expressions(file: string): Expression[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found: Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const call = node.parent;
      found.push({
        place: `${relative(SRC, file)}:${line + 1} ${node.text}`,
        pattern: new RegExp(node.text.slice(1, end), node.text.slice(end + 1)),
        splits:
          ts.isCallExpression(call) &&
          ts.isPropertyAccessExpression(call.expression) &&
          call.expression.name.text === 'split',
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const EXPRESSIONS = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => expressions(join(SRC, name)));

/** The literal text of the expression, without its sets, groups and quantifiers. */
function written({ source }: RegExp): string {
  return source
    .replaceAll(/\(\?(?:<?[=!]|:|<\w+>)/g, '(')
    .replaceAll(/\\[dD]/g, '1')
    .replaceAll(/\\[wW]/g, 'a')
    .replaceAll(/\\s/g, ' ')
    .replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll(/\\r/g, '\r')
    .replaceAll(/\\n/g, '\n')
    .replaceAll(/\\t/g, '\t')
    .replaceAll(/\\0/g, '\0')
    .replaceAll('\\', '');
}

/**
 * Every short text that the expression tells apart, repeated: after nothing, after each of its words and
 * after each character. The end is one that hardly any expression matches, and not the end of a line.
 */
function shapesFor(pattern: RegExp): Shape[] {
  const text = written(pattern);
  const letters = [...new Set([...Array.from(text), 'a', '1', ' ', '\n', '\u00e9'])].slice(0, 30);
  const words = (text.match(/[\w:@%./-]{2,}/g) ?? []).slice(0, 4);
  const shapes: Shape[] = [];
  const add = (before: string, repeated: string): void => {
    shapes.push({ before, repeated, after: '\0\n' });
  };
  for (const letter of letters) {
    for (const before of ['', ...words]) add(before, letter);
    for (const other of letters.slice(0, 8)) {
      add('', letter + other);
      add(other, letter);
    }
  }
  for (const word of words) add('', word);
  return shapes;
}

function run({ pattern, splits }: Expression): (text: string) => void {
  if (splits) return (text) => void text.split(pattern);
  if (pattern.global) return (text) => void text.replace(pattern, '');
  return (text) => {
    pattern.lastIndex = 0;
    pattern.exec(text);
  };
}

it('the expressions of the source are found', () => {
  expect(EXPRESSIONS.length).toBeGreaterThan(150);
});

it.each(EXPRESSIONS)('$place', (expression) => {
  expect(superlinear(shapesFor(expression.pattern), run(expression))).toEqual([]);
});

const packet = (letter: string) => (text: string) =>
  describeCommand(decodeCommand({ command: letter.charCodeAt(0), data: Buffer.from(text, 'latin1') }));

/** Only for valid TOML. */
function places(text: string): void {
  parse(text);
  new TomlPlaces(text).get(['a']);
}

const patterns = new AccessList(
  parseAccess('deny *a*b\ndeny *1*2\ndeny *-*_', 'list', 0, checks),
  () => undefined,
);

/** Matches a HELO against patterns made of the operator's text. */
function matchPatterns(text: string): unknown {
  const assessment: Pick<Assessment, 'client' | 'outcomes'> = {
    client: makeClient(null, text),
    outcomes: [],
  };
  return patterns.match(assessment as Assessment, 0);
}

/** Knows no name. */
const ignorant: Resolver = { lookup: () => Promise.resolve({ status: 'nxdomain', ttl: null }) };

/** Starts every check of a HELO, up to the first DNS answer. */
function beginChecks(text: string): void {
  const client = makeClient('192.0.2.1', text);
  for (const check of checks) void Promise.resolve(check.run(client, ignorant)).catch(() => undefined);
}

const arrival = (text: string): unknown => arrivalOf(text, { names: ['mx.dest.test'], networks: [] });

/** As a milter's answer of that kind, which the MTA's side reads. */
const answered = (letter: string) => (text: string) => {
  const received = { command: letter.charCodeAt(0), data: Buffer.from(text, 'latin1') };
  return [decodeReply(received), decodeChange(received)];
};

type Reader = readonly [what: string, begin: string, read: (text: string) => unknown, end?: string];

/**
 * What reads strangers' texts, then operators'; each text starts like a valid one, so that it is read to the
 * end.
 */
const READERS: readonly Reader[] = [
  ...Array.from('CDHMRLUBE', (letter) => [`command ${letter}`, '', packet(letter)] as const),
  ['CONNECT of an IPv6 client', 'host\0' + '6\x12\x34', packet('C')],
  [
    'macros',
    '',
    (text) => {
      const macros = new Macros();
      macros.set('M'.charCodeAt(0), text);
      return macros.get('none');
    },
  ],
  ['an address', '', parseIp],
  ['a network', '', parsePrefix],
  ['HELO', '', parseHelo],
  ['HELO, a literal', '[IPv6:', parseHelo],
  ['HELO, matched against patterns,', '', matchPatterns],
  ['HELO, given to every check,', '', beginChecks],
  ['HELO, a literal given to every check,', '[IPv6:', beginChecks],
  ['a name', '', canonicalName],
  ['the organisation of a name', '', organisation],
  ['a recipient', '<', parseMailbox],
  ['a recipient in quotes', '<"', parseMailbox],
  ['SPF', 'v=spf1 ', parseSpfRecord],
  ['an auth record', 'v=auth1 ', parseAuthRecord],
  ['Authentication-Results', '', (text) => pretendsToBeOurs('mx.dest.test', text)],
  ['a value in the log', '', formatValue],
  ['a value in JSON', '', jsonString],
  ['a text in the log', '', escape],
  ['a word in a reply', '', (text) => clean(text, 200)],
  ['a reply', '', (text) => replyCode(550, '5.7.1', text)],
  ['a name as its owner wrote it', '', (text) => [writtenName(text), textOfWire(text)]],
  ...Array.from('ymibhe', (letter) => [`answer ${letter}`, '', answered(letter)] as const),
  ['the end of a header', '', (text) => endOfHead(text)],
  ['a header that is cut', '', cutHead],
  ['a socket', 'inet:', parseSocketAddress],
  ['a header', '', arrival],
  ['Received', 'Received: ', arrival],
  ['Received, a client', 'Received: from x (', arrival],
  ['Received, clauses', 'Received: from x ([192.0.2.1]) by mx.dest.test ', arrival],
  ['Received, a path', 'Received: from x ([192.0.2.1]) by mx.dest.test for <', arrival],
  ['Received, a date', 'Received: from x ([192.0.2.1]) by mx.dest.test; ', arrival],
  ['an access list', '', (text) => parseAccess(text, 'list', 0, checks)],
  ['a line of an access list', 'allow a.example.org text="', (text) => parseAccess(text, 'list', 0, checks)],
  ['recipients', '', (text) => parseRecipientRules(text, 'recipients')],
  ['a zone file', '', (text) => zoneFileResolver(text, 'zone')],
  ['a record of a zone file', '$ORIGIN example.org.\na IN TXT ', (text) => zoneFileResolver(text, 'zone')],
  ['a configuration file', '', (text) => parseConfigFile(text, 'file')],
  ['a value in a configuration file', 'contact = ', (text) => parseConfigFile(text, 'file')],
  ['a key in a configuration file', '', (text) => parseConfigFile(text, 'file'), 'a = 1\n'],
  ['places of keys in TOML', '', places, 'a = 1\n'],
  ['places of values in TOML', 'a = [', places, ']\n'],
  ['places of texts in TOML', "a = '", places, "'\n"],
  ['policy tests', '', (text) => new TomlKeys(new TomlDocument(text, 'file')).tables('case')],
  ['a policy test', '[[case]]\nhelo = "', (text) => new TomlKeys(new TomlDocument(text, 'f')).tables('case')],
  ['a record of the decision log', '{"version":2,"helo":"', (text) => readRecord(text, checks), '"}'],
  ['regulars', `{"format":"helo-milter-regulars","version":1,"entries":1}\n`, parseRegulars],
  ['resolv.conf', 'nameserver 192.0.2.1\n', parseResolvConf],
  ['a name server', '', readServerAddress],
  ['what postconf says', '', (text) => parsePostconf(text, 'main.cf')],
  ['a value of Postfix', '', (text) => expandParameters(text, () => 'x')],
  ['a list of Postfix', '', (text) => splitList(text)],
  ['sendmail.cf', '', (text) => sendmailMta(text, 'sendmail.cf', () => null)],
  [
    'an option in sendmail.cf',
    'V10\nO InputMailFilters=',
    (text) => sendmailMta(text, 'sendmail.cf', () => null),
  ],
];

/** Each character alone, and what makes lines, words, labels, lists, macros and nested structures. */
const PIECES = [
  ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i)),
  ...[
    '\0',
    '\n',
    '\r',
    '\t',
    '\xe9',
    '\r\n',
    '\n ',
    '\n\t',
    'a.',
    '1.',
    '::',
    ':0',
    '()',
    '((',
    '\\"',
    '"\\',
    '%{',
    '%{d}',
  ],
  ...[
    '${',
    '${a}',
    '$a',
    'a b\n',
    'a = 1\n',
    'a=b,',
    'a,',
    '"a" ',
    '[a]\n',
    'x 1\0',
    '%%',
    '?{',
    '{a',
    ' ip4:1',
    '\nO a=b',
  ],
];

it.each(READERS.map(([what, before, read, after = '\0\n']) => ({ what, before, read, after })))(
  '$what is read in time',
  ({ before, read, after }) => {
    const shapes = PIECES.map((repeated): Shape => ({ before, repeated, after }));
    const found = superlinear(shapes, (text) => {
      try {
        read(text);
      } catch {
        // Refusing a text takes time as well.
      }
    });
    expect(found).toEqual([]);
  },
);

describe('the measure itself', () => {
  it.each([
    [/%.*$/, { before: '', repeated: '%', after: '\n' }],
    [/\s+$/, { before: '', repeated: ' ', after: 'x' }],
    [/^(?:a+)+$/, { before: '', repeated: 'a', after: '!' }],
  ])('finds %s out', (pattern, shape) => {
    expect(superlinear([shape], (text) => void pattern.exec(text))).toHaveLength(1);
  });
});
