/**
 * Walks mailboxes: an mbox, a file with one message, a Maildir with its folders (`cur` and `new` of each;
 * `tmp` holds what is not yet delivered), or a directory of any of these. One header is held at a time, and a
 * directory is read as it is walked, so that memory does not grow with the mail.
 */
import type { FileHandle } from 'node:fs/promises';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileFault, UsageError } from '../errors.ts';
import { type Head, openMail, readHead } from './head.ts';
import { headsOfMbox } from './mbox.ts';

/** Why a file was left out, in the words of a report. */
export const NOT_READ = {
  unreadable: 'could not be read',
  'not-mail': 'the beginning is not that of mail',
} as const;

export type NotRead = keyof typeof NOT_READ;

/** Hears of each file that is left out. */
export type OnNotRead = (why: NotRead, path: string) => void;

/** Directories below directories; a link back to one above is not followed anyway. */
const MAX_DEPTH = 32;

/**
 * The headers of all messages below these paths, in the order in which they are found. Throws UsageError for
 * a path that is not there.
 */
export async function* headsIn(paths: readonly string[], onNotRead: OnNotRead): AsyncGenerator<Head, void> {
  for (const path of paths) {
    let isDirectory: boolean;
    try {
      isDirectory = (await stat(path)).isDirectory();
    } catch (error) {
      throw new UsageError(fileFault(path, error));
    }
    if (isDirectory) yield* headsInDirectory(path, { inMaildir: false, depth: MAX_DEPTH }, onNotRead);
    else yield* headsInFile(path, { follow: true, single: false }, onNotRead);
  }
}

interface HowToRead {
  readonly follow: boolean;
  /** The file holds one message, however it begins. */
  readonly single: boolean;
}

interface WhereItLies {
  /** The directory is the `cur` or `new` of a Maildir. */
  readonly inMaildir: boolean;
  /** How many levels below it are still read. */
  readonly depth: number;
}

async function* headsInDirectory(
  path: string,
  { inMaildir, depth }: WhereItLies,
  onNotRead: OnNotRead,
): AsyncGenerator<Head, void> {
  const isMaildir = !inMaildir && (await hasDirectory(path, 'cur')) && (await hasDirectory(path, 'new'));
  try {
    for await (const entry of await opendir(path)) {
      const below = join(path, entry.name);
      if (entry.isDirectory()) {
        if (depth === 0 || inMaildir || (isMaildir && entry.name === 'tmp')) continue;
        const holdsMail = isMaildir && (entry.name === 'cur' || entry.name === 'new');
        yield* headsInDirectory(below, { inMaildir: holdsMail, depth: depth - 1 }, onNotRead);
      } else if (!isMaildir && !entry.isSymbolicLink()) {
        // Beside `cur` and `new` lie the indexes and lists of mail servers.
        yield* headsInFile(below, { follow: false, single: inMaildir }, onNotRead);
      }
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    onNotRead('unreadable', path);
  }
}

async function* headsInFile(
  path: string,
  { follow, single }: HowToRead,
  onNotRead: OnNotRead,
): AsyncGenerator<Head, void> {
  let file: FileHandle | null = null;
  try {
    file = await openMail(path, follow);
    if (file === null) {
      onNotRead('not-mail', path);
      return;
    }
    const kind = single ? 'message' : await kindOf(file);
    if (kind === 'other') onNotRead('not-mail', path);
    else if (kind === 'message') yield await readHead(file);
    else yield* headsOfMbox(file.createReadStream({ start: 0, autoClose: false }));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    onNotRead('unreadable', path);
  } finally {
    await file?.close();
  }
}

/** What the file is, by how it begins: the line of an mbox, or a header field (RFC 5322 §2.2). */
async function kindOf(file: FileHandle): Promise<'mbox' | 'message' | 'other'> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0);
  const text = buffer.toString('latin1', 0, bytesRead);
  if (text.startsWith('From ')) return 'mbox';
  return /^[!-9;-~]+[ \t]*:/.test(text) ? 'message' : 'other';
}

async function hasDirectory(path: string, name: string): Promise<boolean> {
  return await stat(join(path, name)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** What the file system says, such as EACCES or ENOENT: mail is moved and deleted while we read. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
