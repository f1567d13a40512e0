/**
 * Which networks `--enforce-percent` acts on, as the service knows them: by SHA-256, which a browser itself
 * offers only as a promise.
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** The place of a network, given as text, on a scale from 0 to 100; a new function for each page. */
export function shareByNetwork(): (network: string) => number {
  const known = new Map<string, number>();
  return (network) => {
    let share = known.get(network);
    if (share === undefined) {
      const hash = sha256(new TextEncoder().encode(network));
      share = (new DataView(hash.buffer, hash.byteOffset).getUint32(0) / 0x1_0000_0000) * 100;
      known.set(network, share);
    }
    return share;
  };
}
