/** The manual page helo-milter(8) as roff, with the macros of man(7). */
import { EXIT_CODES } from '../../src/commands/exit-codes.ts';
import { commandTree, type ManualCommand, type ManualOption } from './command-tree.ts';

/** What the program does when it is told so by a signal. */
const SIGNALS = [
  [
    'SIGHUP',
    'Read the configuration file again, and the lists, checks and zone file that it names. All of it is read and checked before any of it is used: a fault is logged in one line, and everything stays as it was. Sessions go on. Options that are marked as read at the start only need a restart, which the log says when they have changed.',
  ],
  [
    'SIGTERM, SIGINT',
    'Stop listening, let sessions finish for the time of --grace, answer "continue" to what is still asked, and end. A second one does not wait.',
  ],
] as const;

const FILES = [
  [
    '/etc/helo-milter.toml',
    'a place for the configuration file that systemd units and packages use; it is read only if --config or HELO_MILTER_CONFIG names it',
  ],
] as const;

const EXAMPLES = [
  ['helo-milter --observe --shadow-policy strict', 'refuse nothing; log what two policies would have done'],
  [
    'helo-milter --config /etc/helo-milter.toml --check-config',
    'what is wrong with the file, before a start or a reload',
  ],
  [
    'helo-milter --config /etc/helo-milter.toml --reject-at 12 --print-config',
    'the options in force, each with its source',
  ],
  ['helo-milter check 203.0.113.50 gone.example.org', 'explain one pair of address and name'],
  ['helo-milter publish mail.example.org 192.0.2.25 2001:db8::25', 'the records that a sender should have'],
] as const;

export function manPage(): string {
  const [program, ...commands] = commandTree();
  if (program === undefined) throw new Error('no program');
  return [
    '.\\" Generated from the option table; do not edit.',
    '.TH HELO\\-MILTER 8',
    section('NAME'),
    text('helo-milter - a HELO gate for Postfix and Sendmail'),
    section('SYNOPSIS'),
    ...[program, ...commands].map(({ synopsis }) => `.B ${text(synopsis)}\n.br`),
    section('DESCRIPTION'),
    ...paragraphs(program.description),
    '.PP',
    text(
      'Every option may be a flag, a variable of the environment or a line of a configuration file; a flag wins over the environment, the environment over the file, the file over the default.',
    ),
    section('COMMANDS'),
    ...commands.flatMap(commandLines),
    section('OPTIONS'),
    ...optionSections(program.options),
    section('CONFIGURATION FILE'),
    text(
      'TOML; its keys are the flags without their dashes, all at the top level. Repeatable options take a list or one value, switches true or false, pairs ID=VALUE a table as well. Numbers may be numbers or text. Relative paths are relative to the file. Without --config and HELO_MILTER_CONFIG no file is read.',
    ),
    ...verbatim([
      'reject-at = 12',
      'observe = true',
      'trust = ["192.0.2.0/24", "2001:db8::/32"]',
      'access = "access"    # beside this file',
      'weight = { helo-mismatch = 5 }',
    ]),
    section('ENVIRONMENT'),
    text(
      'HELO_MILTER_ and the name of the flag in capitals: HELO_MILTER_REJECT_AT=12. Repeatable options are split at white space, at line ends where a value may hold blanks. Switches take true, false, 1, 0, yes or no. An empty variable is not set. HELO_MILTER_CONFIG names the configuration file.',
    ),
    section('SIGNALS'),
    ...SIGNALS.flatMap(([name, what]) => tagged(name, what)),
    section('EXIT STATUS'),
    ...EXIT_CODES.flatMap(([code, meaning]) => tagged(String(code), `${meaning}.`)),
    section('FILES'),
    ...FILES.flatMap(([name, what]) => tagged(name, `${what}.`)),
    section('EXAMPLES'),
    ...EXAMPLES.flatMap(([line, what]) => tagged(line, `${what}.`)),
    section('STANDARDS'),
    text('RFC 5321, RFC 7208, RFC 8601; draft-ietf-emailcore-as.'),
    section('SEE ALSO'),
    '.BR postconf (5),\n.BR sendmail (8),\n.BR systemd (1)',
    '',
  ].join('\n');
}

function section(title: string): string {
  return `.SH ${title.includes(' ') ? `"${title}"` : title}`;
}

function commandLines({ name, synopsis, description, options }: ManualCommand): string[] {
  const own = options.filter(({ row, flag }) => row === null && flag !== '--config' && flag !== '--help');
  const shared = options.filter(({ row }) => row !== null).map(({ flag }) => flag);
  return [
    `.SS ${text(name)}`,
    `.B ${text(synopsis)}`,
    '.PP',
    text(sentence(description)),
    ...own.flatMap(({ flag, value, help }) => tagged([flag, value ?? ''].join(' ').trim(), sentence(help))),
    '.PP',
    text(`Options in common with the service: ${['--config', ...shared].join(', ')}.`),
  ];
}

function optionSections(options: readonly ManualOption[]): string[] {
  const groups = new Map<string, ManualOption[]>();
  for (const option of options) {
    const group = option.row?.group ?? 'General';
    groups.set(group, [...(groups.get(group) ?? []), option]);
  }
  return [...groups].flatMap(([group, rows]) => [
    `.SS ${text(group)}`,
    ...rows.flatMap(({ flag, value, help, row }) => {
      const notes = [
        ...(row?.repeatable === true ? ['May be repeated.'] : []),
        ...(row?.default ? [`Default: ${row.default}.`] : []),
        ...(row?.restart === true ? ['Read at the start only.'] : []),
      ];
      return tagged([flag, value ?? ''].join(' ').trim(), [sentence(help), ...notes].join(' '));
    }),
  ]);
}

function tagged(tag: string, what: string): string[] {
  return ['.TP', `.B ${text(tag)}`, text(what)];
}

function verbatim(lines: readonly string[]): string[] {
  return ['.PP', '.nf', '.RS', ...lines.map(text), '.RE', '.fi'];
}

function paragraphs(description: string): string[] {
  return [text(description.replaceAll('\n', ' '))];
}

function sentence(words: string): string {
  // A word of the program itself is written as the program wants it.
  const whole = /^[a-z]+[ ,;-]/.test(words) ? `${words.charAt(0).toUpperCase()}${words.slice(1)}` : words;
  return whole.endsWith('.') ? whole : `${whole}.`;
}

/** Hyphens that can be copied, backslashes, and no line that is taken for a request; long lines are broken by roff. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('§', '\\(sc')
    .replace(/^([.'])/, '\\&$1');
}
