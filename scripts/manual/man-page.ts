/** The manual page helo-milter(8) as roff, with the macros of man(7). */
import { EXIT_CODES } from '../../src/commands/exit-codes.ts';
import { commandTree, type ManualCommand, type ManualOption } from './command-tree.ts';

/** What the program does on each signal. */
const SIGNALS = [
  [
    'SIGHUP',
    'Read the configuration file again, and the lists, checks and zone file that it names. Everything is read and checked before any of it is used: if there is a mistake, one log line says so and everything stays as it was. Sessions go on. Options marked "Read at the start only" need a restart, and the log says so when one has changed.',
  ],
  [
    'SIGTERM, SIGINT',
    'Stop listening, let sessions go on for the time of --grace, answer "continue" to whatever is still waiting, and exit. A second one means: do not wait.',
  ],
] as const;

const FILES = [
  [
    '/etc/helo-milter.toml',
    'the configuration file by convention of the systemd unit and of packages; the service reads it only if --config or HELO_MILTER_CONFIG names it',
  ],
] as const;

/** Debian's package, which has them elsewhere, leaves out the last sentence. */
const DOCUMENTS =
  'docs/README.md is an index of the documents by reader. Their directory is that of the program: the one called helo-milter below what "npm root --global" prints, or the unpacked archive.';

const EXAMPLES = [
  ['helo-milter --observe --shadow-policy strict', 'refuse nothing; log what two policies would have done'],
  [
    'helo-milter --config /etc/helo-milter.toml --check-config',
    'say what is wrong with the file, before a start or a reload',
  ],
  [
    'helo-milter --config /etc/helo-milter.toml --reject-at 12 --print-config',
    'print the options in force, each with its source',
  ],
  ['helo-milter check 203.0.113.50 gone.example.org', 'explain one pair of address and name'],
  [
    'helo-milter publish mail.example.org 192.0.2.25 2001:db8::25',
    'print the records that a sender should have',
  ],
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
      'Every option can be a flag, an environment variable or a line of a configuration file; a flag wins over the environment, the environment over the file, the file over the default.',
    ),
    section('COMMANDS'),
    ...commands.flatMap(commandLines),
    section('OPTIONS'),
    ...optionSections(program.options),
    section('CONFIGURATION FILE'),
    text(
      'TOML; its keys are the flags without their dashes, all at the top level. Repeatable options take a list or a single value, switches take true or false, ID=VALUE pairs may also be a table. Numbers may be written as numbers or as text. Relative paths are relative to the file. Without --config and HELO_MILTER_CONFIG the service reads no file; check, test, publish --verify and doctor read /etc/helo-milter.toml if it is there.',
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
      'HELO_MILTER_ followed by the name of the flag in capitals: HELO_MILTER_REJECT_AT=12. Repeatable options are split at white space, or at line ends if a value may contain blanks. Switches take true, false, 1, 0, yes or no. An empty variable counts as not set. HELO_MILTER_CONFIG names the configuration file.',
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
    '.PP',
    text(DOCUMENTS),
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
  // A word before a colon, such as the name of a preset, keeps its case.
  const whole = /^[a-z]+[ ,;-]/.test(words) ? `${words.charAt(0).toUpperCase()}${words.slice(1)}` : words;
  return whole.endsWith('.') ? whole : `${whole}.`;
}

/**
 * Escapes hyphens so that they can be copied, backslashes, and a leading dot or quote, which would start a
 * request; roff itself breaks long lines.
 */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('§', '\\(sc')
    .replace(/^([.'])/, '\\&$1');
}
