/**
 * Which versions of Node can run the program. A Node of any age must be able to read this file: see cli.ts.
 */

/** The first minor version that will do, for the lines that have one: see `engines` in package.json. */
const FIRST_MINOR: readonly (readonly [line: number, minor: number])[] = [
  [20, 19],
  [22, 13],
];
/** From this line on, any version will do. */
const FIRST_LINE = 24;

/** In the words of the README. */
export const NEEDED_NODE = `${FIRST_MINOR.map(([line, minor]) => `${line}.${minor}+, `).join('')}or ${FIRST_LINE} and later`;

/** `version` is such as `v20.19.2`. */
export function nodeSuffices(version: string): boolean {
  const [line = 0, minor = 0] = version.slice(1).split('.').map(Number);
  return line >= FIRST_LINE || FIRST_MINOR.some(([each, first]) => each === line && minor >= first);
}
