/**
 * Reads a line of the decision log back: what was done, and the assessment with everything needed to judge
 * the session again. Accepts records of every version (docs/decision-log.schema.json); a field that is left
 * out gets the value that leaving it out means. The texts come from strangers.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import {
  atLeast,
  type Basis,
  type Check,
  type Correspondence,
  CORRESPONDENCES,
  type Finding,
  NOTHING,
  type PresetName,
  PRESETS,
  type Proof,
  PROOFS,
  RESULTS,
  ZONES,
} from '../core/check.ts';
import { asNeighbour } from '../core/checks/address.ts';
import { messageChecks, sessionChecks } from '../core/checks/index.ts';
import { type MessageFacts, messageFactsOf } from '../core/checks/message.ts';
import { sessionFactsOf } from '../core/checks/session.ts';
import { makeClient } from '../core/client.ts';
import { parseIp } from '../core/ip.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { type Exemption, isExemption } from '../policy/exemption.ts';
import type { Judged, SessionSeen } from '../policy/judge.ts';
import type { Disposition, Stream, Verdict } from '../policy/policy.ts';
import { type DecidedAt, type Decision, ENDS, type End } from './decision.ts';
import { Members, RecordError } from './members.ts';

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

const DISPOSITIONS = ['accept', 'tempfail', 'reject'] as const;
const STREAMS: readonly Stream[] = ['verified', 'unverified', 'failed'];
const STAGES: readonly DecidedAt[] = ['helo', 'mail', 'rcpt', 'message'];
const HITS = ['hit', 'miss', 'joined', 'none'] as const;
const BASES = ['form', 'existence', 'declared', 'inferred', 'local', 'dns'] as const;
const STATUSES = ['nodata', 'nxdomain', 'temperror', 'found'] as const;
/** The newest layout that we can read. */
const NEWEST = 2;

/** The findings and checks of the session and of the message, which are run afresh. */
const FRESH = [...sessionChecks, ...messageChecks];
const FRESH_CHECKS: ReadonlySet<string> = new Set(FRESH.map(({ name }) => name));
const FRESH_IDS: ReadonlySet<string> = new Set(FRESH.flatMap(({ findings }) => Object.keys(findings)));

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

interface About {
  readonly client: string | null;
  readonly helo: string;
  readonly version: number;
}

