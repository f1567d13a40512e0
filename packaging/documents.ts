/** Documents as they are read on the system where the program is installed. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { filesBelow, put, putAll, type Tree } from './tree.ts';

/** What of the checkout is documentation, but for what is `elsewhere`, by its path here and there. */
export function putDocuments(
  tree: Tree,
  to: string,
  root: string,
  elsewhere: ReadonlyMap<string, string>,
): void {
  const pages = ['README.md', ...filesBelow(join(root, 'docs')).map((path) => `docs/${path}`)];
  for (const directory of ['examples', 'postfix-conf']) {
    putAll(tree, join(to, directory), join(root, directory));
  }
  for (const path of pages) put(tree, join(to, path), readFileSync(join(root, path)));
  const there = (path: string): string | null => {
    const moved = elsewhere.get(path);
    if (moved !== undefined) return moved;
    const within = join(to, path);
    const found = tree.has(within) || [...tree.keys()].some((each) => each.startsWith(`${within}/`));
    return found ? path : null;
  };
  for (const path of pages.filter((each) => each.endsWith('.md'))) {
    put(tree, join(to, path), linkedWithin(path, readFileSync(join(root, path), 'utf8'), there));
  }
}

/**
 * The text of a page with its links led to where the files are, by `there`: a path from the documents' own
 * directory, an absolute one, or null for what is not installed, of which only the words stay.
 */
export function linkedWithin(page: string, text: string, there: (path: string) => string | null): string {
  return text.replaceAll(/\[([^\]\n]*)\]\(([^)\s]+)\)/g, (whole, words: string, to: string) => {
    if (/^(?:[a-z]+:|#)/.test(to)) return whole;
    const [file = '', anchor] = to.split('#');
    const path = normalize(join(dirname(page), file)).replace(/\/$/, '');
    const found = there(path);
    if (found === null) return words;
    if (found === path) return whole;
    const target = found.startsWith('/') ? found : relative(dirname(page), found);
    return `[${words}](${target}${anchor === undefined ? '' : `#${anchor}`})`;
  });
}

/**
 * A text that names documents and samples by their paths in the checkout, with those of an installed system:
 * of a manual page too, which writes hyphens as `\-`.
 */
export function withPaths(text: string, documents: string): string {
  const escaped = text.startsWith('.\\"') ? documents.replaceAll('-', '\\-') : documents;
  return text.replaceAll(
    /(?<![\w/.-])(?=docs\/[\w\\-]+\.md\b|postfix(?:\\?-)conf\/\w|examples\/)/g,
    () => `${escaped}/`,
  );
}
