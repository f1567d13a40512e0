/**
 * Which room may import which; what is not allowed is denied. A row comes after all the rows that it names; a
 * room imports itself, `node:` and what its row names, and nothing else. ARCHITECTURE.md says what each room
 * is for.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checks, findings, messageChecks, sessionChecks } from '../src/core/checks/index.ts';
import {
  type CheckWords,
  faultsOf,
  hiddenImports,
  nodeGlobals,
  processUses,
  reachedFrom,
  type Row,
  sharedNames,
  wordsOfChecks,
} from './support/house.ts';

const HOUSE: readonly Row[] = [
  { room: 'errors.ts' },
  { room: 'core', packages: ['tldts'], pure: true },
  { room: 'milter' },
  { room: 'log' },
  { room: 'system', rooms: ['errors.ts'] },
  { room: 'dns', rooms: ['errors.ts', 'core'] },
  { room: 'advice', rooms: ['core'], pure: true },
  { room: 'policy', rooms: ['errors.ts', 'core', 'advice'], pure: true },
  { room: 'state', rooms: ['core'], packages: ['node-cache'] },
  { room: 'config', rooms: ['errors.ts', 'core', 'milter', 'log', 'dns', 'policy'], packages: ['smol-toml'] },
  { room: 'decisions', rooms: ['errors.ts', 'core', 'log', 'policy', 'system'] },
  { room: 'store', rooms: ['errors.ts', 'core', 'state', 'config', 'decisions'], packages: ['ioredis'] },
  { room: 'cases', rooms: ['errors.ts', 'core', 'dns', 'policy', 'config', 'decisions'] },
  { room: 'session', rooms: ['core', 'milter', 'log', 'dns', 'policy', 'state', 'decisions', 'store'] },
  { room: 'report', rooms: ['core', 'log', 'advice', 'policy', 'state', 'decisions'], pure: true },
  {
    room: 'web',
    rooms: ['core', 'log', 'policy', 'state', 'decisions', 'report'],
    packages: ['preact', 'preact/hooks', '@noble/hashes/sha2.js'],
    pure: true,
  },
  { room: 'doctor', rooms: ['errors.ts', 'core', 'milter', 'system', 'dns', 'config'] },
  {
    room: 'monitoring',
    rooms: ['errors.ts', 'core', 'log', 'system', 'dns', 'policy', 'config', 'decisions', 'report'],
    packages: ['prom-client'],
  },
  { room: 'mailboxes', rooms: ['errors.ts'] },
  { room: 'help', rooms: ['core'], pure: true },
  {
    room: 'service',
    rooms: [
      'errors.ts',
      'core',
      'milter',
      'log',
      'system',
      'dns',
      'policy',
      'state',
      'config',
      'decisions',
      'store',
      'session',
      'report',
      'monitoring',
    ],
  },
  {
    room: 'commands',
    rooms: [
      'errors.ts',
      'core',
      'milter',
      'log',
      'system',
      'dns',
      'policy',
      'state',
      'config',
      'decisions',
      'cases',
      'report',
      'doctor',
      'advice',
      'mailboxes',
      'help',
      'service',
    ],
    packages: ['commander'],
  },
  { room: 'embed.ts', rooms: ['errors.ts', 'core', 'dns', 'policy'] },
  { room: 'index.ts', rooms: ['errors.ts', 'log', 'config', 'service'] },
  { room: 'main.ts', rooms: ['milter', 'log', 'system', 'config', 'commands'] },
  { room: 'cli.ts', rooms: ['system', 'commands', 'main.ts'] },
  {
    room: 'fuzz',
    rooms: [
      'errors.ts',
      'core',
      'milter',
      'log',
      'dns',
      'policy',
      'state',
      'config',
      'decisions',
      'store',
      'session',
      'report',
      'doctor',
      'mailboxes',
    ],
    packages: ['fast-check', 'dns-packet'],
  },
];

const SRC = fileURLToPath(new URL('../src', import.meta.url));
/** The page, which lies beside `src/`. */
const WEB = fileURLToPath(new URL('../web', import.meta.url));
/** Drivers that look for faults, beside `src/` too. */
const FUZZED = fileURLToPath(new URL('../fuzz', import.meta.url));
const tree: ReadonlyMap<string, string> = new Map([
  ...sourcesIn(SRC, ''),
  ...sourcesIn(WEB, 'web/'),
  ...sourcesIn(FUZZED, 'fuzz/'),
]);

function sourcesIn(directory: string, prefix: string): [path: string, text: string][] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => [`${prefix}${name}`, readFileSync(join(directory, name), 'utf8')]);
}

