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
/** An event for which a session may have a callback that answers. */
export type CallbackName = (typeof CALLBACKS)[number];
