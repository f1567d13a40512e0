/** Completions for bash, zsh and fish. */
import { commandTree, type ManualCommand, type ManualOption } from './command-tree.ts';

/** Placeholders that mean a file or a directory. */
const isFile = ({ value }: ManualOption): boolean => value === 'FILE' || value === 'DIR';

export function bashCompletion(): string {
  const [program, ...commands] = commandTree();
  const all = unique([program, ...commands].flatMap((each) => each?.options ?? []));
  const files = all.filter(isFile).map(({ flag }) => flag);
  const others = all.filter(
    (each) => each.value !== null && !isFile(each) && each.words.length === 0 && each.ids.length === 0,
  );
  return [
    '# bash completion for helo-milter. Generated from the option table; do not edit.',
    '_helo_milter() {',
    "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word",
    '  # Bash takes "=" for a word of its own, in --flag=VALUE as in ID=VALUE.',
    "  if [ \"$current\" = '=' ]; then current=''; else [ \"$previous\" != '=' ] || previous=${COMP_WORDS[COMP_CWORD - 2]}; fi",
    '  case $previous in',
    ...all
      .filter(({ ids }) => ids.length > 0)
      .flatMap(({ flag, ids }) => [
        `    ${flag})`,
        '      compopt -o nospace 2>/dev/null',
        `      COMPREPLY=($(compgen -S = -W '${ids.join(' ')}' -- "$current"))`,
        '      return',
        '      ;;',
      ]),
    `    ${idWords(all).join(' | ')}) COMPREPLY=(); return ;;`,
    ...all
      .filter(({ words }) => words.length > 0)
      .map(
        ({ flag, words }) =>
          `    ${flag}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")); return ;;`,
      ),
    `    ${files.join(' | ')})`,
    '      compopt -o filenames 2>/dev/null',
    '      mapfile -t COMPREPLY < <(compgen -f -- "$current")',
    '      return',
    '      ;;',
    `    ${others.map(({ flag }) => flag).join(' | ')}) COMPREPLY=(); return ;;`,
    '  esac',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case $word in',
    `      ${commands.map(({ name }) => name).join(' | ')}) command=$word; break ;;`,
    '    esac',
    '  done',
    '  case $command in',
    ...commands.map(
      ({ name, options }) => `    ${name}) COMPREPLY=($(compgen -W '${flags(options)}' -- "$current")) ;;`,
    ),
    `    *) COMPREPLY=($(compgen -W '${[...commands.map(({ name }) => name), flags(program?.options ?? [])].join(' ')}' -- "$current")) ;;`,
    '  esac',
    '}',
    'complete -F _helo_milter helo-milter',
    '',
  ].join('\n');
}

/** Placeholders that mean a number or a text. */
function idWords(options: readonly ManualOption[]): readonly string[] {
  return [...new Set(options.flatMap(({ ids }) => ids))];
}

function flags(options: readonly ManualOption[]): string {
  return options.map(({ flag }) => flag).join(' ');
}

function unique(options: readonly ManualOption[]): readonly ManualOption[] {
  return [...new Map(options.map((each) => [each.flag, each])).values()];
}

export function zshCompletion(): string {
  const [program, ...commands] = commandTree();
  return [
    '#compdef helo-milter',
    '# Generated from the option table; do not edit.',
    '_helo_milter() {',
    '  local context state state_descr line',
    '  typeset -A opt_args',
    '  _arguments -C \\',
    ...(program?.options ?? []).map((each) => `    ${argument(each)} \\`),
    "    '1: :->command' \\",
    "    '*:: :->rest'",
    '  case $state in',
    '    command)',
    '      local -a commands',
    '      commands=(',
    ...commands.map(
      ({ name, description }) => `        ${quoted(`${name}:${description.replace(/\n.*/s, '')}`)}`,
    ),
    '      )',
    "      _describe 'command' commands",
    '      ;;',
    '    rest)',
    '      case $line[1] in',
    ...commands.flatMap(commandCase),
    '      esac',
    '      ;;',
    '  esac',
    '}',
    '_helo_milter "$@"',
    '',
  ].join('\n');
}

function commandCase({ name, options }: ManualCommand): string[] {
  const lines = options.map((each) => `            ${argument(each)}`);
  return [`        ${name})`, '          _arguments \\', lines.join(' \\\n'), '          ;;'];
}

/** `'*--trust[help]:NETWORK:'` */
function argument(option: ManualOption): string {
  const { flag, value, help, row, words, ids } = option;
  const described = `${flag}[${help.replaceAll(/[[\]\\:]/g, '\\$&')}]`;
  const action = isFile(option)
    ? '_files'
    : words.length > 0
      ? `(${words.join(' ')})`
      : // No blank after it: a `=` follows.
        ids.length > 0
        ? `{compadd -S= -- ${ids.join(' ')}}`
        : ' ';
  const taken = value === null ? '' : `:${value.replaceAll(':', '\\:')}:${action}`;
  return quoted(`${row?.repeatable === true ? '*' : ''}${described}${taken}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function fishCompletion(): string {
  const [program, ...commands] = commandTree();
  const names = commands.map(({ name }) => name).join(' ');
  return [
    '# fish completion for helo-milter. Generated from the option table; do not edit.',
    'complete -c helo-milter -f',
    ...commands.map(
      ({ name, description }) =>
        `complete -c helo-milter -n __fish_use_subcommand -a ${name} -d ${fishQuoted(description.replace(/\n.*/s, ''))}`,
    ),
    // The arguments of commands are files in the main.
    `complete -c helo-milter -n '__fish_seen_subcommand_from ${names}' -F`,
    ...(program?.options ?? []).map((each) => fishOption('__fish_use_subcommand', each)),
    ...commands.flatMap(({ name, options }) =>
      options.map((each) => fishOption(`'__fish_seen_subcommand_from ${name}'`, each)),
    ),
    '',
  ].join('\n');
}

function fishOption(condition: string, option: ManualOption): string {
  const { flag, value, help, words, ids } = option;
  const offered = words.length > 0 ? words : ids.map((id) => `${id}=`);
  const taken = value === null ? '' : isFile(option) ? ' -r -F' : ' -x';
  const choice = offered.length > 0 ? ` -a ${fishQuoted(offered.join(' '))}` : '';
  return `complete -c helo-milter -n ${condition} -l ${flag.slice(2)}${taken}${choice} -d ${fishQuoted(help)}`;
}

/** Within single quotes fish knows `\\` and `\'`. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
