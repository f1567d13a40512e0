/** What a user of an entry point would have to name and cannot. */
import ts from 'typescript';
import { builtModule } from './built-module.ts';

/**
 * Reads the declarations of an entry point. Returns `Export needs Name` for each export whose public part
 * names something of the package that the entry point does not export. It also finds types that others are
 * built from and that nobody has to name.
 */
export function unexported(entry: string, ours: (file: string) => boolean): readonly string[] {
  const { checker, module, real } = builtModule(entry);
  const exported = new Map(checker.getExportsOfModule(module).map((each) => [real(each), each.name]));
  const faults = new Set<string>();

  const visit = (node: ts.Node, owner: string): void => {
    if (ts.isPrivateIdentifier(node) || isPrivate(node)) return;
    if (ts.isIdentifier(node) && namesAType(node)) {
      const found = checker.getSymbolAtLocation(node);
      const meant = found === undefined ? undefined : real(found);
      const isTop = meant?.declarations?.some(
        (each) => ours(each.getSourceFile().fileName) && isTopLevel(each),
      );
      if (meant !== undefined && isTop === true && !exported.has(meant))
        faults.add(`${owner} needs ${node.text}`);
    }
    ts.forEachChild(node, (child) => {
      visit(child, owner);
    });
  };
  for (const [symbol, name] of exported) for (const each of symbol.declarations ?? []) visit(each, name);
  return [...faults].sort();
}

function isPrivate(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  );
}

/**
 * Whether the identifier names a type. `typeof TABLE` does not: whoever sees such a type sees what is in the
 * table.
 */
function namesAType({ parent }: ts.Identifier): boolean {
  return ts.isTypeReferenceNode(parent) || ts.isExpressionWithTypeArguments(parent);
}

function isTopLevel(declaration: ts.Declaration): boolean {
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isSourceFile(statement.parent);
}
