#!/usr/bin/env -S node --max-semi-space-size=8 --initial-old-space-size=64
/**
 * The entry. This file and its static imports are written in the JavaScript of 2018, so that a Node too old
 * for the rest can still say so: no top-level await, no `?.` and no `??` (Node 14).
 *
 * Sessions leave few long-lived objects: a small young generation saves memory and a tenth of the CPU, see
 * bench/.
 */
import { EX_CONFIG } from './commands/exit-codes.ts';
import { NEEDED_NODE, nodeSuffices } from './system/node-version.ts';

if (nodeSuffices(process.version)) {
  void import('./main.ts');
} else {
  process.stderr.write(
    `helo-milter: it needs Node ${NEEDED_NODE}, and this is ${process.version}; README.md says where to get one\n`,
  );
  process.exitCode = EX_CONFIG;
}
