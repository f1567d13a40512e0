/** Commands that ask about the service read by default the file that the service reads under its unit. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandTree } from '../../scripts/manual/command-tree.ts';
import { STANDARD_CONFIG } from '../../src/config/source.ts';
import { GOOD_MAIN, GOOD_MASTER } from '../support/doctor-facts.ts';
import { runCommand, type Told } from '../support/run-command.ts';

let directory: string;
let standard: string;
let other: string;
let empty: string;
let postconf: string;
let zone: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'standard-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  zone = file('zone', 'mail.sender.org. 60 A 192.0.2.1\n');
  // A configuration that refuses what the defaults accept, and waits longer than the MTA does.
  const refusing = `weight = { helo-literal = 50 }\ndeadline = "20s"\ndns-zone = "${zone}"\n`;
  standard = file('helo-milter.toml', refusing);
  other = file('other.toml', `dns-zone = "${zone}"\n`);
  empty = file('empty.toml', '');
  postconf = file('postconf', `${GOOD_MAIN}${GOOD_MASTER}`);
  mkdirSync(join(directory, 'unreadable'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const run = (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  standardConfig = standard,
): Promise<Told> => runCommand(args, { environment, wanted: { standardConfig } });

const CHECK = ['check', '192.0.2.1', '[192.0.2.1]'];

/** Whether the file in the standard place was read. */
type Way = readonly [
  title: string,
  before: string[],
  after: string[],
  environment: Record<string, string>,
  read: boolean,
];
const WAYS: readonly Way[] = [
  ['nothing', [], [], {}, true],
  ['--no-config', [], ['--no-config'], {}, false],
  ['--no-config before the command', ['--no-config'], [], {}, false],
  ['--no-config and a variable', [], ['--no-config'], { HELO_MILTER_CONFIG: '/no/such' }, false],
  ['--config OTHER', [], ['--config', 'OTHER'], {}, false],
  ['--config OTHER before the command', ['--config', 'OTHER'], [], {}, false],
  ['HELO_MILTER_CONFIG', [], [], { HELO_MILTER_CONFIG: 'OTHER' }, false],
  ['an empty variable', [], [], { HELO_MILTER_CONFIG: '' }, true],
];

function filled([, before, after, environment]: Way): [string[], string[], Record<string, string>] {
  const named = (text: string): string => text.replace('OTHER', other);
  const variables = Object.entries(environment).map(([name, text]) => [name, named(text)]);
  return [before.map(named), after.map(named), Object.fromEntries(variables) as Record<string, string>];
}

describe.each(WAYS)('given %s', (...way) => {
  const read = way[4];

  it('check', async () => {
    const [before, after, environment] = filled(way);
    const flags = read ? [] : ['--dns-zone', zone];
    const { out, err, code } = await run([...before, ...CHECK, ...after, ...flags], environment);
    expect(err).toBe('');
    expect(/helo-literal[^\n]* 50/.test(out)).toBe(read);
    expect(code).toBe(0);
  });

  it('doctor', async () => {
    const [before, after, environment] = filled(way);
    const { out } = await run(
      [...before, 'doctor', '--json', '--no-probe', '--no-dns', '--postfix', postconf, ...after],
      environment,
    );
    expect(out.includes(`read from ${standard}`)).toBe(read);
    expect(out.includes('timeout-short')).toBe(read);
  });
});

it('publish --verify asks what the file names', async () => {
  const args = ['publish', 'mail.sender.org', '192.0.2.1', '--verify'];
  const { out, code } = await run(args);
  expect(out).toContain('; ok: the name leads to the host');
  expect(code).toBe(0);
});

it.each(commandTree().slice(1))('$name reads it', async ({ name }) => {
  const faulty = join(directory, 'faulty.toml');
  writeFileSync(faulty, 'moon = 1\n');
  const given = { check: ['192.0.2.1', 'a.example'], publish: ['a.example', '192.0.2.1', '--verify'] }[name];
  const takesFiles = ['replay', 'report', 'test'].includes(name);
  const { err, code } = await run([name, ...(given ?? (takesFiles ? ['file'] : []))], {}, faulty);
  expect([err, code]).toEqual([`helo-milter: ${faulty}:1:1: there is no option "moon"\n`, 78]);
});

it('is content where there is no such file', async () => {
  const { err, code } = await run([...CHECK, '--dns-zone', zone], {}, join(directory, 'absent.toml'));
  expect({ err, code }).toEqual({ err: '', code: 0 });
});

it('says how to do without a file that it may not read', async () => {
  const { err, code } = await run(CHECK, {}, join(directory, 'unreadable'));
  expect(err).toMatch(/^helo-milter: without --config or --no-config: EISDIR/);
  expect(code).toBe(64);
});

it.each([
  [[], {}, 'no configuration file'],
  [['--no-config'], { HELO_MILTER_CONFIG: '/no/such' }, 'no configuration file'],
  [['--config', 'EMPTY'], {}, 'configuration '],
])('the service itself, given %j %j, starts with %s', async (args, environment, wanted) => {
  const given = args.map((arg) => arg.replace('EMPTY', empty));
  const { out } = await run(['--listen', 'inet:127.0.0.1:0', ...given], environment);
  expect(out).toContain(`; ${wanted}`);
  expect(out).not.toContain(standard);
});

it('the standard place is that of the unit', () => {
  const unit = readFileSync(new URL('../../systemd/helo-milter.service', import.meta.url), 'utf8');
  expect(unit).toContain(STANDARD_CONFIG);
});
