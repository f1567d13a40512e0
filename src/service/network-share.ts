/**
 * Which networks belong to a given share of all: by a hash that is the same on every host and after every
 * restart.
 */
import { createHash } from 'node:crypto';

/** The place of a network, given as text, on a scale from 0 to 100. */
export function networkShare(network: string): number {
  const hash = createHash('sha256').update(network).digest();
  return (hash.readUInt32BE(0) / 0x1_0000_0000) * 100;
}
