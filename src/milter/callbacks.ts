/** The callbacks of a session that belong to an event of the protocol. */
export const CALLBACKS = [
  'connect',
  'helo',
  'mail',
  'rcpt',
  'data',
  'unknown',
  'header',
  'endOfHeaders',
  'body',
  'endOfMessage',
] as const;
export type CallbackName = (typeof CALLBACKS)[number];
