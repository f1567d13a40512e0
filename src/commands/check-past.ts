/** `helo-milter check --ref`: what was decided, and what is to be said about it now. */
import { remarksOn } from '../advice/remarks.ts';
import type { Config } from '../config/config.ts';
import { parseIp } from '../core/ip.ts';
import { LogReader } from '../decisions/log-reader.ts';
import type { RecordedDecision } from '../decisions/record-reader.ts';
import { UsageError } from '../errors.ts';
import { escape } from '../log/value.ts';
import { EXEMPTIONS } from '../policy/exemption.ts';
import { withoutBrackets } from '../policy/mailbox.ts';
import { registryOf } from '../service/registry.ts';
import { resolverOf } from '../service/resolver.ts';
import { asJson } from './as-json.ts';
import { type Manner, pastReport } from './check-report.ts';
import { explain, explainSeen, type Explanation } from './explanation.ts';
import { explanationText, withoutMarks } from './explanation-text.ts';
import { makePaint } from './paint.ts';

interface Past {
  readonly reference: string;
  readonly files: readonly string[];
  readonly config: Config;
}

/**
 * What was decided, what its evidence comes to under the options of now, and what DNS says now. Throws
 * UsageError where no file has the reference.
 */
export async function checkPast({ reference, files, config }: Past, manner: Manner): Promise<string> {
  const { checks } = await registryOf(config);
  const log = await LogReader.open(files, checks, reference);
  const records: RecordedDecision[] = [];
  for await (const each of log) if (each.reference === reference) records.push(each);
  const record = records[0];
  if (record === undefined) {
    const [unread] = log.progress.told;
    throw new UsageError(unread ?? `no decision with the reference "${reference}" is there`);
  }
  const [recipient = null] = record.recipients.map(withoutBrackets);
  const evidence = await evidenceOf(record, recipient, config);
  const now =
    record.client === null
      ? null
      : await explain(record.client, record.helo, config, await resolverOf(config), recipient);
  if (manner.json) return asJson(pastReport(record, evidence, now));
  const paint = makePaint(manner.colour);
  const sections = [
    decisionText(record),
    evidence === null
      ? 'Nothing was looked up for it.\n'
      : `What was seen then, under the options as they are now\n\n${explanationText(evidence, paint)}`,
    now === null ? '' : `What is there now\n\n${explanationText(now, paint)}`,
    ...records.slice(1).map((other) => `The same message, for others\n\n${decisionText(other)}`),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

async function evidenceOf(
  { judged, client, helo }: RecordedDecision,
  recipient: string | null,
  config: Config,
): Promise<Explanation | null> {
  if (judged === null) return null;
  const { assessment: cached, session, dnsIll } = judged;
  const remarks = remarksOn(cached.client, cached.dns);
  const ip = client === null ? null : parseIp(client);
  return explainSeen({ cached, remarks, session, dnsIll }, { client: { ip, helo }, recipient }, config);
}

/** What was done then. Texts of a stranger are escaped. */
function decisionText(record: RecordedDecision): string {
  const {
    reference,
    time,
    action,
    stage,
    exempt,
    exemptText,
    sender,
    recipients,
    recipientCount,
    end,
    judged,
  } = record;
  const more = recipientCount > recipients.length ? ` and ${recipientCount - recipients.length} more` : '';
  const lines = [
    `Decision ${escape(reference)} of ${new Date(time).toISOString()}: ${action} at ${stage}`,
    ...(exemptText === null
      ? []
      : [`  never refused: ${exempt === null ? escape(exemptText) : withoutMarks(EXEMPTIONS[exempt])}`]),
    ...(sender === null ? [] : [`  from ${escape(sender)}`]),
    ...(recipients.length === 0 ? [] : [`  for ${recipients.map(escape).join(', ')}${more}`]),
    ...(record.queueId === null ? [] : [`  queue id ${escape(record.queueId)}`]),
    ...(end === null ? [] : [`  the message was ${END_WORDS[end]}`]),
  ];
  if (judged === null) return `${lines.join('\n')}\n`;
  const { verdict, counted, preset, own, access, dnsIll, omitted } = judged;
  const weights = counted
    .filter(({ weight }) => weight > 0)
    .map(({ id, weight }) => `${escape(id)} ${weight}`);
  return `${[
    ...lines,
    `  ${own ? 'policy of the recipient' : 'policy'} ${preset}: ${verdict.disposition}, score ${verdict.score}${weights.length === 0 ? '' : `: ${weights.join(', ')}`}; stream ${verdict.stream}`,
    ...(access === null ? [] : [`  line ${access.line} of the access list matched (${access.action})`]),
    ...(dnsIll ? ['  the resolver was out of order'] : []),
    ...(omitted ? ['  some of the evidence did not fit into the record'] : []),
  ].join('\n')}\n`;
}

const END_WORDS = {
  accepted: 'accepted',
  refused: 'refused',
  aborted: 'given up, or refused by somebody else',
  unseen: 'let through, and not seen to its end',
} as const;
