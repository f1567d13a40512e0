/**
 * One decision with everything that was recorded of it: every check, every answer of DNS at session time, the
 * reply. All texts are printable ASCII, whoever wrote them.
 */
import type { RecordedDecision, RecordedJudged } from '../src/decisions/record-reader.ts';
import { judge, type Judged, judgeMessage } from '../src/policy/judge.ts';
import { withoutBrackets } from '../src/policy/mailbox.ts';
import { type Disposition, makePolicy, type Policy } from '../src/policy/policy.ts';
import { smtpReply } from '../src/policy/smtp-reply.ts';
import type { PageData, PageRegistry, PageRules } from '../src/report/page-data.ts';
import { inert } from './inert.ts';
import type { WouldBe } from './overview.ts';

export interface Opened {
  readonly facts: readonly (readonly [label: string, text: string])[];
  readonly then: Told;
  readonly now: Told;
  readonly findings: readonly OpenedFinding[];
  readonly checks: readonly OpenedCheck[];
  readonly dns: readonly OpenedAnswer[];
  /** Null where the sender was, or would be, told nothing. */
  readonly replyThen: string | null;
  readonly replyNow: string | null;
  /** Some of it did not fit into the record. */
  readonly omitted: boolean;
}

interface Told {
  readonly action: Disposition;
  readonly score: number | null;
  readonly stream: string | null;
  readonly policy: string | null;
}

interface OpenedFinding {
  readonly id: string;
  readonly summary: string;
  readonly basis: string;
  /** Null where it was not counted then, or would not be now. */
  readonly then: number | null;
  readonly now: number | null;
  readonly evidence: Pairs;
}

type Pairs = readonly (readonly [key: string, value: string])[];

interface OpenedCheck {
  readonly name: string;
  readonly heading: string | null;
  readonly result: string;
  readonly correspondence: string;
  readonly evidence: Pairs;
}

interface OpenedAnswer {
  readonly name: string;
  readonly type: string;
  readonly status: string;
  /** Seconds; null where it is not known. */
  readonly ttl: number | null;
  readonly records: readonly string[];
  readonly notes: readonly string[];
}

interface Circumstances {
  readonly rules: PageRules;
  readonly outcome: WouldBe;
  readonly registry: PageRegistry;
  readonly data: PageData;
}

export function openedOf(record: RecordedDecision, circumstances: Circumstances): Opened {
  const { outcome, rules } = circumstances;
  const { judged } = record;
  const again = judged === null ? null : judgedAgain(record, judged, rules);
  return {
    facts: factsOf(record),
    then: {
      action: record.action,
      score: judged?.verdict.score ?? null,
      stream: judged?.verdict.stream ?? null,
      policy: judged?.preset ?? null,
    },
    now: { action: outcome.now, score: outcome.score, stream: outcome.stream, policy: rules.policy.preset },
    findings: judged === null || again === null ? [] : findingsOfBoth(judged, again, circumstances),
    checks: checksOf(again, circumstances),
    dns: dnsOf(judged),
    ...repliesOf(record, again, circumstances),
    omitted: judged?.omitted ?? false,
  };
}

function judgedAgain(record: RecordedDecision, recorded: RecordedJudged, rules: PageRules): Judged {
  const { assessment, session, dnsIll, elapsedMs, message } = recorded;
  const judged = judge(assessment, rules, { session, dnsIll, elapsedMs, at: record.time });
  return message === null ? judged : judgeMessage(judged, message, rules);
}

