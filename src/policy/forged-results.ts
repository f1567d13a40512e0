/** `--forged-results`: which Authentication-Results fields are removed from a message. */

/**
 * What is removed: fields of our kind; all with our authserv-id; or none. `all` is for a filter that runs
 * before all others that write such fields.
 */
export const FORGED_RESULTS = ['ours', 'all', 'none'] as const;
export type ForgedResults = (typeof FORGED_RESULTS)[number];
