/**
 * A decision with all its evidence as one line of JSON, as docs/decision-log.schema.json describes it. It has
 * what `decide` needs, so that another policy can judge the same session later.
 *
 * Names and DNS data come from strangers: each text is escaped, whoever it is from, everything is ASCII, and
 * a record has at most 64 KiB with the built-in checks. What a verdict rests on is always there; evidence and
 * DNS answers get the room that is left, and what does not fit is counted.
 */
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import type { Evidence } from '../core/check.ts';
import { checks, messageChecks, sessionChecks } from '../core/checks/index.ts';
import { identityOf } from '../policy/identity.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { actionOf, type Decision } from './decision.ts';
import type { Judged } from '../policy/judge.ts';
import { jsonString } from '../log/value.ts';
import { DEFAULT_REJECT_AT, DEFAULT_TEMPFAIL_AT, LINES, type Verdict } from '../policy/policy.ts';

/** The version of the layout; a new field does not change it. */
const RECORD_VERSION = 2;
/** Longest text, in characters, before it is cut with `...`. */
const MAX_TEXT = 1024;
/** Octets for the records of a DNS answer; the first may be longer. */
const MAX_ANSWER = 4096;
/** Octets of a record, and the part that the evidence may have. */
export const MAX_RECORD = 65_536;
const MAX_EVIDENCE = 20_480;
/** Octets for the list of recipients. */
const MAX_RECIPIENTS = 8192;
/** Octets for what comes after the last answer. */
const TAIL = 128;
/**
 * Octets of a text that is used again: so short that no limit had a part in it. The longest head leaves more
 * than five times that.
 */
const SHORT = 4096;

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

/**
 * The record without its line end. `time` and `connected` are as in RFC 3339, in UTC. Whatever is false, null
 * or as in the preset is left out; `record-reader.ts` puts it back.
 */
export function decisionRecord(decision: Decision, time: string, connected: string | null): string {
  const { judged, client, exempt, limit, recipients, recipientCount } = decision;
  const family = client === null ? 'null' : client.includes(':') ? '6' : '4';
  const head =
    `{"version":${RECORD_VERSION},"time":${text(time)},"connected":${nullable(connected)}` +
    `,"reference":${text(decision.reference)},"client":{"ip":${nullable(client)},"family":${family}}` +
    `,"helo":${text(decision.helo)},"stage":${text(decision.stage)},"cache":${text(decision.cache)}` +
    (decision.message > 1 ? `,"message":${decision.message}` : '') +
    member('sender', decision.sender) +
    member('recipient', recipients[0] ?? null) +
    (recipientCount < 2
      ? ''
      : `,"recipients":${texts(recipients, MAX_RECIPIENTS)},"recipientCount":${recipientCount}`) +
    `${member('queue', decision.queueId)},"action":${text(actionOf(decision))},"end":${text(decision.end)}` +
    member('exempt', exempt) +
    member('limit', limit) +
    member('ramp', judged?.ramp ?? null) +
    member('streamLimit', judged?.streamLimit ?? null);
  return `${head},"judged":${judged === null ? 'null' : judgedText(judged, MAX_RECORD - head.length)}}`;
}

/** An empty text for null. */
function member(name: string, value: string | null): string {
  return value === null ? '' : `,"${name}":${text(value)}`;
}

/** As many as fit into `room` octets. */
function texts(list: readonly string[], room: number): string {
  let members = '';
  for (const each of list) {
    const item = `${members === '' ? '' : ','}${text(each)}`;
    if (members.length + item.length > room) break;
    members += item;
  }
  return `[${members}]`;
}

/**
 * Of verdicts that are given again (`session/recent-verdicts.ts`): three quarters of a record, which are the
 * same each time.
 */
const known = new WeakMap<Judged, string>();

/** `most` is the limit for all of it, in octets. */
function judgedText(judged: Judged, most: number): string {
  const before = known.get(judged);
  if (before !== undefined) return before;
  const made = makeJudgedText(judged, most);
  if (made.length <= SHORT) known.set(judged, made);
  return made;
}

