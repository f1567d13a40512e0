/**
 * Reads what `postconf -n`, `-M`, `-P` and `-f` print, in one text in any order; main.cf and master.cf
 * themselves have the same form. Does not know what any of it means.
 */
import { UsageError } from '../errors.ts';
import { splitList, withoutBraces } from './postfix-value.ts';

/** One line of master.cf. */
export interface MasterLine {
  /** `smtp`, `127.0.0.1:10025`, … */
  readonly name: string;
  readonly type: string;
  /** The column as it is: `y`, `n` or `-`. */
  readonly chroot: string;
  readonly command: string;
  /** `-o name=value`. */
  readonly overrides: ReadonlyMap<string, string>;
}

export interface Postconf {
  readonly parameters: ReadonlyMap<string, string>;
  /** Empty if the text has no lines of master.cf. */
  readonly services: readonly MasterLine[];
}

const TYPES: ReadonlySet<string> = new Set(['inet', 'unix', 'unix-dgram', 'fifo', 'pass']);

/** Throws UsageError, with `file` and the line, for anything that is neither a setting nor a service. */
export function parsePostconf(text: string, file: string): Postconf {
  const parameters = new Map<string, string>();
  const services: MasterLine[] = [];
  const perService: [service: string, name: string, value: string][] = [];
  for (const { number, line } of logicalLines(text)) {
    // `postconf -P` prints service/type/parameter; a parameter has no slash.
    const setting = /^([\w/.:[\]-]+?)\s*=\s*(.*)$/s.exec(line);
    const [, key = '', value = ''] = setting ?? [];
    const [, service, name] = /^([^/]+\/[^/]+)\/(\w+)$/.exec(key) ?? [];
    if (setting !== null && service !== undefined && name !== undefined) {
      perService.push([service, name, value]);
    } else if (setting !== null && /^\w+$/.test(key)) {
      parameters.set(key, value);
    } else {
      services.push(masterLine(line) ?? fail(file, number, line));
    }
  }
  return {
    parameters,
    services: services.map((each) => ({
      ...each,
      overrides: new Map([
        ...each.overrides,
        ...perService
          .filter(([service]) => service === `${each.name}/${each.type}`)
          .map(([, name, value]) => [name, value] as const),
      ]),
    })),
  };
}

function fail(file: string, number: number, line: string): never {
  throw new UsageError(
    `${file}:${number}: "${line.slice(0, 40)}" is neither a setting nor a service; give the output of "postconf -n; postconf -M"`,
  );
}

/**
 * How postconf tells of a parameter of the operator that nothing refers to. `postconf -n` leaves it out,
 * and has it in this warning alone.
 */
const UNUSED = /^postconf: warning: \S*main\.cf: unused parameter: (\w+=.*)$/;

/** Lines with their continuations, which begin with a blank; without comments and what postconf warns of. */
function logicalLines(text: string): { number: number; line: string }[] {
  const lines: { number: number; line: string }[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const [, unused] = UNUSED.exec(raw) ?? [];
    if (unused !== undefined) {
      lines.push({ number: i + 1, line: unused.trim() });
      continue;
    }
    if (/^\s*(?:#|$)/.test(raw) || /^postconf: (?:warning|fatal)/.test(raw)) continue;
    const last = lines.at(-1);
    if (/^\s/.test(raw) && last !== undefined) last.line += ` ${raw.trim()}`;
    else lines.push({ number: i + 1, line: raw.trim() });
  }
  return lines;
}

function masterLine(line: string): MasterLine | null {
  const [name, type, , , chroot, , , command, ...args] = splitList(line, /\s/);
  if (name === undefined || type === undefined || command === undefined || chroot === undefined) return null;
  if (!TYPES.has(type) || !/^[yn-]$/.test(chroot)) return null;
  const overrides = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (!arg.startsWith('-o')) continue;
    const text = withoutBraces(arg === '-o' ? (args[++i] ?? '') : arg.slice(2));
    const [, key, value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*$/s.exec(text) ?? [];
    if (key !== undefined) overrides.set(key, value);
  }
  return { name, type, chroot, command, overrides };
}
