/**
 * Decisions that are judged alike whatever policy is tried: sorted once, they need not be judged one by one
 * whenever a threshold moves. What depends on the order of messages is left to the replayer.
 */
import type { Assessment } from '../src/core/assessment.ts';
import { parseIp } from '../src/core/ip.ts';
import type { Finding } from '../src/core/check.ts';
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import { exemptRecipient, isTrusted } from '../src/policy/exemption.ts';
import { judge } from '../src/policy/judge.ts';
import { withoutBrackets } from '../src/policy/mailbox.ts';
import type { PageRules } from '../src/report/page-data.ts';
import { messageOf } from '../src/report/replayed.ts';
import { networkName } from '../src/report/tally.ts';

export interface Alike {
  /** One of them. */
  readonly sample: RecordedDecision;
  /** Their places in the list of all decisions, ascending. */
  readonly members: number[];
}

export interface Sorted {
  readonly groups: readonly Alike[];
  /** Places of decisions that have to be judged in their order, ascending. */
  readonly ordered: readonly number[];
}

/** Whether these rules look at nothing but the decision itself, and at how often it was tempfailed. */
function dependsOnOthers(rules: PageRules, followsRegulars: boolean): boolean {
  const { policy, recipients, streamLimits, accessLines } = rules;
  return (
    followsRegulars ||
    policy.ramps.size > 0 ||
    streamLimits.size > 0 ||
    recipients.size > 0 ||
    accessLines > 0
  );
}

/** `byShare`: it matters in which part of all networks the client is. */
export function sortAlike(
  records: readonly RecordedDecision[],
  rules: PageRules,
  { followsRegulars, byShare }: { readonly followsRegulars: boolean; readonly byShare: boolean },
): Sorted {
  if (dependsOnOthers(rules, followsRegulars)) return { groups: [], ordered: records.map((_, i) => i) };
  const groups = new Map<string, Alike>();
  const ordered: number[] = [];
  const messages = records.map(messageOf);
  for (const [i, record] of records.entries()) {
    if (record.stage === 'message' || messages[i] === messages[i - 1] || messages[i] === messages[i + 1]) {
      ordered.push(i);
      continue;
    }
    const key = keyOf(record, rules, byShare);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { sample: record, members: [i] });
    else group.members.push(i);
  }
  return { groups: [...groups.values()], ordered };
}

function keyOf(record: RecordedDecision, rules: PageRules, byShare: boolean): string {
  const { judged, client, exempt, action, recipients } = record;
  const ip = client === null ? null : parseIp(client);
  const kinds = new Set(recipients.map((each) => exemptRecipient(withoutBrackets(each)) ?? 'other'));
  const general = [
    exempt,
    action,
    ip !== null && isTrusted(ip, rules.trusted),
    [...kinds].sort().join(),
    byShare ? Math.floor(rules.enforcement.shareOf(networkName(client))) : '',
  ].join(';');
  if (judged === null) return general;
  const { assessment, session, dnsIll, elapsedMs } = judged;
  const seen = judge(assessment, rules, { session, dnsIll, elapsedMs, at: record.time }).assessment;
  return `${general};${String(dnsIll)};${shapeOf(seen)}`;
}

/** Everything of an assessment that a verdict depends on. */
function shapeOf(assessment: Assessment): string {
  const { client, findings, correspondence, proofs, optOut, undecided, trouble, mismatch, settled } =
    assessment;
  return [
    client.ip === null,
    client.helo.kind === 'missing',
    findings.map(findingShape).join(),
    correspondence,
    proofs.join('+'),
    optOut,
    undecided,
    trouble,
    mismatch === null,
    settled,
  ].join(';');
}

function findingShape({ id, evidence, provisional, atWorst = [], mootBy = [] }: Finding): string {
  const seen = Object.keys(evidence).sort().join('+');
  return [id, seen, provisional === true, atWorst.join('+'), mootBy.join('+')].join('/');
}
