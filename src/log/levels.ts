/** What `--log-level` accepts; `notice` is written with `info`. */
export const LEVELS = ['error', 'warning', 'info', 'debug'] as const;
