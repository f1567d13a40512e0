/**
 * Reads the imports of a source tree with TypeScript's own parser and compares them with the table of rooms.
 */
import { posix } from 'node:path';
import ts from 'typescript';

/** One room: a folder directly below `src/`, or a single file there. */
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

function isFile(target: string): boolean {
  return /\.tsx?$/.test(target);
}

/** The room of a path below `src/`. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** Every import, export-from and `import()` of a file, type imports among them. */
function importsOf(file: string, text: string): readonly Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({
    file,
    // The page lies beside `src/`.
    target: fileName.startsWith('.')
      ? posix.join(posix.dirname(file), fileName).replace(/^src\//, '')
      : fileName,
  }));
}

/** What is wrong, one sentence for each fault; none if the tree keeps to the table. */
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
  if (!isFile(target)) {
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
      ...rooms.filter((each) => !used.some((target) => isFile(target) && roomOf(target) === each)),
      ...packages.filter((each) => !used.includes(each)),
    ].map((each) => `the row of ${room} names ${each}, which nothing there imports`);
  });
}

/** A circle is the same wherever the walk comes upon it: told from the first of its files by name. */
function fromTheFirst(circle: readonly string[]): readonly string[] {
  const start = circle.indexOf(circle.toSorted()[0] ?? '');
  return [...circle.slice(start), ...circle.slice(0, start + 1)];
}

