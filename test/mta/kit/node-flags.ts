/** The options of Node with which the program starts itself. */
import { readFileSync } from 'node:fs';

// From the top of the repository, where npm runs scripts: the bench is compiled into another directory.
const [first = ''] = readFileSync('src/cli.ts', 'utf8').split('\n', 1);

/** As the first line of the program has them; tests and the bench start it with the same. */
export const NODE_FLAGS: readonly string[] = first.match(/--\S+/g) ?? [];