it('takes nothing into the page that only Node has', () => {
  const reached = [...reachedFrom(tree, 'web/main.tsx')].filter((path) => !tree.has(path));
  expect(reached.sort()).toEqual(['@noble/hashes/sha2.js', 'preact', 'preact/hooks', 'tldts']);
  const other = withLine('core/helo.ts', "import { createHash } from 'node:crypto';");
  expect([...reachedFrom(other, 'web/main.tsx')]).toContain('node:crypto');
});

it('keeps to the table', () => {
  expect(faultsOf(tree, HOUSE)).toEqual([]);
});

it('rooms that a browser runs use no global of Node', () => {
  expect([...tree].flatMap(([file, text]) => nodeGlobals(file, text, HOUSE))).toEqual([]);
  expect(nodeGlobals('policy/x.ts', "export const x = Buffer.from('');", HOUSE)).toEqual([
    'policy/x.ts uses Buffer: policy must run in a browser too',
  ]);
  for (const way of ['globalThis.Buffer.from', "globalThis['Buffer']", '(globalThis as object)!.Buffer']) {
    expect(nodeGlobals('policy/x.ts', `${way}('');`, HOUSE)).toEqual([
      'policy/x.ts uses Buffer: policy must run in a browser too',
    ]);
  }
});

it('gives each exported name to one thing', () => {
  expect(sharedNames(tree)).toEqual([]);
  const made = new Map([
    ['a/a.ts', 'export type Zone = string; export const [x, { y }] = z; function own() {}'],
    [
      'b/b.ts',
      "export interface Zone {} export function y() {} function own() {} export { x } from '../a/a.ts';",
    ],
  ]);
  expect(sharedNames(made)).toEqual([
    'Zone is exported by a/a.ts and b/b.ts: call one of them something else',
    'y is exported by a/a.ts and b/b.ts: call one of them something else',
  ]);
});

it('the assessment knows no check by its file', () => {
  const shared = ['index.ts', 'mismatch.ts', 'session.ts', 'unknown.ts'].map((file) => `core/checks/${file}`);
  const known = (file: string): string[] =>
    [...(tree.get(file)?.matchAll(/from '\.\/(checks\/[\w-]+\.ts)'/g) ?? [])].map(
      ([, name = '']) => `core/${name}`,
    );
  const files = [...tree.keys()].filter((file) =>
    ['assess', 'check', 'conclude', 'unknowns'].some((name) => file === `core/${name}.ts`),
  );
  expect(files.flatMap(known).length).toBeGreaterThan(3);
  expect(files.flatMap(known).filter((name) => !shared.includes(name))).toEqual([]);
});

it('ARCHITECTURE.md names the rooms that there are, in the order of the table', () => {
  const page = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8');
  const named = [...page.matchAll(/^\| `([\w.]+)\/?`/gm)].map(([, room]) => room);
  expect(named).toEqual(HOUSE.map(({ room }) => room));
});

describe.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (name) => {
  const root = new URL('../', import.meta.url);
  const page = readFileSync(new URL(name, root), 'utf8');

  /**
   * A page may name a file by its path from the root or from `src/`, or within the room that the line is
   * about.
   */
  const isThere = (file: string, line: string): boolean => {
    const rooms = [...line.matchAll(/`((?:src\/)?[\w-]+(?:\/[\w-]+)*\/)`/g)].map(([, room = '']) => room);
    const places = ['', 'src/', ...rooms, ...rooms.map((room) => `src/${room}`)];
    return places.some((place) => existsSync(new URL(`${place}${file}`, root)));
  };
  /** Files, each with the item or paragraph that names it, which says the room. */
  const named = page
    .split(/\n(?=\n|\d+\. |- |\| )/)
    .flatMap((item) =>
      [...item.matchAll(/(?<![\w./-])((?:[\w-]+\/)*[\w.-]+\.(?:ts|js|json|md|toml))(?![\w-])/g)].map(
        ([, file = '']): [file: string, item: string] => [file, item],
      ),
    );

  it('names files that there are', () => {
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter(([file, item]) => !isThere(file, item)).map(([file]) => file)).toEqual([]);
    expect(isThere('nowhere.ts', 'in `milter/`, `nowhere.ts` does it')).toBe(false);
    expect(isThere('packet.ts', '`packet.ts` does it')).toBe(false);
    expect(isThere('packet.ts', 'in `milter/`, `packet.ts` does it')).toBe(true);
  });

  it('fits on two pages', () => {
    expect(page.split('\n').length).toBeLessThanOrEqual(110);
  });
});

/** The tree with one more line in a file, or with one more file. */
function withLine(file: string, line: string): ReadonlyMap<string, string> {
  return new Map([...tree, [file, `${line}\n${tree.get(file) ?? ''}`]]);
}

