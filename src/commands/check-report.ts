/** What `check --json` prints. The names of members are public API. */
import type { Explanation, Yours } from './explanation.ts';
import type { RecordedDecision } from '../decisions/record-reader.ts';
import type { Verdict } from '../policy/policy.ts';

/** The object for one pair. */
export function checkReport(explanation: Explanation): object {
  const { assessment, remarks, verdict, policy, presets, reply, yours, ways } = explanation;
  const { client, correspondence, undecided, trouble, dns } = assessment;
  return {
    version: 1,
    client: { ip: client.ip?.text ?? null, family: client.ip?.family ?? null },
    helo: client.helo.text,
    correspondence,
    undecided,
    trouble,
    stream: verdict.stream,
    findings: verdict.counted.map(({ finding: { id, evidence, provisional = false } }) => ({
      id,
      basis: policy.findings.get(id)?.basis,
      provisional,
      evidence,
    })),
    verdicts: Object.fromEntries(
      [...presets].map(([preset, each]) => [preset, { ...said(each), reply: reply(each) }]),
    ),
    yours: yourReport(yours, reply),
    advice: ways,
    dns,
    remarks,
  };
}

function said({ disposition, score, cause }: Verdict): object {
  return { disposition, score, cause: cause?.id ?? null };
}

/** What this installation does. */
function yourReport({ action, exempt, judged, regularsFault }: Yours, reply: Explanation['reply']): object {
  const { verdict, policy, ownPolicy, access, shadow, shadowPolicy } = judged;
  return {
    action,
    exempt,
    policy: { preset: policy.preset, own: ownPolicy !== null },
    ...said(verdict),
    reply: reply(verdict),
    weights: Object.fromEntries(
      verdict.counted.filter(({ weight }) => weight > 0).map(({ finding, weight }) => [finding.id, weight]),
    ),
    regular: regularsFault === null ? judged.session.regular : null,
    access: access === null ? null : { action: access.action, line: access.line, source: access.source },
    shadow:
      shadow === null || shadowPolicy === null ? null : { preset: shadowPolicy.preset, ...said(shadow) },
  };
}

/** The object for a decision of the past; `evidence` is null where nothing was judged. */
export function pastReport(
  record: RecordedDecision,
  evidence: Explanation | null,
  now: Explanation | null,
): object {
  const { judged } = record;
  return {
    version: 1,
    reference: record.reference,
    time: new Date(record.time).toISOString(),
    stage: record.stage,
    action: record.action,
    exempt: record.exemptText,
    sender: record.sender,
    recipients: record.recipients,
    recipientCount: record.recipientCount,
    queue: record.queueId,
    end: record.end,
    then:
      judged === null
        ? null
        : {
            policy: { preset: judged.preset, own: judged.own },
            ...judged.verdict,
            findings: judged.counted,
            access: judged.access,
            shadow: judged.shadow,
            dnsIll: judged.dnsIll,
            omitted: judged.omitted,
          },
    evidence: evidence === null ? null : checkReport(evidence),
    now: now === null ? null : checkReport(now),
  };
}

/** How an explanation is to be given. */
export interface Manner {
  readonly json: boolean;
  readonly colour: boolean;
}