function makeJudgedText(judged: Judged, most: number): string {
  const room = new Room(MAX_EVIDENCE);
  const first = verdictText(judged, room);
  const answers = new Room(most - first.length - TAIL);
  const dns = answersText(judged.assessment.dns, answers);
  const omitted =
    room.omitted + answers.omitted === 0
      ? ''
      : `,"omitted":{"evidence":${room.omitted},"answers":${answers.omitted}}`;
  return `${first},"dns":${dns}${omitted}}`;
}

function verdictText(judged: Judged, room: Room): string {
  const { assessment, verdict, policy, shadow, shadowPolicy, access, dnsIll, elapsedMs } = judged;
  const findings = verdict.counted.map(
    ({ finding: { id, evidence, provisional, atWorst, mightBe }, weight }) =>
      `{"id":${text(id)},"basis":${text(policy.findings.get(id)?.basis ?? 'local')},"weight":${weight}${provisional === true ? ',"provisional":true' : ''}${atWorst === undefined ? '' : `,"atWorst":${words(atWorst)}`}${mightBe === undefined ? '' : `,"mightBe":${words(mightBe)}`},"evidence":${evidenceText(evidence, room)}}`,
  );
  return (
    `{"policy":${policyText(judged)},"verdict":{${verdictMembers(verdict)}},"findings":[${findings.join(',')}]` +
    (shadow === null || shadowPolicy === null
      ? ''
      : `,"shadow":{"preset":${text(shadowPolicy.preset)},${verdictMembers(shadow)}}`) +
    (access === null ? '' : `,"access":{"action":${text(access.action)},"line":${access.line}}`) +
    `${dnsIll ? ',"dnsIll":true' : ''},"elapsedMs":${Math.round(elapsedMs * 1000) / 1000}` +
    `${identityText(assessment)}${sessionText(judged)},"assessment":${assessmentText(judged, room)}`
  );
}

/** The preset, and whatever differs from it. */
function policyText({ policy, ownPolicy }: Judged): string {
  const { preset, rejectAt, tempfailAt, require, excuseFrom } = policy;
  return (
    `{"preset":${text(preset)}` +
    (rejectAt === DEFAULT_REJECT_AT ? '' : `,"rejectAt":${rejectAt}`) +
    (tempfailAt === DEFAULT_TEMPFAIL_AT ? '' : `,"tempfailAt":${tempfailAt}`) +
    (require === LINES[preset].require ? '' : `,"require":${text(require)}`) +
    (excuseFrom === LINES[preset].excuseFrom ? '' : `,"excuseFrom":${text(excuseFrom)}`) +
    `${ownPolicy === null ? '' : ',"own":true'}}`
  );
}

function identityText(assessment: Assessment): string {
  const { domain, reverse, reverseDomain } = identityOf(assessment);
  return member('domain', domain) + member('reverse', reverse) + member('reverseDomain', reverseDomain);
}

function sessionText({ session: { previousHelo, namesSeen, mta, regular } }: Judged): string {
  const members = [
    ...(previousHelo === null ? [] : [`"previousHelo":${text(previousHelo)}`]),
    ...(namesSeen === 1 ? [] : [`"namesSeen":${namesSeen}`]),
    ...(mta.name === null ? [] : [`"mta":${text(mta.name)}`]),
    ...(mta.address === null ? [] : [`"mtaAddress":${text(mta.address.text)}`]),
    ...(regular ? ['"regular":true'] : []),
  ];
  return members.length === 0 ? '' : `,"session":{${members.join(',')}}`;
}

function assessmentText({ assessment, verdict }: Judged, room: Room): string {
  const { correspondence, proofs, optOut, undecided, trouble, settled, mismatch, findings } = assessment;
  const ids = words(findings.map(({ id }) => id));
  const counted = words(verdict.counted.map(({ finding }) => finding.id));
  const spoken = assessment.outcomes.filter((outcome) => !isSilent(outcome));
  const told = spoken.filter((outcome) => !isBare(outcome));
  const passed = spoken.filter(isBare);
  return (
    `{"correspondence":${text(correspondence)},"proofs":${words(proofs)}` +
    `${optOut ? ',"optOut":true' : ''}${undecided ? ',"undecided":true' : ''}` +
    `${trouble === null ? '' : `,"trouble":${text(trouble)}`}${settled ? ',"settled":true' : ''}` +
    (mismatch === null ? '' : `,"mismatch":${evidenceText(mismatch, room)}`) +
    (ids === counted ? '' : `,"findings":${ids}`) +
    (passed.length === 0 ? '' : `,"passed":${words(passed.map(({ check }) => check))}`) +
    `,"outcomes":[${told.map((outcome) => outcomeText(outcome, room)).join(',')}]}`
  );
}

