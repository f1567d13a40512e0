/** Events of the protocol that a callback stands for. */
export const EVENTS = [
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
export type EventName = (typeof EVENTS)[number];
