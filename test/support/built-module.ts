/** The types of a built entry point, as the compiler reads them. */
import ts from 'typescript';

export interface BuiltModule {
  readonly checker: ts.TypeChecker;
  readonly module: ts.Symbol;
  /** What an export stands for. */
  readonly real: (symbol: ts.Symbol) => ts.Symbol;
}

export function builtModule(entry: string): BuiltModule {
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.Node20,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    noEmit: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} is missing or no module: run "npm run build"`);
  const real = (symbol: ts.Symbol): ts.Symbol =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  return { checker, module, real };
}
