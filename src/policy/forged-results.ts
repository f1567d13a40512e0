/** `--forged-results`: which Authentication-Results fields are taken off a message. */

/**
 * What is taken off: fields of our kind; all with our authserv-id; or none. `all` is for a filter that stands before all
 * others that write such fields.
 */
export const FORGED_RESULTS = ['ours', 'all', 'none'] as const;
export type ForgedResults = (typeof FORGED_RESULTS)[number];