/** Files that import each other in a circle, each circle once. */
function circles(imports: readonly Import[]): string[] {
  const below = new Map<string, string[]>();
  for (const { file, target } of imports) {
    if (isFile(target)) below.set(file, [...(below.get(file) ?? []), target]);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`a circle of files: ${fromTheFirst(path.slice(start)).join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const next of below.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of below.keys()) walk(file, []);
  return found;
}

/** Everything that a file needs to run, type imports left out, by path: itself, files, packages, Node. */
export function reachedFrom(tree: Tree, file: string): ReadonlySet<string> {
  const reached = new Set([file]);
  for (const path of reached) {
    for (const { target } of importsOf(path, withoutTypes(tree.get(path) ?? ''))) reached.add(target);
  }
  return reached;
}

function withoutTypes(text: string): string {
  return text.replaceAll(/^(?:im|ex)port type [^;]*;$/gm, '');
}

/**
 * Names that more than one file declares and exports, one sentence for each. Re-exporting a name does not
 * declare it.
 */
export function sharedNames(tree: Tree): readonly string[] {
  const files = new Map<string, Set<string>>();
  for (const [file, text] of tree) {
    for (const statement of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
      if (!ts.canHaveModifiers(statement)) continue;
      const isExported = ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (isExported !== true) continue;
      for (const name of declaredNames(statement)) files.set(name, (files.get(name) ?? new Set()).add(file));
    }
  }
  return [...files]
    .filter(([, where]) => where.size > 1)
    .map(
      ([name, where]) =>
        `${name} is exported by ${[...where].join(' and ')}: call one of them something else`,
    );
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  const { name } = statement as ts.Statement & { readonly name?: ts.Node };
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
}

/** The names that a declaration or a pattern binds. */
function boundNames(name: ts.BindingName): readonly string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((each) => (ts.isBindingElement(each) ? boundNames(each.name) : []));
}

/** Globals that only Node has. */
const NODE_GLOBALS: ReadonlySet<string> = new Set(['Buffer', 'NodeJS', 'process', 'setImmediate', 'global']);

/** Globals of Node that a file of a pure room uses, one sentence for each. */
export function nodeGlobals(file: string, text: string, table: readonly Row[]): readonly string[] {
  const row = table.find(({ room }) => room === roomOf(file));
  if (row?.pure !== true) return [];
  const used = globalsOf(file, text).map(({ name }) => name);
  return [...new Set(used)]
    .filter((name) => NODE_GLOBALS.has(name) || name === 'globalThis')
    .map((name) => `${file} uses ${name}: ${row.room} must run in a browser too`);
}

/**
 * The members of the global `process` that a file uses, read from its syntax; `process` if it takes the whole
 * object.
 */
export function processUses(file: string, text: string): readonly string[] {
  return globalsOf(file, text)
    .filter(({ name }) => name === 'process' || name === 'globalThis')
    .map(({ member }) => member ?? 'process');
}

interface GlobalUse {
  /** Whether `globalThis` itself is passed on as a whole, so that nobody knows what is taken from it. */
  readonly name: string;
  /** What is taken from the global, if that is written down. */
  readonly member?: string | undefined;
}

/** Nodes that may be a global of that name: by itself, or as a member of the global object. */
function globalsOf(file: string, text: string): readonly GlobalUse[] {
  const uses: GlobalUse[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isLabel(node)) {
      const within = isGlobalObject(node) ? memberOf(node) : undefined;
      if (within !== undefined) {
        const access = outermost(node).parent;
        uses.push({ name: within, member: memberOf(access) });
      } else uses.push({ name: isGlobalObject(node) ? 'globalThis' : node.text, member: memberOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return uses;
}

function isGlobalObject({ text }: ts.Identifier): boolean {
  return text === 'globalThis' || text === 'global';
}

/** Whether a name is only a label: the member of something, or the name of a property. */
function isLabel(node: ts.Identifier): boolean {
  const { parent } = node;
  const named =
    ts.isPropertyAccessExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent);
  return named && parent.name === node;
}

/** The member that is taken from an expression, `x.member` or `x['member']`. */
function memberOf(node: ts.Node): string | undefined {
  const parent = outermost(node).parent;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === outermost(node)) return parent.name.text;
  if (!ts.isElementAccessExpression(parent) || parent.expression !== outermost(node)) return undefined;
  return ts.isStringLiteralLike(parent.argumentExpression) ? parent.argumentExpression.text : undefined;
}

/** The expression including the brackets, assertions and `!` around it. */
function outermost(node: ts.Node): ts.Node {
  const { parent } = node;
  const wraps =
    ts.isParenthesizedExpression(parent) || ts.isAsExpression(parent) || ts.isNonNullExpression(parent);
  return wraps ? outermost(parent) : node;
}

/** Places where a file loads what the table cannot see, one sentence for each. */
export function hiddenImports(file: string, text: string): readonly string[] {
  const faults = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && ['createRequire', 'getBuiltinModule'].includes(node.text))
      faults.add(`${file} uses ${node.text}: import it, so that the table sees what is loaded`);
    if (ts.isStringLiteralLike(node) && ['node:module', 'getBuiltinModule'].includes(node.text))
      faults.add(`${file} uses ${node.text}: import it, so that the table sees what is loaded`);
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'require')
      faults.add(`${file} uses require: import it, so that the table sees what is loaded`);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments;
      if (target === undefined || !ts.isStringLiteralLike(target))
        faults.add(`${file} imports what only the running program knows: the table cannot see it`);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return [...faults];
}

/** The names that only the checks themselves may know. */
export interface CheckWords {
  /** Ids of findings. */
  readonly findings: readonly string[];
  /** Names of checks. */
  readonly checks: readonly string[];
}

/**
 * Places where a file knows a finding or a check by its name, read from its syntax, one sentence for each: an
 * id as a string (also as a type, a key or an index), a part of an id that a text is searched for, and the
 * name of a check that something is compared with.
 */
export function wordsOfChecks(
  file: string,
  text: string,
  { findings, checks }: CheckWords,
): readonly string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const faults: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isRegularExpressionLiteral(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const place = `${file}:${line + 1}`;
      const pattern = patternOf(node);
      const known = findings.find((id) => (pattern === null ? node.text === id : pattern.includes(id)));
      if (known !== undefined) {
        faults.push(
          `${place} knows the finding "${known}": let its FindingSpec declare what others need to know, or let core/checks export a function`,
        );
      } else if (findings.some((id) => (pattern === null ? isPartOf(id, node) : isPatternOf(id, pattern)))) {
        faults.push(
          `${place} guesses findings by "${node.text}": let their FindingSpecs declare what they have in common`,
        );
      } else if (checks.includes(node.text) && isComparedWithCheck(node)) {
        faults.push(
          `${place} knows the check "${node.text}": let its Check declare what others need to know (its method), or let core/checks export a function`,
        );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

type Literal = ts.StringLiteralLike | ts.RegularExpressionLiteral;

/** The source of a regular expression, written as a literal or made from a string; null for anything else. */
function patternOf(node: Literal): string | null {
  if (ts.isRegularExpressionLiteral(node)) return node.text.slice(1, node.text.lastIndexOf('/'));
  const { parent } = node;
  const isMade = ts.isNewExpression(parent) || ts.isCallExpression(parent);
  return isMade && parent.expression.getText() === 'RegExp' && parent.arguments?.[0] === node
    ? node.text
    : null;
}

/** Whether a pattern looks for the beginning or the end of an id, at one of its hyphens. */
function isPatternOf(id: string, pattern: string): boolean {
  const [, head = ' '] = /^\^([a-z-]+-)/.exec(pattern) ?? [];
  const [, tail = ' '] = /(-[a-z-]+)\)*\$$/.exec(pattern) ?? [];
  return id.startsWith(head) || id.endsWith(tail);
}

/**
 * Whether a text is searched for the beginning, the end or the middle of an id, cut at one of its hyphens.
 */
function isPartOf(id: string, { text, parent }: Literal): boolean {
  if (!ts.isCallExpression(parent) || !ts.isPropertyAccessExpression(parent.expression)) return false;
  switch (parent.expression.name.text) {
    case 'startsWith':
      return text.endsWith('-') && id.startsWith(text);
    case 'endsWith':
      return text.startsWith('-') && id.endsWith(text);
    case 'includes':
    case 'indexOf':
      return /[a-z]/.test(text) && text.includes('-') && id.includes(text);
    default:
      return false;
  }
}

/** `check === 'spf'`, `outcome.check === 'spf'`. */
function isComparedWithCheck(node: Literal): boolean {
  const { parent } = node;
  if (!ts.isBinaryExpression(parent)) return false;
  const other = parent.left === node ? parent.right : parent.left;
  const name = ts.isPropertyAccessExpression(other) ? other.name : other;
  return ts.isIdentifier(name) && name.text === 'check';
}
