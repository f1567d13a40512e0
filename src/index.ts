/**
 * The milter as a program may embed it: the whole service by its options, or its parts. The checks are in
 * `helo-milter/core`, the protocol in `helo-milter/milter`.
 * @module
 */
export { Assessor, type AssessorOptions } from './session/assessor.ts';
export { ChurnCounter, type ChurnOptions } from './state/churn.ts';
export { createNodeResolver, type NodeResolverOptions } from './dns/node-resolver.ts';
export { type Enforcement, enforce } from './policy/enforcement.ts';
export { heloMilter, type HeloMilterOptions } from './session/helo-milter.ts';
export { type EventFields, type EventName, EVENTS, type Level, type LogEvent } from './log/events.ts';
export { createLog, type Log, type LogFormat, type LogOptions } from './log/log.ts';
export { type Config, readConfig } from './config/config.ts';
export {
  decide,
  type Disposition,
  makePolicy,
  type Policy,
  type Stream,
  type Verdict,
} from './policy/policy.ts';
export { type Service, startService } from './service/service.ts';
export { smtpReply, type SmtpReply } from './policy/smtp-reply.ts';
export { UsageError } from './errors.ts';
