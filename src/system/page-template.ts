/** The page as the build has made it. */
import { readFile } from 'node:fs/promises';
import { describeError } from '../errors.ts';

/** From `src/` as from `dist/`. Rejects with an Error that says what to do. */
export async function pageTemplate(): Promise<string> {
  const file = new URL('../../dist/page.html', import.meta.url);
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(`the page has not been built (npm run build): ${describeError(error)}`);
  });
}
