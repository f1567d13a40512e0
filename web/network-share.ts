/**
 * Which networks `--enforce-percent` acts on, as the service knows them: by SHA-256 (FIPS 180-4), which a
 * browser offers only as a promise.
 */

/** The first 32 bits of the fractional parts of roots of the first primes: square or cube roots. */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (isPrime) found.push((root(n) % 1) * 0x1_0000_0000);
  }
  return Uint32Array.from(found);
}

const START = fractions(8, Math.sqrt);
const ROUNDS = fractions(64, Math.cbrt);

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

/** The message with its padding: a one, zeros, and its length in bits. */
function padded(text: string): DataView {
  const octets = new TextEncoder().encode(text);
  const room = new Uint8Array(Math.ceil((octets.length + 9) / 64) * 64);
  room.set(octets);
  room[octets.length] = 0x80;
  const view = new DataView(room.buffer);
  view.setUint32(room.length - 4, octets.length * 8);
  return view;
}

/** The first 32 bits of the hash. */
function firstWord(text: string): number {
  const message = padded(text);
  const state = Uint32Array.from(START);
  const words = new Uint32Array(64);
  for (let block = 0; block < message.byteLength; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = message.getUint32(block + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [x, y] = [words[i - 15] ?? 0, words[i - 2] ?? 0];
      const low = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const high = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      words[i] = (words[i - 16] ?? 0) + low + (words[i - 7] ?? 0) + high;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
    for (let i = 0; i < 64; i++) {
      const mixed = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const one = (h + mixed + ((e & f) ^ (~e & g)) + (ROUNDS[i] ?? 0) + (words[i] ?? 0)) | 0;
      const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    for (const [i, x] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) + x;
  }
  return state[0] ?? 0;
}

/** The place of a network, given as text, on a scale from 0 to 100; a new function for each page. */
export function shareByNetwork(): (network: string) => number {
  const known = new Map<string, number>();
  return (network) => {
    let share = known.get(network);
    if (share === undefined) known.set(network, (share = (firstWord(network) / 0x1_0000_0000) * 100));
    return share;
  };
}
