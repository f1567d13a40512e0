/** Texts of strangers as the page shows them. */
import { escape } from '../src/log/value.ts';

/**
 * Printable ASCII: whatever else a stranger wrote is told by its code, so that nothing can be invisible,
 * change the direction of what follows, or look like something that it is not.
 */
export function inert(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, escape);
}
