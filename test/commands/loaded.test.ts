/**
 * What a command loads at its start: what it needs, since each file costs half a millisecond, and nothing of
 * other commands.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { type OptionKey, ROWS } from '../../src/config/options.ts';

const SRC = new URL('../../src/', import.meta.url);

/** The files that are loaded together with a file, and the packages: `import()` and types load nothing. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  if (!file.endsWith('.ts')) return loaded;
  for (const statement of parsed(file).statements) {
    const target = targetOf(statement);
    if (target !== null) loadedWith(resolved(target, file), loaded);
  }
  return loaded;
}

function parsed(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(new URL(file, SRC), 'utf8'), ts.ScriptTarget.Latest);
}

function resolved(target: string, from: string): string {
  return target.startsWith('.') ? posix.join(posix.dirname(from), target) : target;
}

/** What a file loads by `import()`, where that is written out. */
function loadedOnDemandBy(file: string): readonly string[] {
  const targets: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments;
      if (target !== undefined && ts.isStringLiteral(target)) targets.push(resolved(target.text, file));
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed(file));
  return targets;
}

/** What a statement loads; null if nothing. */
function targetOf(statement: ts.Statement): string | null {
  if (ts.isImportDeclaration(statement)) {
    const { importClause: clause, moduleSpecifier } = statement;
    const names = clause?.namedBindings;
    const isOfTypes =
      clause !== undefined &&
      (clause.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (clause.name === undefined &&
          names !== undefined &&
          ts.isNamedImports(names) &&
          names.elements.every((each) => each.isTypeOnly)));
    return isOfTypes ? null : textOf(moduleSpecifier);
  }
  if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return null;
  return statement.moduleSpecifier === undefined ? null : textOf(statement.moduleSpecifier);
}

function textOf(specifier: ts.Expression): string {
  return ts.isStringLiteral(specifier) ? specifier.text : expect.fail('an import without a name');
}

const roomsOf = (files: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...files].map((file) => posix.dirname(file)));

describe('the program', () => {
  const start = loadedWith('main.ts');

  it('loads no command before it is named', () => {
    expect(start).toContain('commands/command-line.ts');
    const commands = ['check', 'doctor', 'publish', 'policy-tests', 'regulars', 'replay', 'report', 'serve'];
    for (const each of commands) expect(start).not.toContain(`commands/${each}.ts`);
    for (const each of ['node-cache', 'smol-toml', 'log/log.ts']) expect(start).not.toContain(each);
  });

  it.each([
    ['serve', ['milter/server.ts', 'session/session.ts'], ['ioredis', 'prom-client', 'smol-toml']],
    [
      'check',
      ['policy/judge.ts', 'advice/sender-advice.ts'],
      ['milter/server.ts', 'session/session.ts', 'decisions/log-reader.ts', 'node:zlib', 'state/regulars.ts'],
    ],
    ['publish', ['advice/sender-advice.ts'], ['milter/server.ts', 'report/letter.ts']],
    ['replay', ['report/replayer.ts'], ['milter/server.ts', 'session/session.ts', 'service/service.ts']],
    ['report', ['report/letter.ts'], ['milter/server.ts', 'service/service.ts']],
    ['doctor', ['doctor/doctor.ts'], ['session/session.ts', 'report/replayer.ts']],
    ['policy-tests', ['cases/run-case.ts'], ['milter/server.ts', 'session/session.ts']],
    ['findings', ['service/registry.ts'], ['milter/server.ts', 'policy/judge.ts']],
  ])('loads for %s what that needs', (command, needed, others) => {
    const loaded = loadedWith(`commands/${command}.ts`);
    for (const each of needed) expect(loaded).toContain(each);
    for (const each of others) expect(loaded).not.toContain(each);
    const rooms = roomsOf(loaded);
    const strange = ['cases', 'report', 'mailboxes', 'help', 'doctor', 'doctor/checks', 'monitoring'];
    expect(strange.filter((room) => rooms.has(room)).sort()).toEqual(OWN[command] ?? []);
  });
});

/** Which of these rooms a command has something of. Figures in words are in report/. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  serve: ['doctor', 'monitoring'],
  replay: ['mailboxes', 'report'],
  report: ['help', 'report'],
  doctor: ['doctor', 'doctor/checks', 'report'],
  findings: ['help'],
  'policy-tests': ['cases', 'report'],
};

describe('serving', () => {
  it('loads of the doctor only how to attach us, and of monitoring only what counts', () => {
    const loaded = [...loadedWith('commands/serve.ts')].filter((file) =>
      /^(?:doctor|monitoring)\//.test(file),
    );
    expect(loaded.sort()).toEqual(['doctor/milter-item.ts', 'monitoring/metrics.ts']);
  });

  it('needs no more files once it serves, which an upgrade may have replaced', () => {
    const entries = ['commands/serve.ts', 'config/source.ts', ...ON_DEMAND.map(({ loads }) => loads)];
    const files = new Set(entries.flatMap((entry) => [...loadedWith(entry)]));
    const onDemand = [...files]
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => loadedOnDemandBy(file).map((target) => `${file} loads ${target}`));
    expect([...new Set(onDemand)].sort()).toEqual(
      ON_DEMAND.map(({ from, loads }) => `${from} loads ${loads}`),
    );
    const isOfARestart = new Map<string, boolean>(ROWS.map(([key, { restart }]) => [key, restart === true]));
    for (const { option } of ON_DEMAND)
      if (option !== null) expect(isOfARestart.get(option), option).toBe(true);
  });
});

/**
 * What the service loads on demand, which is at its start or never: no reload changes the option that asks
 * for it.
 */
const ON_DEMAND: readonly {
  readonly from: string;
  readonly loads: string;
  /** Null for `--config`, which is no row of the table: the same file is read at each reload. */
  readonly option: OptionKey | null;
}[] = [
  { from: 'config/source.ts', loads: 'config/file.ts', option: null },
  { from: 'service/live.ts', loads: 'service/page-data-of.ts', option: 'httpPage' },
  { from: 'service/open-store.ts', loads: 'store/redis-store.ts', option: 'store' },
  { from: 'service/service.ts', loads: 'monitoring/monitoring.ts', option: 'http' },
  { from: 'service/service.ts', loads: 'report/address-mask.ts', option: 'mask' },
];
