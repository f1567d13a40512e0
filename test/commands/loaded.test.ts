/**
 * What a command loads at its start: what it needs, since each file costs half a millisecond, and nothing of
 * other commands.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);

/** The files that are loaded together with a file, and the packages: `import()` and types load nothing. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  if (!file.endsWith('.ts')) return loaded;
  const { statements } = ts.createSourceFile(
    file,
    readFileSync(new URL(file, SRC), 'utf8'),
    ts.ScriptTarget.Latest,
  );
  for (const statement of statements) {
    const target = targetOf(statement);
    if (target === null) continue;
    loadedWith(target.startsWith('.') ? posix.join(posix.dirname(file), target) : target, loaded);
  }
  return loaded;
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
    expect(start).not.toContain('node-cache');
  });

  it.each([
    // The mask of the live page, and what its data are.
    ['serve', ['milter/server.ts', 'session/session.ts'], ['report/replayer.ts', 'report/page.ts']],
    ['check', ['policy/judge.ts', 'advice/sender-advice.ts'], ['milter/server.ts', 'session/session.ts']],
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
    const strange = ['cases', 'mailboxes', 'help', 'doctor/checks'].filter(
      (room) => roomsOf(loaded).has(room) && !(OWN[command] ?? []).includes(room),
    );
    expect(strange).toEqual([]);
  });
});

/** Rooms that a command has for itself. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  doctor: ['doctor/checks'],
  findings: ['help'],
  'policy-tests': ['cases'],
  replay: ['mailboxes'],
  report: ['help', 'mailboxes'],
};
