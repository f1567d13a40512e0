/**
 * A decision with all its evidence as one line of JSON: what docs/decision-log.schema.json describes. It holds what `decide`
 * needs, so that another policy can judge the same session later.
 *
 * Names and DNS data are a stranger's: everything is ASCII, and cut where a hostile zone would fill the disk.
 */
import type { CheckOutcome } from './core/assess.ts';
import type { Evidence } from './core/check.ts';
import type { DnsAnswer } from './core/recording-resolver.ts';
import { actionOf, type Decision, type Judged } from './decision.ts';
import { jsonString } from './log-value.ts';
import type { Verdict } from './policy.ts';

/** Of the layout; a new field does not change it. */
const RECORD_VERSION = 1;
/** Longest text, in characters, before it is cut with `...`. */
const MAX_TEXT = 1024;
/** Octets of the line after which no more records of a DNS answer are kept. */
const MAX_ANSWER = 4096;

/** The record without its line end. `time` and `connected` are of RFC 3339, in UTC. */
export function decisionRecord(decision: Decision, time: string, connected: string | null): string {
  const { judged, client, exempt } = decision;
  const family = client === null ? 'null' : client.includes(':') ? '6' : '4';
  return (
    `{"version":${RECORD_VERSION},"time":"${time}","connected":${connected === null ? 'null' : `"${connected}"`}` +
    `,"reference":"${decision.reference}","client":{"ip":${nullable(client)},"family":${family}}` +
    `,"helo":${text(decision.helo)},"stage":"${decision.stage}","cache":"${decision.hit}"` +
    `,"sender":${nullable(decision.sender)},"recipient":${nullable(decision.recipient)}` +
    `,"queue":${nullable(decision.queueId)},"action":"${actionOf(decision)}","exempt":${nullable(exempt)}` +
    `,"judged":${judged === null ? 'null' : judgedText(judged)}}`
  );
}

function judgedText({
  assessment,
  verdict,
  policy,
  ownPolicy,
  shadow,
  shadowPolicy,
  access,
  dnsIll,
  elapsedMs,
}: Judged): string {
  const { rejectAt, tempfailAt, require } = policy;
  const findings = verdict.counted.map(
    ({ finding: { id, evidence, provisional }, weight }) =>
      `{"id":"${id}","basis":"${policy.findings.get(id)?.basis ?? 'local'}","weight":${weight}${provisional === true ? ',"provisional":true' : ''},"evidence":${evidenceText(evidence)}}`,
  );
  const shadowText =
    shadow === null || shadowPolicy === null
      ? 'null'
      : `{"preset":"${shadowPolicy.preset}",${verdictMembers(shadow)}}`;
  const { correspondence, optOut, undecided, trouble, settled, mismatch } = assessment;
  const ids = assessment.findings.map(({ id }) => `"${id}"`);
  return (
    `{"policy":{"preset":"${policy.preset}","rejectAt":${rejectAt},"tempfailAt":${tempfailAt},"require":"${require}","own":${ownPolicy !== null}}` +
    `,"verdict":{${verdictMembers(verdict)}},"findings":[${findings.join(',')}],"shadow":${shadowText}` +
    `,"access":${access === null ? 'null' : `{"action":"${access.action}","line":${access.line}}`}` +
    `,"dnsIll":${dnsIll},"elapsedMs":${Math.round(elapsedMs * 1000) / 1000}` +
    `,"assessment":{"correspondence":"${correspondence}","optOut":${optOut},"undecided":${undecided}` +
    `,"trouble":${trouble === null ? 'null' : `"${trouble}"`}` +
    `,"settled":${settled},"mismatch":${mismatch === null ? 'null' : evidenceText(mismatch)}` +
    `,"findings":[${ids.join(',')}],"outcomes":[${assessment.outcomes.map(outcomeText).join(',')}]}` +
    `,"dns":[${assessment.dns.map(answerText).join(',')}]}`
  );
}

function verdictMembers({ disposition, score, stream, cause }: Verdict): string {
  const id = cause === null ? 'null' : `"${cause.id}"`;
  return `"disposition":"${disposition}","score":${score},"stream":"${stream}","cause":${id}`;
}

function outcomeText({ check, result, finding, correspondence, optOut, evidence }: CheckOutcome): string {
  const id = finding === null ? 'null' : `"${finding.id}"`;
  return `{"check":"${check}","result":"${result}","finding":${id},"correspondence":"${correspondence}","optOut":${optOut},"evidence":${evidenceText(evidence)}}`;
}

function evidenceText(evidence: Evidence): string {
  let members = '';
  for (const [key, value] of Object.entries(evidence)) {
    members += `${members === '' ? '' : ','}${jsonString(key)}:${text(value)}`;
  }
  return `{${members}}`;
}

function answerText({ name, type, status, records, ttl }: DnsAnswer): string {
  let list = '';
  let kept = 0;
  for (const record of records) {
    if (kept > 0 && list.length > MAX_ANSWER) break;
    list += `${kept === 0 ? '' : ','}${text(record)}`;
    kept++;
  }
  const omitted = records.length - kept;
  return `{"name":${text(name)},"type":"${type}","status":"${status}","records":[${list}],"ttl":${ttl ?? 'null'}${omitted === 0 ? '' : `,"omitted":${omitted}`}}`;
}

function text(value: string): string {
  return jsonString(value, MAX_TEXT);
}

function nullable(value: string | null): string {
  return value === null ? 'null' : text(value);
}