describe('the table refuses', () => {
  it.each([
    [
      'an arrow up',
      withLine('state/cache.ts', "import { startService } from '../service/service.ts';"),
      'state/cache.ts imports service/service.ts: state may not import from service',
    ],
    [
      'what a row does not name, though it lies below',
      withLine('core/helo.ts', "import { createLog } from '../log/log.ts';"),
      'core/helo.ts imports log/log.ts: core may not import from log',
    ],
    [
      'a room without a row',
      withLine('attic/box.ts', 'export {};'),
      'attic has no row: say in test/house.test.ts what it is for and what it may import',
    ],
    [
      'a package in a room that does not own it',
      withLine('log/log.ts', "import NodeCache from 'node-cache';"),
      'log/log.ts imports node-cache, which belongs to state',
    ],
    [
      'a package that nobody owns',
      withLine('log/log.ts', "import pino from 'pino';"),
      'log/log.ts imports pino, a package without an owner in the table',
    ],
    [
      'node:process, also by a call',
      withLine('session/trace.ts', "await import('node:process');"),
      'session/trace.ts imports node:process, which is for cli.ts alone',
    ],
    [
      'Node where a browser must do',
      withLine('policy/policy.ts', "import { createHash } from 'node:crypto';"),
      'policy/policy.ts imports node:crypto: policy must run in a browser too',
    ],
    [
      'a circle, though of types only',
      withLine('log/value.ts', "import type { Log } from './log.ts';"),
      'a circle of files: log/log.ts → log/value.ts → log/log.ts',
    ],
  ])('%s', (_, changed, fault) => {
    expect(faultsOf(changed, HOUSE)).toContain(fault);
  });

  it('a row that allows what nobody uses, and one below what it names', () => {
    const rows = [{ room: 'a', rooms: ['b'] }, { room: 'b' }];
    const files = new Map([
      ['a/a.ts', ''],
      ['b/b.ts', ''],
    ]);
    expect(faultsOf(files, rows)).toEqual([
      'the row of a names b, whose row must stand above it',
      'the row of a names b, which nothing there imports',
    ]);
  });
});

/** Only the files that define findings and checks know their names; all others read what they declare. */
const WORDS: CheckWords = {
  findings: [...findings.keys()],
  checks: [...checks, ...sessionChecks, ...messageChecks].map(({ name }) => name),
};

describe('knows a finding or a check by its name', () => {
  it.each([
    ["if (id === 'helo-mismatch') {}", 'knows the finding "helo-mismatch"'],
    ['weights.get(`dns-temperror`);', 'knows the finding "dns-temperror"'],
    ["type Trouble = 'dns-temperror';", 'knows the finding "dns-temperror"'],
    ["const table = { 'iprev-none': 1 };", 'knows the finding "iprev-none"'],
    ["if (id.endsWith('-fail')) {}", 'guesses findings by "-fail"'],
    ["ids.filter((id) => id.startsWith('iprev-'));", 'guesses findings by "iprev-"'],
    ['if (/^iprev-none$/.test(id)) {}', 'knows the finding "iprev-none"'],
    ['id.match(/(?:x|helo-mismatch|y)/u);', 'knows the finding "helo-mismatch"'],
    ["new RegExp('helo-mismatch', 'g');", 'knows the finding "helo-mismatch"'],
    ['if (/-fail$/.test(id)) {}', 'guesses findings by "/-fail$/"'],
    ['if (/^iprev-/.test(id)) {}', 'guesses findings by "/^iprev-/"'],
    ['if (/(?:spf|iprev)(?:-fail)$/.test(id)) {}', 'guesses findings by "/(?:spf|iprev)(?:-fail)$/"'],
    ["RegExp('^iprev-');", 'guesses findings by "^iprev-"'],
    ["ids.filter((id) => id.includes('-spf-'));", 'guesses findings by "-spf-"'],
    ["outcomes.find(({ check }) => check === 'spf');", 'knows the check "spf"'],
    ["if ('csa' !== outcome.check) {}", 'knows the check "csa"'],
  ])('%s', (line, fault) => {
    const told = wordsOfChecks('policy/x.ts', `\n${line}`, WORDS);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`policy/x.ts:2 ${fault}: let `);
  });

  it.each([
    "'helo-'.length;",
    "text.startsWith('--');",
    "name.includes('-');",
    '/^[a-z]+-[a-z]+$/.test(name);',
    '/^x-/;',
    "name === 'address';",
    '// helo-mismatch',
  ])('but not: %s', (line) => {
    expect(wordsOfChecks('policy/x.ts', line, WORDS)).toEqual([]);
  });
});

