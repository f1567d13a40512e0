/**
 * Short numbers in place of a stranger's text, for tables that must not grow with what strangers write. Each
 * process has a new seed, so that nobody outside can choose texts that collide.
 */
export type TextHash = (text: string) => number;

/** A hash of 32 bits, unsigned. Not for secrets, and different in every process. */
export function textHash(): TextHash {
  const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
  return (text) => {
    let hash = seed;
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x85eb_ca6b);
      hash = (hash << 13) | (hash >>> 19);
    }
    // The finalizer of MurmurHash3: every bit of the text affects every bit of the number.
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  };
}
