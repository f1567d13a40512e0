/**
 * The checks for an SMTP server that is written in Node: everything from a client and its HELO to the words
 * of the reply, without a milter. Facts (`assess`), what a policy makes of them (`decide`), what the client
 * is told (`smtpReply`), and a resolver that asks DNS. docs/core.md has a server that does it.
 *
 * @example
 * ```ts
 * import * as core from 'helo-milter/core';
 *
 * const client = core.makeClient('192.0.2.1', 'mail.example.org');
 * const [resolver, onCheckError] = [core.createNodeResolver(), console.error];
 * const assessment = await core.assess(client, { resolver, checks: core.checks, onCheckError });
 * assessment.correspondence; // 'exact', 'authorized', 'aligned', 'near' or 'none'
 * const verdict = core.decide(assessment, core.makePolicy('emailcore', core.findings));
 * verdict.disposition; // 'accept', 'tempfail' or 'reject'
 * ```
 * @module
 */

// The assessment.
export { assess, type AssessOptions, type OnCheckError, type Settles, withSession } from './core/assess.ts';
export type { Assessment, CheckOutcome } from './core/assessment.ts';
export { withMismatch } from './core/conclude.ts';
export { type Client, makeClient } from './core/client.ts';
export { type ClientNetworks, type NetworkKind, networksOf } from './core/client-networks.ts';
export { checks, findings, findingsOf, messageChecks, sessionChecks } from './core/checks/index.ts';
export type { MessageFacts } from './core/checks/message.ts';
export { defineSessionCheck, type SessionCheck, type SessionFacts } from './core/checks/session.ts';
export type { DnsAnswer } from './core/recording-resolver.ts';

// For writing checks.
export {
  type AccessCondition,
  atLeast,
  type Check,
  type CheckAnswer,
  type Correspondence,
  CORRESPONDENCES,
  defineCheck,
  found,
  type Method,
  none,
  normalise,
  type Outcome,
  pass,
  type Result,
  RESULTS,
  type ResultWords,
  temperror,
  type Zone,
  ZONES,
} from './core/check.ts';
export type { UnknownId } from './core/checks/unknown.ts';
export {
  type Basis,
  type Denial,
  DENIALS,
  type Evidence,
  type ExcusedByProof,
  type Finding,
  type FindingSpec,
  NOTHING,
  type PresetName,
  PRESETS,
  type Proof,
  PROOF_LEAVES_NOTHING,
  PROOFS,
  type Weight,
} from './core/finding.ts';

// Names, addresses and methods, each useful by itself.
export {
  type AuthBlock,
  type AuthMethods,
  type AuthOptions,
  type AuthOutcome,
  type AuthRecord,
  checkAuthRecord,
  type HeloList,
  parseAuthRecord,
} from './core/auth-record/index.ts';
export type { Reference } from './core/auth-record/record.ts';
export { checkCsa, type CsaOutcome } from './core/csa.ts';
export {
  canonicalName,
  isPublicSuffix,
  isQueryName,
  isWithin,
  organisation,
  registrableDomain,
  selfAndParents,
} from './core/domain.ts';
export {
  hasNumericTld,
  type Helo,
  type HeloDomain,
  type HeloLiteral,
  parseHelo,
  queryName,
  specialUseDomain,
} from './core/helo.ts';
export {
  type IpAddress,
  ipFromBytes,
  type IpPrefix,
  ipv6Nibbles,
  isLoopback,
  isPrivateAddress,
  networkText,
  parseIp,
  parsePrefix,
  prefixContains,
  reverseName,
  sameIp,
  sharesPrefix,
} from './core/ip.ts';
export { type Iprev, iprev } from './core/iprev.ts';
export {
  checkHelo,
  checkHost,
  type SpfOptions,
  type SpfOutcome,
  type SpfRequest,
  type SpfResult,
} from './core/spf/index.ts';

// DNS: what a resolver is, and the resolvers that there are.
export {
  type Answer,
  type AnswerRemarks,
  type ExtendedError,
  MAX_RECORDS,
  MAX_TEXT,
  type RecordData,
  type RecordType,
  type Resolver,
} from './core/resolver.ts';
export {
  QUERY_BUDGET,
  type Recording,
  recordingResolver,
  REVERSE_BUDGET,
} from './core/recording-resolver.ts';
export type { Unasked } from './core/unasked.ts';
export { Asker, type SharedResolver } from './dns/asker.ts';
export { type DeadlineResolver, withDeadline } from './dns/deadline.ts';
export {
  createStubResolver as createNodeResolver,
  type StubResolverOptions as NodeResolverOptions,
} from './dns/stub-resolver.ts';
export { ServerAddressError, type ServersOptions } from './dns/server-address.ts';
export type { SharedQuestions } from './dns/shared-questions.ts';
export { zoneFileResolver } from './dns/zone-file.ts';
export { FileError, UsageError } from './errors.ts';

// From facts to action and reply.
export { decide, type DecidedWith } from './policy/decide.ts';
export {
  type CountedFinding,
  type Disposition,
  makePolicy,
  type Policy,
  type PolicyChanges,
  type Stream,
  type Verdict,
  worthwhile,
} from './policy/policy.ts';
export { settles } from './policy/weight.ts';
export { type Enforcement, enforce } from './policy/enforcement.ts';
export { type ReplyContext, type ReplyOptions, smtpReply, type SmtpReply } from './policy/smtp-reply.ts';