function factsOf(record: RecordedDecision): Opened['facts'] {
  const { time, client, helo, sender, recipients, recipientCount, stage, end, queueId, reference } = record;
  const more = recipientCount - recipients.length;
  const to = `${recipients.map(inert).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const given: readonly (readonly [string, string | null])[] = [
    ['Time', `${new Date(time).toISOString().replace('T', ' ').slice(0, 19)} UTC`],
    ['Client', client ?? 'unknown'],
    ['HELO', helo],
    ['From', sender],
    ['To', to === '' ? null : to],
    ['Decided at', stage.toUpperCase()],
    ['End', end],
    ['Exempt', record.exemptText],
    ['Queue id', queueId],
    ['Reference', reference],
    ['Assessment', record.judged === null ? null : `${Math.round(record.judged.elapsedMs)} ms`],
    ['Cache', record.cache],
  ];
  return given.flatMap(([label, text]) =>
    text === null ? [] : [[label, label === 'To' ? text : inert(text)] as const],
  );
}

function findingsOfBoth(
  { counted }: RecordedJudged,
  { verdict, assessment }: Judged,
  { registry }: Circumstances,
): OpenedFinding[] {
  const then = new Map(counted.map(({ id, weight }) => [id, weight]));
  const now = new Map(verdict.counted.map(({ finding, weight }) => [finding.id, weight]));
  const evidence = new Map(
    [...assessment.findings, ...verdict.counted.map(({ finding }) => finding)].map((each) => [
      each.id,
      each.evidence,
    ]),
  );
  return [...new Set([...now.keys(), ...then.keys()])]
    .map((id) => ({
      id: inert(id),
      summary: registry.findings.get(id)?.summary ?? '',
      basis: registry.findings.get(id)?.basis ?? '',
      then: then.get(id) ?? null,
      now: now.get(id) ?? null,
      evidence: pairs(evidence.get(id) ?? {}),
    }))
    .sort((a, b) => (b.now ?? -1) - (a.now ?? -1));
}

function checksOf(again: Judged | null, { registry }: Circumstances): OpenedCheck[] {
  const headings = new Map(registry.checks.map(({ name, method }) => [name, method?.heading ?? null]));
  return (again?.assessment.outcomes ?? []).map(({ check, result, correspondence, evidence }) => ({
    name: inert(check),
    heading: headings.get(check) ?? null,
    result,
    correspondence,
    evidence: pairs(evidence),
  }));
}

function dnsOf(judged: RecordedJudged | null): OpenedAnswer[] {
  return (judged?.assessment.dns ?? []).map((answer) => ({
    name: inert(answer.name),
    type: inert(answer.type),
    status: answer.status,
    ttl: answer.ttl,
    records: answer.records.map(inert),
    notes: [
      ...(answer.authenticated === true ? ['authenticated by DNSSEC'] : []),
      ...(answer.alias === undefined ? [] : [`alias of ${inert(answer.alias)}`]),
      ...(answer.errors ?? []).map(({ code, text }) => `extended error ${code} ${inert(text)}`),
      ...(answer.omitted === undefined ? [] : [`${answer.omitted} more records`]),
    ],
  }));
}

function repliesOf(
  record: RecordedDecision,
  again: Judged | null,
  { outcome, registry, data }: Circumstances,
): Pick<Opened, 'replyThen' | 'replyNow'> {
  const { judged: recorded } = record;
  if (again === null || recorded === null) return { replyThen: null, replyNow: null };
  const replyOf = (verdict: Judged['verdict'], policy: Policy): string | null => {
    const reply = smtpReply(verdict, {
      assessment: again.assessment,
      findings: registry.findings,
      words: {
        ...data.reply,
        templates: new Map(data.reply.templates),
        codes: new Map(data.reply.codes),
      },
      reference: record.reference,
      policy,
      recipient: record.recipients[0] === undefined ? null : withoutBrackets(record.recipients[0]),
    });
    return reply === null ? null : inert(`${reply.code} ${reply.enhancedCode} ${reply.text}`);
  };
  const evidence = new Map(
    [...again.verdict.counted.map(({ finding }) => finding), ...again.assessment.findings].map((each) => [
      each.id,
      each,
    ]),
  );
  const told = (id: string): Judged['verdict']['counted'][number]['finding'] =>
    evidence.get(id) ?? { id, evidence: {} };
  const counted = recorded.counted.map(({ id, weight }) => ({ finding: told(id), weight }));
  const { cause, score, stream } = recorded.verdict;
  return {
    replyThen: replyOf(
      { disposition: record.action, score, stream, cause: cause === null ? null : told(cause), counted },
      makePolicy(recorded.preset, registry.findings),
    ),
    replyNow: replyOf({ ...again.verdict, disposition: outcome.now }, again.policy),
  };
}

function pairs(evidence: Readonly<Record<string, string>>): Pairs {
  return Object.entries(evidence).map(([key, value]) => [inert(key), inert(value)]);
}
