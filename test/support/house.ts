/** Reads the imports of a source tree with TypeScript's own reader and holds them against the table of rooms. */
import { posix } from 'node:path';
import ts from 'typescript';

/** One room: a folder directly below `src/`, or a file that stands there by itself. */
export interface Row {
  readonly room: string;
  /** The rooms that it may import from, besides itself; each has a row further up. */
  readonly rooms?: readonly string[];
  /** The packages that are its own: each package has one owner. */
  readonly packages?: readonly string[];
  /** Runs in a browser as well, so it imports nothing of Node. */
  readonly pure?: boolean;
}

/** Source text by path below `src/`, such as `core/helo.ts`. */
export type Tree = ReadonlyMap<string, string>;

interface Import {
  readonly file: string;
  readonly target: string;
}

/** The room of a path below `src/`. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** Every import, export-from and `import()` of a file, type imports among them. */
function importsOf(file: string, text: string): readonly Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({
    file,
    target: fileName.startsWith('.') ? posix.join(posix.dirname(file), fileName) : fileName,
  }));
}

/** What is wrong, a sentence each; none where the tree keeps to the table. */
export function faultsOf(tree: Tree, table: readonly Row[]): readonly string[] {
  const rows = new Map(table.map((row) => [row.room, row]));
  const imports = [...tree].flatMap(([file, text]) => importsOf(file, text));
  return [
    ...roomFaults(tree, table),
    ...imports.flatMap((each) => importFaults(each, rows, table)),
    ...idleFaults(imports, table),
    ...circles(imports),
  ];
}

function roomFaults(tree: Tree, table: readonly Row[]): string[] {
  const there = new Set([...tree.keys()].map(roomOf));
  const told = new Set(table.map(({ room }) => room));
  return [
    ...[...there]
      .filter((room) => !told.has(room))
      .map((room) => `${room} has no row: say in test/house.test.ts what it is for and what it may import`),
    ...[...told].filter((room) => !there.has(room)).map((room) => `${room} has a row and does not exist`),
    ...table.flatMap(({ room, rooms = [] }, floor) =>
      rooms
        .filter((below) => table.findIndex((each) => each.room === below) >= floor)
        .map((below) => `the row of ${room} names ${below}, whose row must stand above it`),
    ),
  ];
}

function importFaults(
  { file, target }: Import,
  rows: ReadonlyMap<string, Row>,
  table: readonly Row[],
): string[] {
  const row = rows.get(roomOf(file));
  if (row === undefined) return [];
  if (target.startsWith('node:')) {
    if (target === 'node:process' && row.room !== 'cli.ts') {
      return [`${file} imports node:process, which is for cli.ts alone`];
    }
    return row.pure === true ? [`${file} imports ${target}: ${row.room} must run in a browser too`] : [];
  }
  if (!target.endsWith('.ts')) {
    const owner = table.find(({ packages = [] }) => packages.includes(target));
    if (owner?.room === row.room) return [];
    return [
      owner === undefined
        ? `${file} imports ${target}, a package without an owner in the table`
        : `${file} imports ${target}, which belongs to ${owner.room}`,
    ];
  }
  const room = roomOf(target);
  if (room === row.room || row.rooms?.includes(room) === true) return [];
  return [`${file} imports ${target}: ${row.room} may not import from ${room}`];
}

/** What a row allows and nobody uses. */
function idleFaults(imports: readonly Import[], table: readonly Row[]): string[] {
  return table.flatMap(({ room, rooms = [], packages = [] }) => {
    const used = imports.filter(({ file }) => roomOf(file) === room).map(({ target }) => target);
    return [
      ...rooms.filter((each) => !used.some((target) => target.endsWith('.ts') && roomOf(target) === each)),
      ...packages.filter((each) => !used.includes(each)),
    ].map((each) => `the row of ${room} names ${each}, which nothing there imports`);
  });
}

/** Files that import each other in a circle, each circle once. */
function circles(imports: readonly Import[]): string[] {
  const below = new Map<string, string[]>();
  for (const { file, target } of imports) {
    if (target.endsWith('.ts')) below.set(file, [...(below.get(file) ?? []), target]);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`a circle of files: ${[...path.slice(start), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const next of below.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of below.keys()) walk(file, []);
  return found;
}

/** Globals that only Node has. */
const NODE_GLOBALS: ReadonlySet<string> = new Set(['Buffer', 'NodeJS', 'process', 'setImmediate', 'global']);

/** Globals of Node that a file of a pure room uses, a sentence each. */
export function nodeGlobals(file: string, text: string, table: readonly Row[]): readonly string[] {
  const row = table.find(({ room }) => room === roomOf(file));
  if (row?.pure !== true) return [];
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
    if (ts.isIdentifier(node) && NODE_GLOBALS.has(node.text) && !isMember) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), visit);
  return [...found].map((name) => `${file} uses ${name}: ${row.room} must run in a browser too`);
}

/** The members of the global `process` that a file uses, read from its syntax. */
export function processUses(file: string, text: string): readonly string[] {
  const uses: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === 'process') {
      const { parent } = node;
      const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
      const isName =
        (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
      if (!isMember && !isName) {
        uses.push(ts.isPropertyAccessExpression(parent) ? parent.name.text : 'process');
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return uses;
}

/** The words of checks that nobody but they themselves may know. */
export interface CheckWords {
  /** Ids of findings. */
  readonly findings: readonly string[];
  /** Names of checks. */
  readonly checks: readonly string[];
}

/**
 * Where a file knows a finding or a check by its name, read from its syntax, a sentence each: an id as a string (as a type,
 * a key or an index too), a part of one that texts are asked for, and the name of a check to which another is compared.
 */
export function wordsOfChecks(
  file: string,
  text: string,
  { findings, checks }: CheckWords,
): readonly string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const faults: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const place = `${file}:${line + 1}`;
      if (findings.includes(node.text)) {
        faults.push(
          `${place} knows the finding "${node.text}": let its FindingSpec declare what is wanted of it, or let core/checks export a function`,
        );
      } else if (findings.some((id) => isPartOf(id, node))) {
        faults.push(
          `${place} guesses findings by "${node.text}": let their FindingSpecs declare what they have in common`,
        );
      } else if (checks.includes(node.text) && isComparedWithCheck(node)) {
        faults.push(
          `${place} knows the check "${node.text}": let its Check declare what is wanted of it (its method), or let core/checks export a function`,
        );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

/** Whether the text is asked for as the beginning or the end of an id, at one of its hyphens. */
function isPartOf(id: string, { text, parent }: ts.StringLiteralLike): boolean {
  if (!ts.isCallExpression(parent) || !ts.isPropertyAccessExpression(parent.expression)) return false;
  const method = parent.expression.name.text;
  return (
    (method === 'startsWith' && text.endsWith('-') && id.startsWith(text)) ||
    (method === 'endsWith' && text.startsWith('-') && id.endsWith(text))
  );
}

/** `check === 'spf'`, `outcome.check === 'spf'`. */
function isComparedWithCheck(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (!ts.isBinaryExpression(parent)) return false;
  const other = parent.left === node ? parent.right : parent.left;
  const name = ts.isPropertyAccessExpression(other) ? other.name : other;
  return ts.isIdentifier(name) && name.text === 'check';
}
