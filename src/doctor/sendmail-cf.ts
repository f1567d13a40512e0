/** Sendmail as an Mta, from its sendmail.cf (operations guide, chapter 5). */
import { UsageError } from '../errors.ts';
import { dialledBySendmail, portNumber } from './endpoint.ts';
import type { FailureAction, Filter, Mta, Role, SmtpService, SourcedName } from './mta.ts';

const FAILURES: Readonly<Record<string, FailureAction>> = { T: 'tempfail', R: 'reject', '4': 'shutdown' };

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

interface Lines {
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly macros: ReadonlyMap<string, string>;
  readonly classes: readonly (readonly [name: string, word: string])[];
  /** Files of classes: `Fw/etc/mail/local-host-names`. */
  readonly files: readonly (readonly [name: string, path: string])[];
  readonly filters: readonly string[];
}

/**
 * `readNames` returns the text of a file with names (`Fw…`), or null if there is no such file. Throws
 * UsageError for a text that is not a sendmail.cf.
 */
export function sendmailMta(text: string, file: string, readNames: (path: string) => string | null): Mta {
  const lines = readLines(text, file);
  const option = (name: string): string => lines.options.get(name.toLowerCase())?.at(-1) ?? '';
  const defined = new Map(lines.filters.map(filterOf));
  const general = nameList(option('InputMailFilters'), /[,\s]+/);
  const privacy = nameList((lines.options.get('privacyoptions') ?? []).join(','), /[,\s]+/);
  const heloRequired = privacy.some((flag) => /^(?:needmailhelo|goaway)$/i.test(flag));
  const daemons = lines.options.get('daemonportoptions') ?? ['Name=MTA'];
  const macro = (name: string): string | null => lines.macros.get(name) ?? null;
  const ownName = macro('j')?.toLowerCase() ?? null;
  const own = ownName === null || ownName.includes('$') ? null : ownName;
  const named = (name: string, from: string): SourcedName[] =>
    [
      ...lines.classes.filter(([each]) => each === name).map(([, word]) => ({ word, from: `C${from}` })),
      ...lines.files
        .filter(([each]) => each === name)
        .flatMap(([, path]) =>
          (readNames(path) ?? '')
            .split('\n')
            .map((line) => ({ word: line.replace(/#.*/, '').trim(), from: path })),
        ),
    ]
      .map(({ word, from: source }) => ({ name: word.toLowerCase(), from: source }))
      .filter(({ name: word }) => isHostName(word));
  return {
    kind: 'sendmail',
    defined,
    privacy,
    unblamed: nameList((lines.options.get('dontblamesendmail') ?? []).join(','), /[,\s]+/).map((word) =>
      word.toLowerCase(),
    ),
    services: daemons.map((text) => serviceOf(text, general, defined, heloRequired)),
    ownName: own,
    localNames: named('w', 'w'),
    hostedNames: [
      ...['M', 'm'].flatMap((name) => {
        const value = macro(name)?.toLowerCase() ?? '';
        return isHostName(value) ? [{ name: value, from: `D${name}` }] : [];
      }),
      ...named('R', 'R'),
      ...named('{VirtHost}', '{VirtHost}'),
    ],
    addresses: [],
    networks: [],
    user: /^[^:]+/.exec(option('RunAsUser'))?.[0] ?? 'root',
  };
}

function isHostName(text: string): boolean {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(text) && !/^localhost\.|^[\d.]+$|\.localdomain$/.test(text);
}

function readLines(text: string, file: string): Lines {
  if (/^[ \t]*(?:INPUT_MAIL_FILTER|MAILER|FEATURE)\(/m.test(text)) {
    throw new UsageError(`${file} is a sendmail.mc; give the sendmail.cf that is made of it`);
  }
  const options = new Map<string, string[]>();
  const macros = new Map<string, string>();
  const classes: [string, string][] = [];
  const files: [string, string][] = [];
  const filters: string[] = [];
  for (const line of text.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const [, name = '', value = ''] = /^.(\{[^}]*\}|.)(.*)$/s.exec(line) ?? [];
    switch (line.charAt(0)) {
      case 'O': {
        const [, key = '', setting = ''] = /^O\s+([\w.]+)\s*=\s*(.*)$/s.exec(line) ?? [];
        if (key === '') break;
        const given = options.get(key.toLowerCase());
        if (given === undefined) options.set(key.toLowerCase(), [setting.trim()]);
        else given.push(setting.trim());
        break;
      }
      case 'D':
        macros.set(name, value.trim());
        break;
      case 'C':
        for (const word of nameList(value, /\s+/)) classes.push([name, word]);
        break;
      case 'F':
        files.push([
          name,
          value
            .replace(/^-o\s*/, '')
            .trim()
            .split(/\s/)[0] ?? '',
        ]);
        break;
      case 'X':
        filters.push(line.slice(1));
        break;
    }
  }
  if (options.size === 0) throw new UsageError(`${file} is no sendmail.cf: it has no "O" line`);
  return { options, macros, classes, files, filters };
}

function nameList(text: string, separator: RegExp): string[] {
  return text.split(separator).filter((word) => word !== '');
}

/** `Xname, S=socket, F=action, T=C:5m;S:10s;R:10s;E:5m`. */
function filterOf(line: string): [name: string, filter: Filter] {
  const [name = '', ...rest] = line.split(',').map((part) => part.trim());
  const field = (letter: string): string =>
    rest.find((part) => part.toUpperCase().startsWith(letter))?.replace(/^[^=]*=\s*/, '') ?? '';
  const times = new Map(
    field('T')
      .split(';')
      .map((part) => [part.trim().charAt(0).toUpperCase(), time(part.trim().slice(2))]),
  );
  const socket = field('S');
  return [
    name,
    {
      text: name,
      socket,
      dialled: dialledBySendmail(socket),
      onFailure: FAILURES[field('F').charAt(0).toUpperCase()] ?? 'accept',
      connectMs: times.get('C') ?? 300_000,
      commandMs: times.get('R') ?? 10_000,
      contentMs: times.get('E') ?? 300_000,
      protocol: 6,
    },
  ];
}

function time(text: string): number {
  const parts = [...text.matchAll(/(\d+)\s*([smhdw])?/g)];
  return parts.reduce((sum, [, digits, unit]) => sum + Number(digits) * (UNITS_MS[unit ?? 's'] ?? 1000), 0);
}

/** `Name=MSA, Port=587, InputMailFilters=a;b`; a keyword is known by its first letter (`daemon.c`). */
function serviceOf(
  text: string,
  general: readonly string[],
  defined: ReadonlyMap<string, Filter>,
  heloRequired: boolean,
): SmtpService {
  const fields = new Map(
    text.split(',').map((part) => {
      const [, key = '', value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
      return [key.charAt(0).toUpperCase(), value];
    }),
  );
  const name = fields.get('N') ?? 'MTA';
  const port = portNumber(fields.get('P') ?? '25');
  const own = fields.get('I');
  const list = own === undefined ? general : nameList(own, /[;\s]+/);
  return {
    title: `daemon ${name}`,
    role: role(fields.get('A') ?? '', port, name),
    macros: [name.toLowerCase(), ...(port === null ? [] : [String(port)])],
    chrooted: false,
    filters: list.flatMap((each) => defined.get(each) ?? []),
    ownList: own !== undefined,
    list: { setting: 'InputMailFilters', opening: '', closing: '', own: own !== undefined, items: [] },
    switchedOff: null,
    heloRequired,
  };
}

function role(address: string, port: number | null, name: string): Role {
  if (port === 587 || port === 465 || /^MSA/i.test(name)) return 'submission';
  return address === 'localhost' || address === '::1' || address.startsWith('127.') ? 'local' : 'inbound';
}
