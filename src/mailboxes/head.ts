/** The header of a message, read from its file and no further. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** One character is one octet (latin1). */
export interface Head {
  readonly text: string;
  /** It goes on beyond `MAX_HEAD`: only what is whole is here. */
  readonly cut: boolean;
}

/**
 * Octets of a header that are looked at. What MTAs add stands on top, and Postfix allows a message 100 kB in
 * all.
 */
export const MAX_HEAD = 256 * 1024;

const CHUNK = 16 * 1024;

/**
 * Where the empty line begins that ends the header, looked for from `from` on; -1 if there is none. `text` is
 * the header with a line break before it, so that an empty header has its end too.
 */
export function endOfHead(text: string, from = 0): number {
  const emptyLine = /\n\r?\n/g;
  emptyLine.lastIndex = from;
  const found = emptyLine.exec(text);
  return found === null ? -1 : found.index + 1;
}

/** A header that is too long, without its last field, which may go on. */
export function cutHead(text: string): Head {
  let at = text.lastIndexOf('\n', text.length - 2);
  while (at > 0 && (text.charAt(at + 1) === ' ' || text.charAt(at + 1) === '\t')) {
    at = text.lastIndexOf('\n', at - 1);
  }
  return { text: text.slice(0, at + 1), cut: true };
}

/**
 * Opens a regular file; null for anything else, such as a pipe, which could keep us waiting. `follow` is for
 * what the operator has named: in a mailbox its owner could lead us by a link to where only we may read.
 */
export async function openMail(path: string, follow: boolean): Promise<FileHandle | null> {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/** The header of a file that holds one message. */
export async function readHead(file: FileHandle): Promise<Head> {
  let text = '\n';
  const buffer = Buffer.alloc(CHUNK);
  for (let position = 0; position < MAX_HEAD;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
    if (bytesRead === 0) return { text: text.slice(1), cut: false };
    // The empty line may lie across two pieces.
    const seen = Math.max(0, text.length - 2);
    text += buffer.toString('latin1', 0, bytesRead);
    const end = endOfHead(text, seen);
    if (end !== -1) return { text: text.slice(1, end), cut: false };
    position += bytesRead;
  }
  return cutHead(text.slice(1));
}
