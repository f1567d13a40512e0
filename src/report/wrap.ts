/** Columns of a line, in a mail too (RFC 5322 §2.1.1 would have 78). */
const WIDTH = 72;

/** In lines that each begin with `indent`; words are not broken, however long they are. */
export function wrap(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, indent + line].join('\n');
}
