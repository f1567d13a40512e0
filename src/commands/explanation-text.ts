/**
 * What `check` tells a person, in the order in which one would ask: what the name is, what DNS says, whether
 * it belongs to the client and who says so, what each preset would do, and what the sender should publish to
 * fix it. Everything a stranger wrote is escaped.
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import type { Assessment, CheckOutcome } from '../core/assessment.ts';
import { isUnknown } from '../core/checks/unknown.ts';
import { registrableDomain } from '../core/domain.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { type Helo, queryName } from '../core/helo.ts';
import { describeExtendedError } from '../dns/extended-errors.ts';
import { escape } from '../log/value.ts';
import { EXEMPTIONS } from '../policy/exemption.ts';
import { denialOf, type Policy, type Verdict } from '../policy/policy.ts';
import { linesOf } from '../advice/words.ts';
import { type Explanation, isOurResolver } from './explanation.ts';
import { makePaint, type Paint } from './paint.ts';
import { table } from './table.ts';

export function explanationText(explanation: Explanation, paint: Paint = makePaint(false)): string {
  const { assessment, remarks, checks, verdict, policy, presets, reply } = explanation;
  // The ways in which a name and a client can be shown to belong together, by check.
  const headings = new Map(
    checks.flatMap(({ name, method }) => (method === undefined ? [] : [[name, method.heading] as const])),
  );
  const { client, correspondence, dns, outcomes } = assessment;
  const lines = [
    `${client.ip?.text ?? 'unknown'} says HELO ${escape(client.helo.text)}`,
    '',
    `The name: ${describeHelo(client.helo)}`,
    // With a dead resolver many checks give the same finding.
    ...new Set(
      outcomes
        .filter(({ check, finding }) => finding !== null && !headings.has(check))
        .map(
          ({ finding }) =>
            `  ${paint.finding(finding?.id ?? '')}: ${policy.findings.get(finding?.id ?? '')?.summary ?? ''}`,
        ),
    ),
    '',
    dns.length === 0 ? 'DNS was not asked' : 'What DNS says',
    ...indented(dns.map((answer) => [answer.name, answer.type, answer.status, answerText(answer)])),
    ...outcomes.flatMap(deniedTopDomain),
    ...(remarks.length === 0 ? [] : ['', 'Worth knowing of these zones']),
    ...indented(remarks.map(({ kind, name, text }) => [kind, escape(`${name} ${text}`)])),
    '',
    'Does the name belong to the client?',
    ...indented(
      outcomes.flatMap((outcome) => methodRow(headings.get(outcome.check), outcome, policy, paint)),
    ),
    `  so: ${correspondence}, stream ${verdict.stream}`,
    ...denials(explanation, paint),
    ...openQuestion(assessment),
    '',
    'What each preset would do',
    ...[...presets].flatMap(([preset, each]) => verdictLines(preset, each, reply(each), paint)),
  ];
  lines.push(...yourLines(explanation, paint));
  return `${[...lines, ...remedy(explanation)].join('\n')}\n`;
}

/** Why an answer that stands in the table counts as none; see `exists`. */
function deniedTopDomain({ finding }: CheckOutcome): string[] {
  if (finding === null || !isUnknown(finding) || finding.evidence['detail'] !== 'denied') return [];
  const question = escape(finding.evidence['question'] ?? '');
  return [
    `  (${question}: a resolver that denies a public top-level domain is cut off or filters, and would have everybody`,
    '  refused, so its denials count as unanswered; docs/failures.md)',
  ];
}

/** The records, with what the resolver said about them. */
function answerText({ records, ttl, authenticated, errors = [] }: DnsAnswer): string {
  const told = [
    ...(ttl === null ? [] : [`TTL ${ttl}`]),
    ...(authenticated === true ? ['DNSSEC'] : []),
    ...errors.map((error) => escape(describeExtendedError(error))),
  ];
  return `${records.map(escape).join(', ')}${told.length === 0 ? '' : ` (${told.join(', ')})`}`.trim();
}

function describeHelo(helo: Helo): string {
  switch (helo.kind) {
    case 'missing':
      return 'none was given';
    case 'invalid':
    case 'literal-malformed':
      return `not in the grammar: ${helo.problem}`;
    case 'bare-ip':
      return `the address ${helo.address.text} without brackets`;
    case 'literal':
      return `the address literal of ${helo.address.text}`;
    case 'domain': {
      if (queryName(helo) === null) return 'a domain that the public DNS cannot hold';
      const owner = registrableDomain(helo.name);
      const whose = owner === null || owner === helo.name ? `the domain ${helo.name}` : `a host of ${owner}`;
      const fake = helo.labels.find(isFakeALabel);
      return fake === undefined ? whose : `${whose}; ${fake} is a fake A-label (RFC 5890 §2.3.2.1)`;
    }
  }
}

/** Whether the label looks encoded, though no text has this encoding. */
function isFakeALabel(label: string): boolean {
  if (!label.startsWith('xn--')) return false;
  // Of a label that is none, Node 20 and 22 make an empty text, and Node 24 leaves it as it is.
  const shown = domainToUnicode(label);
  return shown === label || domainToASCII(shown) !== label;
}

