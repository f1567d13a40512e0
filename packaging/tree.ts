/** Files on their way into a package: held in memory, and written alike wherever and by whomever it is built. */
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export type Entry = { readonly data: Buffer; readonly mode: 0o644 | 0o755 } | { readonly link: string };

/** By their paths, without a slash in front. */
export type Tree = Map<string, Entry>;

export function put(tree: Tree, path: string, data: Buffer | string, mode: 0o644 | 0o755 = 0o644): void {
  tree.set(path, { data: typeof data === 'string' ? Buffer.from(data) : data, mode });
}

/** Every file below a directory, by its path from there, in order. Links are not followed. */
export function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(directory.length + 1))
    .sort();
}

/** Puts what is below `from` into the tree below `to`. */
export function putAll(
  tree: Tree,
  to: string,
  from: string,
  wanted: (path: string) => boolean = () => true,
): void {
  for (const path of filesBelow(from).filter(wanted)) {
    put(tree, join(to, path), readFileSync(join(from, path)));
  }
}

/** Writes the tree into an empty directory; `time` is the Unix time in seconds of all that is in it. */
export function writeTree(tree: Tree, directory: string, time: number): void {
  const directories = new Set<string>([directory]);
  const made: string[] = [];
  for (const [path, entry] of tree) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    for (let each = dirname(target); each !== directory; each = dirname(each)) directories.add(each);
    if ('link' in entry) symlinkSync(entry.link, target);
    else {
      writeFileSync(target, entry.data);
      chmodSync(target, entry.mode);
    }
    made.push(target);
  }
  // Whatever the umask is.
  for (const each of directories) chmodSync(each, 0o755);
  for (const each of [...made, ...directories]) lutimesSync(each, time, time);
}
