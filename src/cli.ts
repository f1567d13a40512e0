#!/usr/bin/env -S node --max-semi-space-size=2
/**
 * The entry. It and what it imports at once are written in the JavaScript of 2018, so that a Node that is too old for the
 * rest can still say that it is: no top-level await, no `?.` and no `??` (Node 14).
 *
 * Sessions leave little behind that lives on: a small young generation saves memory and a tenth of the CPU, see bench/.
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
