/**
 * Reads a line of the decision log back: what was done, and the assessment with everything needed to judge
 * the session again. Accepts records of every version (docs/decision-log.schema.json); a field that is left
 * out gets the value that leaving it out means. The texts come from strangers.
 */
import type { Assessment } from '../core/assessment.ts';
import { type Basis, type Check, type Finding, type PresetName, PRESETS } from '../core/check.ts';
import { type MessageFacts, messageFactsOf } from '../core/checks/message.ts';
import { sessionFactsOf } from '../core/checks/session.ts';
import { parseIp } from '../core/ip.ts';
import { type Exemption, isExemption } from '../policy/exemption.ts';
import type { Judged, SessionSeen } from '../policy/judge.ts';
import { type Disposition, DISPOSITIONS, STREAMS, type Verdict } from '../policy/policy.ts';
import { type DecidedAt, type Decision, ENDS, type End } from './decision.ts';
import { Members, RecordError } from './members.ts';
import { type AboutRecord, freshFindings, readAssessment } from './recorded-assessment.ts';

export { RecordError };

/** A decision as it was recorded. Times are Unix times in milliseconds. */
export interface RecordedDecision extends Pick<
  Decision,
  | 'message'
  | 'reference'
  | 'client'
  | 'helo'
  | 'cache'
  | 'sender'
  | 'recipients'
  | 'recipientCount'
  | 'queueId'
  | 'limit'
> {
  readonly version: number;
  readonly time: number;
  readonly connectedAt: number | null;
  readonly stage: DecidedAt;
  readonly action: Disposition;
  /** Null for an exemption of a version that we do not know; then `exemptText` has its word. */
  readonly exempt: Exemption | null;
  readonly exemptText: string | null;
  readonly ramp: Judged['ramp'];
  readonly streamLimit: Judged['streamLimit'];
  /** Null in records of version 1, which were written before the message ended. */
  readonly end: End | null;
  readonly judged: RecordedJudged | null;
}

/** A verdict as it was given. */
export type RecordedVerdict = Pick<Verdict, 'disposition' | 'score' | 'stream'> & {
  readonly cause: string | null;
};

export interface RecordedJudged {
  readonly preset: PresetName;
  /** The recipient's own policy was applied. */
  readonly own: boolean;
  readonly verdict: RecordedVerdict;
  readonly counted: readonly { readonly id: string; readonly basis: Basis; readonly weight: number }[];
  readonly shadow: (RecordedVerdict & { readonly preset: PresetName }) | null;
  readonly access: { readonly action: 'allow' | 'deny'; readonly line: number } | null;
  readonly dnsIll: boolean;
  readonly elapsedMs: number;
  /** The assessment as it is cached: without what was found in this session and in this message. */
  readonly assessment: Assessment;
  readonly session: SessionSeen;
  /** What was found in the header of the message; null if nothing was. */
  readonly message: MessageFacts | null;
  /** Some of the evidence or of the answers did not fit into the record. */
  readonly omitted: boolean;
}

const STAGES: readonly DecidedAt[] = ['helo', 'mail', 'rcpt', 'message'];
const HITS = ['hit', 'miss', 'joined', 'none'] as const;
const BASES = ['form', 'existence', 'declared', 'inferred', 'local', 'dns'] as const;
/** The newest layout that we can read. */
const NEWEST = 2;

/**
 * `checks` are those that are known today. Throws RecordError if the line is no record, or of a newer layout.
 */
export function readRecord(line: string, checks: readonly Check[]): RecordedDecision {
  const record = Members.parse(line);
  const version = record.number('version');
  if (version > NEWEST) throw new RecordError(`version ${version} is newer than this program`);
  const client = record.object('client').maybe('ip');
  const helo = record.text('helo');
  const recipient = record.maybe('recipient');
  const recipients = record.texts('recipients') ?? (recipient === null ? [] : [recipient]);
  const exemptText = record.maybe('exempt');
  const judged = record.maybeObject('judged');
  return {
    version,
    time: record.time('time'),
    connectedAt: record.maybe('connected') === null ? null : record.time('connected'),
    reference: record.text('reference'),
    client,
    helo,
    cache: record.word('cache', HITS),
    stage: record.word('stage', STAGES),
    message: record.number('message', 1),
    sender: record.maybe('sender'),
    recipients,
    recipientCount: record.number('recipientCount', recipients.length),
    queueId: record.maybe('queue'),
    action: record.word('action', DISPOSITIONS),
    exempt: isExemption(exemptText) ? exemptText : null,
    exemptText,
    ramp: record.word('ramp', ['within', 'over', null] as const, null),
    streamLimit: record.word('streamLimit', ['within', 'over', null] as const, null),
    limit: record.word('limit', ['within', 'spent', null] as const, null),
    end: version === 1 ? null : record.word('end', ENDS),
    judged: judged === null ? null : readJudged(judged, { client, helo, version }, checks),
  };
}

function readJudged(judged: Members, about: AboutRecord, checks: readonly Check[]): RecordedJudged {
  const policy = judged.object('policy');
  const shadow = judged.maybeObject('shadow');
  const access = judged.maybeObject('access');
  const found = judged.objects('findings');
  const evidence = new Map(found.map((each) => [each.text('id'), each]));
  const fresh = freshFindings(evidence);
  return {
    preset: policy.word('preset', PRESETS),
    own: policy.flag('own'),
    verdict: readVerdict(judged.object('verdict')),
    counted: found.map((each) => ({
      id: each.text('id'),
      basis: each.word('basis', BASES),
      weight: each.number('weight'),
    })),
    shadow: shadow === null ? null : { ...readVerdict(shadow), preset: shadow.word('preset', PRESETS) },
    access:
      access === null
        ? null
        : { action: access.word('action', ['allow', 'deny'] as const), line: access.number('line') },
    dnsIll: judged.flag('dnsIll'),
    elapsedMs: judged.number('elapsedMs'),
    assessment: readAssessment(judged, about, checks, evidence),
    session: readSession(judged.maybeObject('session'), fresh),
    message: messageFactsOf(fresh),
    omitted: judged.maybeObject('omitted') !== null,
  };
}

function readVerdict(verdict: Members): RecordedVerdict {
  return {
    disposition: verdict.word('disposition', DISPOSITIONS),
    score: verdict.number('score'),
    stream: verdict.word('stream', STREAMS),
    cause: verdict.maybe('cause'),
  };
}

/** Older records only have the findings. */
function readSession(session: Members | null, fresh: readonly Finding[]): SessionSeen {
  const found = sessionFactsOf(fresh);
  const address = session?.maybe('mtaAddress') ?? null;
  return {
    previousHelo: session?.maybe('previousHelo') ?? found.previousHelo,
    regular: session?.flag('regular') ?? false,
    namesSeen: session?.number('namesSeen', found.namesSeen) ?? found.namesSeen,
    mta: {
      name: session?.maybe('mta') ?? found.ourName,
      address: address === null ? null : parseIp(address),
    },
  };
}
