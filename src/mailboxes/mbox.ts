/**
 * The headers of the messages in an mbox (RFC 4155): each begins with a line `From SENDER DATE` after an
 * empty line. Lines of a body that look like one must be quoted (`>From `), as Postfix, Sendmail, Exim and
 * procmail do; the kinds of mbox that go by Content-Length instead are misread, since a stranger's
 * message can hold what looks like another.
 */
import { cutHead, endOfHead, type Head, MAX_HEAD } from './head.ts';

/** A `From ` line is shorter than this. */
const MAX_LINE = 2000;

/** Octets at the end of a piece that may be the beginning of `\n\r\nFrom `. */
const KEPT = 8;

/** `chunks` are the file, in order. Of a body no more than a piece is held. */
export async function* headsOfMbox(chunks: AsyncIterable<Buffer>): AsyncGenerator<Head, void> {
  // As if an empty line stood before the first.
  let text = '\n\n';
  let inHead = false;
  for await (const chunk of chunks) {
    text += chunk.toString('latin1');
    for (;;) {
      if (inHead) {
        const end = endOfHead(text);
        if (end === -1 && text.length <= MAX_HEAD) break;
        inHead = false;
        const isWhole = end !== -1 && end <= MAX_HEAD;
        yield isWhole ? { text: text.slice(1, end), cut: false } : cutHead(text.slice(1, MAX_HEAD));
        // The empty line that ends the header may be the one before the next message.
        text = text.slice(end === -1 ? -KEPT : end - 1);
      }
      const line = nextLine(text);
      text = text.slice(line.at);
      if (line.kind === 'more') break;
      inHead = line.kind === 'message';
    }
  }
  if (inHead) yield { text: text.slice(1), cut: false };
}

/**
 * Looks for the line that begins a message. `message`: one is found, and `at` is the line break at its end.
 * `other`: what begins so is none. `more`: there is none yet. What stands before `at` is done with.
 */
function nextLine(text: string): { readonly kind: 'message' | 'other' | 'more'; readonly at: number } {
  const found = /\n\r?\nFrom /.exec(text);
  if (found === null) return { kind: 'more', at: Math.max(0, text.length - KEPT) };
  const begin = found.index + found[0].length;
  const end = text.indexOf('\n', begin);
  if (end === -1 && text.length - begin < MAX_LINE) return { kind: 'more', at: found.index };
  // There is a time in it, whatever else (`asctime`).
  const isReal = end !== -1 && end - begin < MAX_LINE && /\d:\d\d/.test(text.slice(begin, end));
  return isReal ? { kind: 'message', at: end } : { kind: 'other', at: found.index + 1 };
}
