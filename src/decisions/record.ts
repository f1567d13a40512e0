/**
 * A decision with all its evidence as one line of JSON, as docs/decision-log.schema.json describes it. It has
 * what `decide` needs, so that another policy can judge the same session later.
 *
 * Names and DNS data come from strangers: everything is ASCII, and a record has at most 64 KiB with the
 * built-in checks. What a verdict rests on is always there; evidence and DNS answers get the room that is
 * left, and what does not fit is counted.
 */
import type { CheckOutcome } from '../core/assess.ts';
import type { Evidence } from '../core/check.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { actionOf, type Decision, type Judged } from './decision.ts';
import { jsonString } from '../log/value.ts';
import type { Verdict } from '../policy/policy.ts';

/** The version of the layout; a new field does not change it. */
const RECORD_VERSION = 1;
/** Longest text, in characters, before it is cut with `...`. */
const MAX_TEXT = 1024;
/** Octets for the records of a DNS answer; the first may be longer. */
const MAX_ANSWER = 4096;
/** Octets of a record, and the part that the evidence may have. */
export const MAX_RECORD = 65_536;
const MAX_EVIDENCE = 20_480;
/** Octets for what comes after the last answer. */
const TAIL = 128;

/** The room left in a record, in octets, and how many things did not fit. */
class Room {
  left: number;
  omitted = 0;

  constructor(left: number) {
    this.left = left;
  }

  /** Whether the text fits; if so, its room is taken. */
  takes(text: string): boolean {
    if (text.length > this.left) {
      this.omitted++;
      return false;
    }
    this.left -= text.length;
    return true;
  }
}

/** The record without its line end. `time` and `connected` are as in RFC 3339, in UTC. */
export function decisionRecord(decision: Decision, time: string, connected: string | null): string {
  const { judged, client, exempt } = decision;
  const family = client === null ? 'null' : client.includes(':') ? '6' : '4';
  const head =
    `{"version":${RECORD_VERSION},"time":"${time}","connected":${connected === null ? 'null' : `"${connected}"`}` +
    `,"reference":"${decision.reference}","client":{"ip":${nullable(client)},"family":${family}}` +
    `,"helo":${text(decision.helo)},"stage":"${decision.stage}","cache":"${decision.hit}"` +
    `,"sender":${nullable(decision.sender)},"recipient":${nullable(decision.recipient)}` +
    `,"queue":${nullable(decision.queueId)},"action":"${actionOf(decision)}","exempt":${nullable(exempt)}`;
  return `${head},"judged":${judged === null ? 'null' : judgedText(judged, MAX_RECORD - head.length)}}`;
}

/** `most` is the limit for all of it, in octets. */
function judgedText(judged: Judged, most: number): string {
  const room = new Room(MAX_EVIDENCE);
  const first = verdictText(judged, room);
  const answers = new Room(most - first.length - TAIL);
  let dns = '';
  for (const answer of judged.assessment.dns) {
    const text = answerText(answer, answers.left);
    if (answers.takes(text)) dns += dns === '' ? text : `,${text}`;
  }
  const omitted =
    room.omitted + answers.omitted === 0
      ? ''
      : `,"omitted":{"evidence":${room.omitted},"answers":${answers.omitted}}`;
  return `${first},"dns":[${dns}]${omitted}}`;
}

