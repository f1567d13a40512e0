/**
 * Finds faults in the comments of a file: TypeScript's own parser finds those of TypeScript and JavaScript, a
 * pattern those of others.
 */
import ts from 'typescript';

/** Columns that a line with a comment may have. */
const WIDTH = 110;

/**
 * What is wrong with the comments of a file, one sentence for each line: it is too wide, or has the mark of a
 * merge. `file` names the place, and its ending says how to read the text.
 */
export function commentFaults(file: string, text: string): string[] {
  const faults = text.split('\n').map((line, index): string | null => {
    const place = `${file}:${index + 1}`;
    if (/^(?:<{7}|={7}|>{7})(?: |$)/.test(line)) return `${place} has the mark of a merge in a comment`;
    return line.length > WIDTH ? `${place} has ${line.length} columns: wrap the comment at ${WIDTH}` : null;
  });
  if (faults.every((fault) => fault === null)) return [];
  return commentLines(file, text).flatMap((index) => faults[index] ?? []);
}

/** The indices of the lines that have a part of a comment, in order. */
function commentLines(file: string, text: string): number[] {
  if (!/\.(?:ts|js|mjs)$/.test(file)) {
    const lines = text.split('\n');
    return [...lines.keys()].filter((index) => /^\s*(?:#|\/?\*|\/\/)/.test(lines[index] ?? ''));
  }
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Set<number>();
  const note = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? []) {
      const [first, last] = [pos, end].map((at) => source.getLineAndCharacterOfPosition(at).line);
      for (let index = first ?? 0; index <= (last ?? 0); index++) found.add(index);
    }
  };
  const visit = (node: ts.Node): void => {
    note(ts.getLeadingCommentRanges(text, node.getFullStart()));
    note(ts.getTrailingCommentRanges(text, node.getEnd()));
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...found].sort((a, b) => a - b);
}