/** Which files may use which members of the global `process`. */
const MAY_USE: Readonly<Record<string, (member: string) => boolean>> = {
  'cli.ts': () => true,
  'main.ts': () => true,
  'fuzz/run.ts': () => true,
  'fuzz/hunt.ts': (member) => member === 'cpuUsage',
  'fuzz/thread.ts': (member) => member === 'cpuUsage',
  'fuzz/watch.ts': (member) => member === 'cpuUsage',
  // The umask belongs to the process, and there is no other way to give a socket its mode in time.
  'milter/bind.ts': (member) => member === 'umask',
  // When the library's own `onError` fails, there is nobody else to tell.
  'milter/guard.ts': (member) => member === 'emitWarning',
};

describe('sees the process', () => {
  it.each([
    ['process.exit();', 'exit'],
    ['const p = process;', 'process'],
    ['globalThis.process.exit();', 'exit'],
    ["globalThis['process'].exit();", 'exit'],
    ['global.process.env;', 'env'],
    ["process['env'];", 'env'],
    ['(globalThis as Any).process!.env;', 'env'],
    ['globalThis[name];', 'process'],
    ['const { process: own } = globalThis;', 'process'],
    ["Reflect.get(globalThis, 'process');", 'process'],
  ])('in %s', (line, member) => {
    expect(processUses('policy/x.ts', line)).toContain(member);
  });

  it.each(['child.process;', 'const facts = { process: 1 };', 'globalThis.setTimeout(f);'])(
    'not in %s',
    (line) => {
      expect(processUses('policy/x.ts', line)).toEqual([]);
    },
  );
});

describe('sees what is loaded past the table', () => {
  it.each([
    ["import { createRequire as make } from 'node:module';", 'createRequire'],
    ["import * as module from 'node:module';", 'node:module'],
    ['module.createRequire(url);', 'createRequire'],
    ["process.getBuiltinModule('node:fs');", 'getBuiltinModule'],
    ["process['getBuiltinModule']('node:fs');", 'getBuiltinModule'],
    ["require('node:fs');", 'require'],
  ])('in %s', (line, name) => {
    expect(hiddenImports('log/x.ts', line)).toContain(
      `log/x.ts uses ${name}: import it, so that the table sees what is loaded`,
    );
  });

  it('where only the running program knows what', () => {
    expect(hiddenImports('log/x.ts', 'await import(`node:${name}`);')).toEqual([
      'log/x.ts imports what only the running program knows: the table cannot see it',
    ]);
    expect(hiddenImports('log/x.ts', "await import('node:fs');")).toEqual([]);
  });
});

/** Files that may load what the table cannot see. */
const MAY_LOAD: readonly string[] = [
  // The operator's own checks.
  'service/operator-checks.ts',
];

/** Which programs the files of src/ may start; SECURITY.md says of each that it is. */
const MAY_START: Readonly<Record<string, readonly string[]>> = {
  'system/accounts.ts': ['getent'],
  'system/systemd/notifier.ts': ['systemd-notify'],
  'doctor/doctor.ts': ['postconf'],
};

describe('other programs', () => {
  const inSrc = [...tree].filter(([file]) => existsSync(join(SRC, file)));

  it('are started by few files', () => {
    const starters = inSrc.filter(([, text]) => /\b(?:child_process|cluster)\b['"]/.test(text));
    expect(starters.map(([file]) => file).sort()).toEqual(Object.keys(MAY_START).sort());
  });

  it.each(Object.entries(MAY_START))('are in %s those that SECURITY.md names', (file, programs) => {
    const text = tree.get(file) ?? '';
    // Without a shell, and by a name that stands there: see the calls.
    expect(text).toMatch(/^import \{ execFile \} from 'node:child_process';$/m);
    const called = [...text.matchAll(/promisify\(execFile\)\(([^,]+),/g)].map((each) => each[1]);
    expect(called).toHaveLength(1);
    const page = readFileSync(new URL('../SECURITY.md', import.meta.url), 'utf8');
    for (const program of programs) {
      expect(called[0] === `'${program}'` || text.includes(`for (const ${called[0]} of ['${program}'`)).toBe(
        true,
      );
      expect(page).toContain(`\`${program}\``);
    }
  });
});

describe.each([...tree])('%s', (file, text) => {
  it('is small enough to hold in the head', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(400);
  });

  it('reads what findings and checks declare, and knows none by its name', () => {
    const own = file.startsWith('core/checks/');
    expect(own ? [] : wordsOfChecks(file, text, WORDS)).toEqual([]);
  });

  it('loads nothing past the table', () => {
    expect(MAY_LOAD.includes(file) ? [] : hiddenImports(file, text)).toEqual([]);
  });

  it('leaves the process to those who are the process', () => {
    expect(processUses(file, text).filter((name) => MAY_USE[file]?.(name) !== true)).toEqual([]);
  });
});
