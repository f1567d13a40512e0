/** The exports of an entry point as its built types declare them, for the pages on the libraries. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';
import { builtModule } from './built-module.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Of a constant; a longer one is a table. */
const MOST_LINES = 40;

interface Group {
  readonly heading: string;
  readonly names: readonly string[];
}

/** An export, with what its users read of it. */
export interface Export {
  readonly name: string;
  /** The first paragraph of its docstring; empty where there is none. */
  readonly about: string;
  /** Its declaration, with the comments inside it, without what is private. */
  readonly declaration: string;
}

/** `// Text.` comments between the exports of an entry's source are the headings of what follows them. */
function groupsOf(source: string): Group[] {
  const text = readFileSync(ROOT + source, 'utf8');
  const file = ts.createSourceFile(source, text, ts.ScriptTarget.Latest, true);
  const groups: { heading: string; names: string[] }[] = [];
  for (const statement of file.statements) {
    if (!ts.isExportDeclaration(statement)) throw new Error(`${source} does more than export`);
    const comments = ts.getLeadingCommentRanges(text, statement.getFullStart()) ?? [];
    const heading = comments
      .map(({ pos, end }) => text.slice(pos, end))
      .filter((comment) => comment.startsWith('//'))
      .map((comment) => comment.slice(2).trim())
      .join(' ');
    if (heading !== '') groups.push({ heading: heading.replace(/\.$/, ''), names: [] });
    const group = groups.at(-1);
    const clause = statement.exportClause;
    if (group === undefined) throw new Error(`${source}: no comment says what its first exports are`);
    if (clause === undefined || !ts.isNamedExports(clause)) throw new Error(`${source} has an export *`);
    group.names.push(...clause.elements.map(({ name }) => name.text));
  }
  return groups;
}

/** All exports of a built entry point, such as `dist/embed.d.ts`, by name. */
export function exportsOf(built: string): ReadonlyMap<string, Export> {
  const { checker, module, real: meant } = builtModule(ROOT + built);
  return new Map(
    checker.getExportsOfModule(module).map((each) => {
      const real = meant(each);
      const about = ts.displayPartsToString(real.getDocumentationComment(checker)).split('\n\n')[0] ?? '';
      const declaration = (real.declarations ?? [])
        .map((node) => declared(node).replace(real.name, each.name))
        .join('\n');
      return [each.name, { name: each.name, about: about.replaceAll(/\s*\n\s*/g, ' ').trim(), declaration }];
    }),
  );
}

/** The text of a declaration without `export`, and without what is private in a class. */
function declared(node: ts.Declaration): string {
  const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  let text = whole.getText();
  if (ts.isClassDeclaration(node)) {
    for (const member of [...node.members].reverse()) {
      const hidden =
        (member.name !== undefined && ts.isPrivateIdentifier(member.name)) ||
        (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0;
      if (!hidden) continue;
      const start = whole.getStart();
      text = text.slice(0, member.getFullStart() - start) + text.slice(member.getEnd() - start);
    }
  }
  // A table of the program is what its type says; its rows have a page of their own.
  if (ts.isVariableDeclaration(node) && text.split('\n').length > MOST_LINES)
    text = text.replace(/\{[^]*\}/, '{ /* its rows */ }');
  return text.replace(/^export /, '').replace(/^declare function/, 'function');
}

/** The reference of an entry point in Markdown: groups as its source has them, each export in its order. */
export async function exportsReference(source: string, built: string): Promise<string> {
  const exports = exportsOf(built);
  const parts = groupsOf(source).map(({ heading, names }) =>
    [
      `### ${heading}`,
      ...names.map((name) => {
        const { about, declaration } = exports.get(name) ?? { about: '', declaration: '' };
        return `#### \`${name}\`\n\n${about}\n\n\`\`\`ts\n${declaration}\n\`\`\``;
      }),
    ].join('\n\n'),
  );
  const config = await prettier.resolveConfig(`${ROOT}docs/core.md`);
  const text = await prettier.format(parts.join('\n\n'), { ...config, parser: 'markdown' });
  return text.trimEnd();
}