/** Checks of ours that nobody asks for their result: only what they find, show or declare is of interest. */
const SILENT: ReadonlySet<string> = new Set(
  [...checks.filter(({ method }) => method === undefined), ...sessionChecks, ...messageChecks].map(
    ({ name }) => name,
  ),
);

/** The outcome has nothing that a verdict, a line of the access list or a header can rest on. */
function isSilent({ check, result, finding, correspondence, optOut, evidence }: CheckOutcome): boolean {
  if (finding !== null || correspondence !== 'none' || optOut) return false;
  if (SILENT.has(check)) return result === 'pass' || result === 'none';
  return result === 'none' && Object.keys(evidence).length === 0;
}

/** The outcome is a pass and nothing more. */
function isBare({ result, finding, correspondence, optOut, evidence }: CheckOutcome): boolean {
  const plain = finding === null && correspondence === 'none' && !optOut;
  return plain && result === 'pass' && Object.keys(evidence).length === 0;
}

function words(list: readonly string[]): string {
  return `[${list.map((each) => text(each)).join(',')}]`;
}

function verdictMembers({ disposition, score, stream, cause }: Verdict): string {
  return `"disposition":${text(disposition)},"score":${score},"stream":${text(stream)}${member('cause', cause?.id ?? null)}`;
}

function outcomeText(
  { check, result, finding, correspondence, optOut, evidence }: CheckOutcome,
  room: Room,
): string {
  return (
    `{"check":${text(check)},"result":${text(result)}${finding === null ? '' : `,"finding":${text(finding.id)}`}` +
    `${correspondence === 'none' ? '' : `,"correspondence":${text(correspondence)}`}${optOut ? ',"optOut":true' : ''}` +
    `${Object.keys(evidence).length === 0 ? '' : `,"evidence":${evidenceText(evidence, room)}`}}`
  );
}

function evidenceText(evidence: Evidence, room: Room): string {
  let members = '';
  for (const [key, value] of Object.entries(evidence)) {
    const member = `${members === '' ? '' : ','}${jsonString(key)}:${text(value)}`;
    if (room.takes(member)) members += member;
  }
  return `{${members}}`;
}

/** Answers by name and by type: names repeat, and most answers say little. */
function answersText(dns: readonly DnsAnswer[], room: Room): string {
  const byName = new Map<string, string[]>();
  for (const answer of dns) {
    const types = byName.get(answer.name);
    const name = types === undefined ? `,${text(answer.name)}:{}` : '';
    const item = `,${text(answer.type)}:${answerText(answer, room.left - name.length)}`;
    if (!room.takes(name + item)) continue;
    if (types === undefined) byName.set(answer.name, [item]);
    else types.push(item);
  }
  const names = Array.from(byName, ([name, types]) => `${text(name)}:{${types.join('').slice(1)}}`);
  return `{${names.join(',')}}`;
}

/** An answer with as many records as fit into `room` octets; longer if not even its beginning fits. */
function answerText(answer: DnsAnswer, room: number): string {
  const { status, records, ttl, authenticated, errors = [], alias, omitted: before = 0 } = answer;
  const reasons = errors.map(({ code, text: why }) => `{"code":${code},"text":${text(why)}}`);
  const told =
    (authenticated === true ? ',"authenticated":true' : '') +
    (reasons.length === 0 ? '' : `,"errors":[${reasons.join(',')}]`) +
    (alias === undefined ? '' : `,"alias":${text(alias)}`);
  if (status === 'temperror') return `{"temperror":${text(records[0] ?? '')}${told}}`;
  if (status !== 'found') return `{${text(status)}:${ttl ?? 'null'}${told}}`;
  const head = `{"ttl":${ttl ?? 'null'}${told},"records":[`;
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
