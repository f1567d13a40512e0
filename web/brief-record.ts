/**
 * Lines of the decision log without the answers of DNS, which are half of a line and bear on no verdict:
 * whoever opens a decision reads its line anew.
 */

const ANSWERS = ',"dns":{';
const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d] as const;

/**
 * The line with no answers in it; the line itself if a question went unanswered, as a verdict may depend on
 * why it did. In JSON this text stands nowhere but where an object has a member of this name. The line must
 * be one that has been read before: what is wrong within the answers is not found out.
 */
export function withoutAnswers(line: string): string {
  const at = line.indexOf(ANSWERS);
  if (at === -1 || line.includes('"temperror"', at)) return line;
  const from = at + ANSWERS.length;
  const end = endOfObject(line, from);
  return end === -1 ? line : line.slice(0, from) + line.slice(end);
}

/** Where the object ends that begins before `from`; -1 if it does not. */
function endOfObject(text: string, from: number): number {
  let depth = 1;
  let isQuoted = false;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (isQuoted) {
      if (code === BACKSLASH) i++;
    } else if (code === OPEN) depth++;
    else if (code === CLOSE && --depth === 0) return i;
  }
  return -1;
}
