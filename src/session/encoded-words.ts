/**
 * Encoded words (RFC 2047), decoded as the readers of header fields behind us do it: SpamAssassin, Sieve and
 * mail libraries decode them anywhere in a field, though §5 forbids most places. All that matters is which
 * ASCII text a reader may see, so a charset matters only if it does not write ASCII as itself.
 *
 * Text is latin1, one character per byte. The work is linear in its length.
 */

/** What the text may look like to its readers: first as it is, then with its encoded words decoded. */
export function decodings(text: string): readonly string[] {
  if (!text.includes('=?')) return [text];
  const decoded = PATTERNS.flatMap((pattern) => [
    decode(text, pattern, asciiOf),
    decode(text, pattern, charactersOf),
  ]);
  return [...new Set([text, ...decoded])];
}

/**
 * Whether a charset with this label surely reads ASCII as ASCII. Of all others (EBCDIC, hz, Python's
 * `unicode_escape`, next year's invention) some reader may know more than we do.
 */
export function isAsciiCompatible(label: string): boolean {
  return ASCII_COMPATIBLE.test(label);
}

const ASCII_COMPATIBLE =
  /^(?:utf-?8|us-ascii|iso-8859-\d{1,2}|(?:windows-|cp)125\d|koi8-[a-z]{1,2}|gb2312|gbk|gb18030|big5|euc-[a-z]{2}|shift_jis)(?:\*.*)?$/is;

/**
 * Readers disagree on whether encoded text may contain a question mark (Python accepts it, SpamAssassin does
 * not).
 */
const PATTERNS = [/=\?([^?]*)\?([bq])\?([^?]*)\?=/gi, /=\?([^?]*)\?([bq])\?(.*?)\?=/gis] as const;

type Reading = (charset: string, bytes: string) => string;

function decode(text: string, pattern: RegExp, read: Reading): string {
  // Without an end there is no encoded word; looking for the end from each beginning would be quadratic.
  const end = text.lastIndexOf('?=') + 2;
  const within = text.slice(0, end);
  let decoded = '';
  let at = 0;
  /** Adjacent words of one charset: a character may be split between them. */
  let open: { charset: string; bytes: string } | null = null;
  for (const { 0: word, 1: label = '', 2: encoding = '', 3: encoded = '', index } of within.matchAll(
    pattern,
  )) {
    const between = text.slice(at, index);
    at = index + word.length;
    // RFC 2231 §5: a language may follow the charset.
    const charset = label.toLowerCase().replace(/\*.*$/s, '');
    // Blanks between two words are not shown (RFC 2047 §6.2).
    const adjacent = open !== null && /^\s*$/.test(between);
    if (open !== null && (!adjacent || open.charset !== charset)) {
      decoded += read(open.charset, open.bytes);
      open = null;
    }
    if (!adjacent) decoded += between;
    open ??= { charset, bytes: '' };
    open.bytes += encoding.toLowerCase() === 'b' ? base64(encoded) : quoted(encoded);
  }
  if (open !== null) decoded += read(open.charset, open.bytes);
  return decoded + text.slice(at);
}

/** The Q encoding (§4.2); anything else stands for itself. */
function quoted(text: string): string {
  return text
    .replaceAll('_', ' ')
    .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function base64(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1');
}

const UTF7 = /^(?:unicode-1-1-)?utf-?7/;
const EBCDIC =
  /^(?:cs|x-)?(?:ibm|cp|ebcdic)[-_]?(?:cp[-_]?)?0?(?:37|273|27[78]|28[045]|297|424|500|871|1026|1047|114\d)|^(?:cp-)?ebcdic|^posix-bc/;

function asciiOf(charset: string, bytes: string): string {
  let text = bytes;
  if (UTF7.test(charset)) text = fromUtf7(bytes);
  else if (EBCDIC.test(charset)) text = fromEbcdic(bytes);
  // A NUL is half of an ASCII character in UTF-16, and more of it in UTF-32; escape sequences are those of
  // ISO-2022.
  return text.replaceAll(/\0|\x1b[\x20-\x2f]{1,3}[\x30-\x7e]|[\x0e\x0f]/g, '');
}

/**
 * The characters themselves, as UTF-8, if we know the charset: what is a blank in one is a letter in another.
 */
function charactersOf(charset: string, bytes: string): string {
  const raw = Buffer.from(bytes, 'latin1');
  let text: string;
  if (/^utf-?32/.test(charset)) text = fromUtf32(charset, raw);
  else {
    const known = /^utf-?16/.test(charset) ? utf16(charset, bytes) : charset;
    if (known === 'utf-8' || (known === charset && !isAsciiCompatible(charset)))
      return asciiOf(charset, bytes);
    try {
      text = new TextDecoder(known).decode(raw);
    } catch {
      return asciiOf(charset, bytes);
    }
  }
  return Buffer.from(text).toString('latin1').replaceAll('\0', '');
}

/**
 * Its byte order: given by the mark at the beginning, else by the label, else network order (RFC 2781 §4.3).
 */
function utf16(charset: string, bytes: string): string {
  return bytes.startsWith('\xff\xfe') || (charset.endsWith('le') && !bytes.startsWith('\xfe\xff'))
    ? 'utf-16le'
    : 'utf-16be';
}

function fromUtf32(charset: string, bytes: Buffer): string {
  const little =
    bytes.length >= 4 &&
    (bytes.readUInt32LE(0) === 0xfeff || (charset.endsWith('le') && bytes.readUInt32BE(0) !== 0xfeff));
  let text = '';
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    if (code !== 0xfeff || at > 0) text += code <= 0x10ffff ? String.fromCodePoint(code) : '?';
  }
  return text;
}

/** RFC 2152: runs of UTF-16 in base64; `+-` is a plus. */
function fromUtf7(text: string): string {
  return text.replaceAll(/\+([A-Za-z0-9+/]*)-?/g, (_, run: string) => (run === '' ? '+' : base64(run)));
}

/** The letters, digits and signs that all EBCDIC code pages share, with the line ends. */
const FROM_EBCDIC: ReadonlyMap<string, string> = new Map(
  (
    [
      [0x81, 'abcdefghi'],
      [0x91, 'jklmnopqr'],
      [0xa2, 'stuvwxyz'],
      [0xc1, 'ABCDEFGHI'],
      [0xd1, 'JKLMNOPQR'],
      [0xe2, 'STUVWXYZ'],
      [0xf0, '0123456789'],
      [0x40, ' '],
      [0x4b, '.<(+'],
      [0x5c, '*);'],
      [0x60, '-/'],
      [0x6b, ',%_>?'],
      [0x7d, '\'="'],
      [0x7a, ':'],
      [0x15, '\n'],
      [0x25, '\n'],
    ] as const
  ).flatMap(([first, signs]) =>
    Array.from(signs, (sign, i): [string, string] => [String.fromCharCode(first + i), sign]),
  ),
);

function fromEbcdic(bytes: string): string {
  let text = '';
  for (const byte of bytes) text += FROM_EBCDIC.get(byte) ?? byte;
  return text;
}
