/** Changes to bytes, such as a hostile or a broken peer makes. */
import type { Random } from './random.ts';

/** Inputs grow no longer than this; what is read from strangers is bounded below it nearly everywhere. */
const MAX_INPUT = 70_000;
/** Octets that formats tend to treat in a way of their own. */
const ODD = Array.from('\0\t\n\r "#%()*,-./:;<=>@[\\]{|}\x7f\x80\xa0\xff', (each) => each.charCodeAt(0));
/** Lengths and counts at the ends of their ranges. */
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

type Change = (input: Buffer, random: Random, words: readonly Buffer[], others: readonly Buffer[]) => Buffer;

const CHANGES: readonly Change[] = [
  (input, random) => with1(input, random, (octet) => octet ^ (1 << random.below(8))),
  (input, random) => with1(input, random, () => random.below(256)),
  (input, random) => with1(input, random, () => random.of(ODD) ?? 0),
  (input, random) => spliced(input, random.below(input.length + 1), 0, Buffer.from([random.of(ODD) ?? 0])),
  (input, random) => spliced(input, random.below(input.length + 1), 1 + random.below(8)),
  (input, random, words) =>
    spliced(input, random.below(input.length + 1), random.below(4), random.of(words) ?? Buffer.alloc(0)),
  (input, random) => {
    const from = random.below(input.length + 1);
    const part = input.subarray(from, from + 1 + random.below(64));
    return spliced(input, random.below(input.length + 1), 0, part);
  },
  (input, random) => {
    const from = random.below(input.length + 1);
    const part = input.subarray(from, from + 1 + random.below(24));
    const many = Buffer.concat(Array.from({ length: 1 + random.below(400) }, () => part));
    return spliced(input, from, 0, many);
  },
  (input, random) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(random.of(NUMBERS) ?? 0);
    const width = random.of([1, 2, 4]) ?? 1;
    return spliced(input, random.below(input.length + 1), width, number.subarray(4 - width));
  },
  (input, random) =>
    spliced(input, random.below(input.length + 1), 0, Buffer.from(String(random.of(NUMBERS)))),
  (input, random, _, others) => {
    const other = random.of(others) ?? input;
    const head = input.subarray(0, random.below(input.length + 1));
    return Buffer.concat([head, other.subarray(random.below(other.length + 1))]);
  },
];

/** Another input made of this one, by one change or several. */
export function mutated(
  input: Buffer,
  random: Random,
  words: readonly Buffer[],
  others: readonly Buffer[],
): Buffer {
  let made = input;
  for (let left = 1 + random.below(4); left > 0; left--) {
    made = random.of(CHANGES)?.(made, random, words, others) ?? made;
  }
  return made.length > MAX_INPUT ? made.subarray(0, MAX_INPUT) : made;
}

function with1(input: Buffer, random: Random, change: (octet: number) => number): Buffer {
  if (input.length === 0) return Buffer.from([random.below(256)]);
  const made = Buffer.from(input);
  const at = random.below(made.length);
  made[at] = change(made[at] ?? 0) & 0xff;
  return made;
}

function spliced(input: Buffer, at: number, gone: number, put: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([input.subarray(0, at), put, input.subarray(at + gone)]);
}