function readJudged(judged: Members, about: About, checks: readonly Check[]): RecordedJudged {
  const policy = judged.object('policy');
  const shadow = judged.maybeObject('shadow');
  const access = judged.maybeObject('access');
  const found = judged.objects('findings');
  const evidence = new Map(found.map((each) => [each.text('id'), each]));
  const told = (id: string): Finding => readFinding(id, evidence.get(id));
  const fresh = [...evidence.keys()].filter((id) => FRESH_IDS.has(id)).map(told);
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
    assessment: readAssessment(judged, about, checks, told),
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

function readFinding(id: string, finding: Members | undefined): Finding {
  const atWorst = finding?.texts('atWorst') ?? null;
  return {
    id,
    evidence: finding?.evidence('evidence') ?? NOTHING,
    ...(finding?.flag('provisional') === true ? { provisional: true as const } : {}),
    ...(atWorst === null ? {} : { atWorst }),
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

function readAssessment(
  judged: Members,
  { client, helo, version }: About,
  checks: readonly Check[],
  told: (id: string) => Finding,
): Assessment {
  const given = judged.object('assessment');
  const made = given
    .objects('outcomes')
    .filter((each) => !FRESH_CHECKS.has(each.text('check')))
    .map(readOutcome)
    .map((outcome) => (version === 1 ? asNeighbour(outcome) : outcome));
  const ids = given.texts('findings') ?? judged.objects('findings').map((each) => each.text('id'));
  const trouble = given.word('trouble', [...ZONES, null] as const, null);
  const mismatch = given.maybeObject('mismatch');
  const correspondence = given.word('correspondence', CORRESPONDENCES);
  return {
    client: makeClient(client, helo),
    outcomes: inOrder(made, given.texts('passed') ?? [], checks),
    findings: ids.filter((id) => !FRESH_IDS.has(id)).map(told),
    correspondence: version === 1 ? strongest(made, correspondence) : correspondence,
    proofs: (given.texts('proofs') ?? []).filter(isProof),
    optOut: given.flag('optOut'),
    undecided: given.flag('undecided'),
    trouble,
    mismatch: mismatch === null ? null : given.evidence('mismatch'),
    dns: version === 1 ? judged.objects('dns').map(readOldAnswer) : readAnswers(judged.object('dns')),
    settled: given.flag('settled'),
  };
}

function readOutcome(outcome: Members): CheckOutcome {
  const id = outcome.maybe('finding');
  const evidence = outcome.evidence('evidence');
  return {
    check: outcome.text('check'),
    result: outcome.word('result', RESULTS),
    evidence,
    finding: id === null ? null : { id, evidence },
    correspondence: outcome.word('correspondence', CORRESPONDENCES, 'none'),
    optOut: outcome.flag('optOut'),
  };
}

/** The outcome of a check that found nothing at all. */
const plain = (check: string, result: 'pass' | 'none'): CheckOutcome => ({
  check,
  result,
  evidence: NOTHING,
  finding: null,
  correspondence: 'none',
  optOut: false,
});

/** An outcome for every check that is known today, and the outcomes of checks that no longer exist. */
function inOrder(
  made: readonly CheckOutcome[],
  passed: readonly string[],
  checks: readonly Check[],
): CheckOutcome[] {
  const known = new Set(checks.map(({ name }) => name));
  const own = new Map(made.map((outcome) => [outcome.check, outcome]));
  return [
    ...checks.map(({ name }) => own.get(name) ?? plain(name, passed.includes(name) ? 'pass' : 'none')),
    ...made.filter(({ check }) => !known.has(check)),
    ...passed.filter((check) => !known.has(check)).map((check) => plain(check, 'pass')),
  ];
}

/** A neighbour that counted as `aligned` then does not make the whole assessment `aligned` now. */
function strongest(outcomes: readonly CheckOutcome[], recorded: Correspondence): Correspondence {
  if (recorded !== 'aligned') return recorded;
  return outcomes.reduce<Correspondence>(
    (best, outcome) => (atLeast(outcome.correspondence, best) ? outcome.correspondence : best),
    'none',
  );
}

function isProof(word: string): word is Proof {
  return (PROOFS as readonly string[]).includes(word);
}

function readAnswers(dns: Members): DnsAnswer[] {
  return dns.names().flatMap((name) => {
    const types = dns.object(name);
    return types.names().map((type) => readAnswer(name, type, types.object(type)));
  });
}

function readAnswer(name: string, type: string, answer: Members): DnsAnswer {
  const status = STATUSES.find((each) => answer.has(each)) ?? 'found';
  const told = readTold(name, type, answer);
  if (status === 'temperror') return { ...told, status, records: [answer.text(status)], ttl: null };
  if (status !== 'found') return { ...told, status, records: [], ttl: answer.maybeNumber(status) };
  return { ...told, status, records: answer.texts('records') ?? [], ttl: answer.maybeNumber('ttl') };
}

function readOldAnswer(answer: Members): DnsAnswer {
  return {
    ...readTold(answer.text('name'), answer.text('type'), answer),
    status: answer.word('status', STATUSES),
    records: answer.texts('records') ?? [],
    ttl: answer.maybeNumber('ttl'),
  };
}

function readTold(
  name: string,
  type: string,
  answer: Members,
): Pick<DnsAnswer, 'name' | 'type' | 'authenticated' | 'errors' | 'alias' | 'omitted'> {
  const omitted = answer.number('omitted', 0);
  const errors = answer.objects('errors');
  const alias = answer.maybe('alias');
  return {
    name,
    type: type as DnsAnswer['type'],
    ...(answer.flag('authenticated') ? { authenticated: true as const } : {}),
    ...(errors.length === 0
      ? {}
      : { errors: errors.map((each) => ({ code: each.number('code'), text: each.text('text') })) }),
    ...(alias === null ? {} : { alias }),
    ...(omitted === 0 ? {} : { omitted }),
  };
}
