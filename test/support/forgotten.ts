/**
 * Finds the steps that a newcomer forgets: reads the sources with TypeScript's own parser and says what is
 * still to be done.
 */
import ts from 'typescript';
import type { Tree } from './house.ts';

/** Calls `visit` for every node of a file. */
function walk(file: string, text: string, visit: (node: ts.Node) => void): void {
  const each = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, each);
  };
  each(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
}

/**
 * Events, by name, that are in the table and that nothing tells, and calls that do not say which event they
 * tell: an event only counts as told if its name is written in a call of `log.tell`.
 */
export function untoldEvents(tree: Tree, events: readonly string[]): readonly string[] {
  const said = new Set<string>();
  const unclear: string[] = [];
  for (const [file, text] of tree) {
    walk(file, text, (node) => {
      if (!ts.isCallExpression(node) || !isTell(node.expression)) return;
      const names = choicesOf(node.arguments[0]);
      if (names === null)
        unclear.push(
          `${file} calls log.tell with an event that is not written there: write out which it may be`,
        );
      else for (const name of names) said.add(name);
    });
  }
  return [
    ...unclear,
    ...events
      .filter((event) => !said.has(event))
      .map(
        (event) =>
          `nothing tells the log event "${event}": call log.tell('${event}', …) where it happens, or take its row out of src/log/events.ts`,
      ),
  ];
}

/** `log.tell`, `this.#log.tell`. */
function isTell(called: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(called) || called.name.text !== 'tell') return false;
  const { expression: log } = called;
  const name = ts.isPropertyAccessExpression(log) ? log.name : log;
  return name.getText().replace('#', '') === 'log';
}

/** The strings that an expression may be, as written; null if it may be another. */
function choicesOf(node: ts.Expression | undefined): readonly string[] | null {
  if (node === undefined) return null;
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (!ts.isConditionalExpression(node)) return null;
  const [yes, no] = [choicesOf(node.whenTrue), choicesOf(node.whenFalse)];
  return yes === null || no === null ? null : [...yes, ...no];
}

/** Files that show numbers to the outside. */
const READERS: ReadonlySet<string> = new Set(['monitoring/prometheus.ts', 'monitoring/readiness.ts']);

/** Numbers of `Metrics` that nothing counts, or that no family shows. */
export function idleNumbers(tree: Tree, numbers: readonly string[]): readonly string[] {
  const counted = new Set<string>();
  const shown = new Set<string>();
  for (const [file, text] of tree) {
    walk(file, text, (node) => {
      if (ts.isPropertyAccessExpression(node) && isCounted(node)) counted.add(node.name.text);
      if (ts.isIdentifier(node) && READERS.has(file)) shown.add(node.text);
    });
  }
  return [
    ...numbers
      .filter((name) => !counted.has(name))
      .map(
        (name) =>
          `nothing counts "${name}" of Metrics: count it where it happens, or take it out of src/monitoring/metrics.ts`,
      ),
    ...numbers
      .filter((name) => !shown.has(name))
      .map(
        (name) =>
          `nobody can see "${name}" of Metrics: give it a family in src/monitoring/prometheus.ts, and run "npm run docs"`,
      ),
  ];
}

/** `metrics.sessions++`, `this.failedAt = now`, `this.questions.get(type)?.count(…)`. */
function isCounted(node: ts.PropertyAccessExpression): boolean {
  const { parent } = node;
  if (ts.isPostfixUnaryExpression(parent) || ts.isPrefixUnaryExpression(parent)) return true;
  if (ts.isBinaryExpression(parent) && parent.left === node) {
    const { kind } = parent.operatorToken;
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  }
  let link: ts.Node = parent;
  while (ts.isPropertyAccessExpression(link) || ts.isCallExpression(link)) {
    if (ts.isPropertyAccessExpression(link) && ['count', 'add'].includes(link.name.text)) return true;
    link = link.parent;
  }
  return false;
}

/** Findings that no test of the checks names. `tests` holds the tests by path. */
export function untestedFindings(tests: Tree, ids: readonly string[]): readonly string[] {
  const named = new Set<string>();
  for (const [file, text] of tests) {
    walk(file, text, (node) => {
      if (
        !ts.isStringLiteralLike(node) &&
        !ts.isTemplateHead(node) &&
        !ts.isTemplateMiddleOrTemplateTail(node)
      )
        return;
      for (const word of wordsOf(node.text)) named.add(word);
    });
  }
  return ids
    .filter((id) => !named.has(id))
    .map((id) => `no test of the checks gives the finding "${id}": add a row to one in test/core/checks/`);
}

/** The words of a text; a word may have hyphens in it and before it, as ids and flags have. */
export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/[\w-]*\w/g));
}
