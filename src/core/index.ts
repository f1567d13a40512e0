/**
 * The shared HELO-check core: from (client, HELO) and a Resolver to an Assessment. It opens no socket, reads
 * no clock and knows neither milters nor policies, so it can serve any MTA, a policy daemon or a command
 * line.
 *
 * @example
 * ```ts
 * import { assess, checks, makeClient } from 'helo-milter/core';
 *
 * const assessment = await assess(makeClient('192.0.2.1', 'mail.example.org'), resolver, checks,
 * console.error); assessment.correspondence; // 'exact', 'authorized', 'aligned' or 'none'
 * ```
 * @module
 */
export * from './assess.ts';
export { type AuthOutcome, type AuthRecord, checkAuthRecord, parseAuthRecord } from './auth-record/index.ts';
export * from './check.ts';
export { checks, findings, findingsOf, messageChecks, sessionChecks } from './checks/index.ts';
export type { MessageFacts } from './checks/message.ts';
export type { SessionCheck, SessionFacts } from './checks/session.ts';
export * from './client.ts';
export * from './csa.ts';
export * from './domain.ts';
export * from './helo.ts';
export * from './ip.ts';
export * from './iprev.ts';
export * from './recording-resolver.ts';
export * from './resolver.ts';
export {
  checkHelo,
  checkHost,
  type SpfOptions,
  type SpfOutcome,
  type SpfRequest,
  type SpfResult,
} from './spf/index.ts';