function verdictText(
  { assessment, verdict, policy, ownPolicy, shadow, shadowPolicy, access, dnsIll, elapsedMs }: Judged,
  room: Room,
): string {
  const { rejectAt, tempfailAt, require, excuseFrom } = policy;
  const findings = verdict.counted.map(
    ({ finding: { id, evidence, provisional, atWorst }, weight }) =>
      `{"id":"${id}","basis":"${policy.findings.get(id)?.basis ?? 'local'}","weight":${weight}${provisional === true ? ',"provisional":true' : ''}${atWorst === undefined ? '' : `,"atWorst":${words(atWorst)}`},"evidence":${evidenceText(evidence, room)}}`,
  );
  const shadowText =
    shadow === null || shadowPolicy === null
      ? 'null'
      : `{"preset":"${shadowPolicy.preset}",${verdictMembers(shadow)}}`;
  const { correspondence, proofs, optOut, undecided, trouble, settled, mismatch } = assessment;
  const ids = assessment.findings.map(({ id }) => id);
  return (
    `{"policy":{"preset":"${policy.preset}","rejectAt":${rejectAt},"tempfailAt":${tempfailAt},"require":"${require}","excuseFrom":"${excuseFrom}","own":${ownPolicy !== null}}` +
    `,"verdict":{${verdictMembers(verdict)}},"findings":[${findings.join(',')}],"shadow":${shadowText}` +
    `,"access":${access === null ? 'null' : `{"action":"${access.action}","line":${access.line}}`}` +
    `,"dnsIll":${dnsIll},"elapsedMs":${Math.round(elapsedMs * 1000) / 1000}` +
    `,"assessment":{"correspondence":"${correspondence}","proofs":${words(proofs)},"optOut":${optOut},"undecided":${undecided}` +
    `,"trouble":${trouble === null ? 'null' : `"${trouble}"`}` +
    `,"settled":${settled},"mismatch":${mismatch === null ? 'null' : evidenceText(mismatch, room)}` +
    `,"findings":${words(ids)},"outcomes":[${assessment.outcomes.map((outcome) => outcomeText(outcome, room)).join(',')}]}`
  );
}

/** Words of our own, which need no escape. */
function words(list: readonly string[]): string {
  return list.length === 0 ? '[]' : `["${list.join('","')}"]`;
}

function verdictMembers({ disposition, score, stream, cause }: Verdict): string {
  const id = cause === null ? 'null' : `"${cause.id}"`;
  return `"disposition":"${disposition}","score":${score},"stream":"${stream}","cause":${id}`;
}

function outcomeText(
  { check, result, finding, correspondence, optOut, evidence }: CheckOutcome,
  room: Room,
): string {
  const id = finding === null ? 'null' : `"${finding.id}"`;
  return `{"check":"${check}","result":"${result}","finding":${id},"correspondence":"${correspondence}","optOut":${optOut},"evidence":${evidenceText(evidence, room)}}`;
}

function evidenceText(evidence: Evidence, room: Room): string {
  let members = '';
  for (const [key, value] of Object.entries(evidence)) {
    const member = `${members === '' ? '' : ','}${jsonString(key)}:${text(value)}`;
    if (room.takes(member)) members += member;
  }
  return `{${members}}`;
}

/** An answer with as many records as fit into `room` octets; longer if not even the question fits. */
function answerText(
  { name, type, status, records, ttl, authenticated, errors = [], omitted: before = 0 }: DnsAnswer,
  room: number,
): string {
  const reasons = errors.map(({ code, text: why }) => `{"code":${code},"text":${text(why)}}`);
  const told = `${authenticated === true ? ',"authenticated":true' : ''}${reasons.length === 0 ? '' : `,"errors":[${reasons.join(',')}]`}`;
  const head = `{"name":${text(name)},"type":"${type}","status":"${status}","ttl":${ttl ?? 'null'}${told},"records":[`;
  const most = room - head.length - TAIL;
  let list = '';
  let kept = 0;
  for (const record of records) {
    const item = `${kept === 0 ? '' : ','}${text(record)}`;
    if (list.length + item.length > (kept === 0 ? most : Math.min(most, MAX_ANSWER))) break;
    list += item;
    kept++;
  }
  const omitted = before + records.length - kept;
  return `${head}${list}]${omitted === 0 ? '' : `,"omitted":${omitted}`}}`;
}

function text(value: string): string {
  return jsonString(value, MAX_TEXT);
}

function nullable(value: string | null): string {
  return value === null ? 'null' : text(value);
}