/** One row for a method that had something to say. */
function methodRow(
  heading: string | undefined,
  { result, correspondence, evidence, finding, optOut }: CheckOutcome,
  { findings }: Policy,
  paint: Paint,
): string[][] {
  if (
    heading === undefined ||
    (result === 'none' && correspondence === 'none' && Object.keys(evidence).length === 0)
  ) {
    return [];
  }
  const said = findings.get(finding?.id ?? '')?.said ?? result;
  const proved = optOut ? 'opts out' : correspondence === 'none' ? said : `${said}: ${correspondence}`;
  const details = Object.entries(evidence)
    .filter(([key]) => key !== 'helo' && key !== 'note')
    .map(([key, value]) => `${key}=${escape(value)}`);
  return [
    [heading, proved, [...(finding === null ? [] : [paint.finding(finding.id)]), ...details].join('  ')],
  ];
}

/** Who says no, whatever corresponds. */
function denials({ verdict, policy }: Explanation, paint: Paint): string[] {
  return verdict.counted.flatMap(({ finding }) => {
    const who = { name: 'the owner of the name', client: 'the operator', none: null }[
      denialOf(finding, policy)
    ];
    return who === null ? [] : [`  (${who} says no: ${paint.finding(finding.id)})`];
  });
}

/** What DNS trouble leaves open, and what that is worth. */
function openQuestion({ undecided, trouble, correspondence }: Assessment): string[] {
  if (!undecided || correspondence === 'exact') return [];
  return trouble === 'client'
    ? [
        "  (only the client's own reverse zone did not answer: that excuses no name, but nothing is refused for good on it)",
      ]
    : [
        "  (zones of the name's owner did not answer: until they do, the name is not held against the client)",
      ];
}

function verdictLines(
  title: string,
  { disposition, score, counted }: Verdict,
  reply: string | null,
  paint: Paint,
): string[] {
  const weights = counted
    .filter(({ weight }) => weight > 0)
    .map(({ finding, weight }) => `${paint.finding(finding.id)} ${weight}`);
  return [
    `  ${title.padEnd(12)}  ${paint.disposition(disposition, disposition.padEnd(8))}  score ${score}${weights.length === 0 ? '' : `: ${weights.join(', ')}`}`,
    ...(reply === null ? [] : [`    ${reply}`]),
  ];
}

/** What this installation does, where that is not just what the preset does. */
function yourLines(
  { verdict, policy, presets, reply, yours: { action, exempt, judged, regularsFault } }: Explanation,
  paint: Paint,
): string[] {
  const { access, shadow, shadowPolicy, ownPolicy, session } = judged;
  const preset = presets.get(policy.preset);
  const notes = [
    ...(ownPolicy === null ? [] : [`by the policy of the recipient, ${ownPolicy.preset}`]),
    ...(access === null
      ? []
      : [`line ${access.line} of the access list matches: ${escape(access.source.trim())}`]),
    ...(session.regular
      ? [
          'a regular: known by its mail, so that what DNS does not have and what was inferred is not held against it',
        ]
      : []),
    ...(regularsFault === null ? [] : [`whether it is a regular is not known: ${escape(regularsFault)}`]),
    ...(exempt === null ? [] : [`never refused: ${withoutMarks(EXEMPTIONS[exempt])}`]),
    ...(shadow === null || shadowPolicy === null
      ? []
      : [`the shadow policy ${shadowPolicy.preset} would ${shadow.disposition}, score ${shadow.score}`]),
    ...(action === verdict.disposition
      ? []
      : [`done: ${action}${exempt === null ? ', as you only observe this client' : ''}`]),
  ];
  const isSame = preset?.score === verdict.score && preset.disposition === verdict.disposition;
  if (isSame && notes.length === 0) return [];
  return [
    ...verdictLines('your options', verdict, reply(verdict), paint),
    ...notes.map((note) => `    ${note}`),
  ];
}

/** Without the marks of a page. */
export function withoutMarks(text: string): string {
  return text.replaceAll('`', '');
}

/** What would make every preset content: ways of which one is enough. */
function remedy({ ways, assessment }: Explanation): string[] {
  if (isOurResolver(assessment)) {
    return [
      '',
      'The fault may be in your own resolver: nothing is known against the sender until it answers. "helo-milter doctor"',
      'asks it, and says what to do.',
    ];
  }
  return ways.flatMap((way, i) => {
    const begin = i === 0 ? 'To fix it, the sender' : 'Or it';
    const gap = i === 0 ? [''] : [];
    const lines = linesOf(way).map(escapeLine);
    switch (way.kind) {
      case 'publish':
        return [...gap, `${begin} publishes, if the name is its own:`, ...lines.map((line) => `  ${line}`)];
      case 'other':
        return [...gap, `${i === 0 ? 'To fix it' : 'Or'}: ${lines.join('; ')}.`];
      default:
        return [...gap, `${begin} ${lines.join('; ')}.`];
    }
  });
}

/** Quotes and backslashes are those of a master file, to be pasted. */
function escapeLine(line: string): string {
  return line.replaceAll(/[^\x20-\x7e]/g, escape);
}

function indented(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  return table(rows)
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd());
}
