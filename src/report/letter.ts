/**
 * The letter to the postmaster of a sender: what we saw, what to publish or to announce, in the words of
 * `advice/`. Strangers' texts are in it, escaped to printable ASCII. They stand behind words of ours or
 * behind blanks, never at the beginning of a line, where mail programs look for commands (`~`, `.`, `From `).
 */
import type { Way } from '../advice/sender-advice.ts';
import { linesOf, hostNameFor } from '../advice/words.ts';
import { canonicalName, isQueryName, registrableDomain } from '../core/domain.ts';
import { escape } from '../log/value.ts';
import { identityOf, organisationsOf } from '../policy/identity.ts';
import type { Judged } from '../policy/judge.ts';
import { waysFor } from '../policy/sender-ways.ts';
import { type ReplyOptions, smtpReply } from '../policy/smtp-reply.ts';
import { toldEvidence } from './evidence.ts';
import { count, timeText } from './figures.ts';
import type { HitCase, HitSender } from './hit-sender.ts';
import { wrap } from './wrap.ts';

export interface Letter {
  /** A guess; null where there is no domain to write to. */
  readonly to: string | null;
  /** Without anything of a stranger's but an address. */
  readonly subject: string;
  /** Lines of printable ASCII, at most 998 octets each (RFC 5322 §2.1.1). */
  readonly body: string;
}

/** Octets of one value of a stranger. */
const MAX_SHOWN = 300;
/** Pairs of name and address that are told. */
const MAX_PAIRS = 4;
const INDENT = '      ';

/** Null where no case of it was kept. */
export function letterTo(sender: HitSender, words: ReplyOptions): Letter | null {
  const cases = mainCases(sender);
  const [main] = cases;
  if (main === undefined) return null;
  const { to, why } = postmasterOf(main);
  const isRefused = cases.some(({ part }) => part.action === 'reject');
  const others = Math.max(0, new Set([...sender.cases.values()].map(clientOf)).size - 1);
  const more = others === 0 ? '' : ` and ${others} more`;
  const paragraphs = [
    wrap(
      'To the postmaster of the host below, or of the domain whose name it gives: ' +
        `we are about to turn on a check of the name that hosts give in HELO and EHLO, and mail from this host would be ${isRefused ? 'refused' : 'delayed'}. ` +
        'Until now we have let it in. We would like to go on receiving it if it is yours.',
    ),
    ...cases.slice(0, MAX_PAIRS).map((each, i) => pairText(each, words, i)),
    wrap(
      'This is what DNS said at the time given. If it has been changed since, nothing needs to be done. ' +
        'If the host is not yours, somebody else uses your name, and this letter tells you so.',
    ),
    [
      wrap(to === null ? `To whom to write: ${why}.` : `Your address is a guess: ${why}.`),
      ...(words.contact === null ? [] : [`Whom to ask: ${shown(words.contact)}`]),
      ...(words.helpUrl === null ? [] : [`More: ${shown(words.helpUrl)}`]),
    ].join('\n'),
  ];
  return {
    to,
    subject: `Mail from ${clientOf(main)}${more} will be ${isRefused ? 'refused' : 'delayed'} for its HELO name`,
    body: `${paragraphs.join('\n\n')}\n`,
  };
}

/** One case of each pair of client and name, those with the most messages first. */
function mainCases({ cases }: HitSender): readonly HitCase[] {
  const pairs = new Map<string, HitCase>();
  const sorted = [...cases.values()].toSorted(
    (a, b) => b.messages - a.messages || b.sample.record.time - a.sample.record.time,
  );
  for (const each of sorted) {
    const { client, helo } = each.sample.record;
    const key = JSON.stringify([client, helo]);
    if (!pairs.has(key)) pairs.set(key, each);
  }
  return [...pairs.values()];
}

/** Canonical, since the record may be anybody's. */
function clientOf({ sample, part }: HitCase): string {
  return (
    part.judged?.assessment.client.ip?.text ?? (sample.record.client === null ? 'an unknown address' : '?')
  );
}

/**
 * The domain of the name, which is the customer's below a private suffix: the records are for whoever holds
 * it. Where it does not exist, or there is none, that of the verified reverse name.
 */
function postmasterOf({ part: { judged } }: HitCase): {
  readonly to: string | null;
  readonly why: string;
} {
  const nobody = { to: null, why: 'no domain is known for this host; whois may tell whose address it is' };
  if (judged === null) return nobody;
  const { domain, reverseDomain } = organisationsOf(judged.assessment);
  const isGone = judged.assessment.dns.some(
    ({ name, status, alias }) =>
      status === 'nxdomain' &&
      alias === undefined &&
      domain !== null &&
      [domain, registrableDomain(domain)].includes(canonicalName(name)),
  );
  const at = (name: string, why: string): { to: string; why: string } => ({ to: `postmaster@${name}`, why });
  if (domain !== null && isQueryName(domain) && !isGone)
    return at(domain, 'it is that of the domain of the HELO name');
  if (reverseDomain !== null && isQueryName(reverseDomain))
    return at(reverseDomain, "it is that of the domain of the host's reverse name");
  return nobody;
}

function pairText({ sample, part, messages }: HitCase, words: ReplyOptions, i: number): string {
  const { record } = sample;
  const { judged, action } = part;
  const name = judged?.assessment === undefined ? null : identityOf(judged.assessment).reverse;
  return [
    `${i + 1}. What we saw`,
    `   HELO or EHLO:  ${shown(record.helo)}`,
    `   address:       ${record.client === null ? 'unknown' : shown(record.client)}`,
    `   reverse name:  ${name === null ? 'none that leads back to the address' : shown(name)}`,
    `   seen:          ${count(messages, 'message')}, the last at ${timeText(record.time)}`,
    `   our reference: ${shown(record.reference)}`,
    ...(judged === null ? [] : [...reasonLines(judged, action, words), '', ...wayLines(waysOfCase(judged))]),
  ].join('\n');
}

function reasonLines(judged: Judged, action: string, words: ReplyOptions): string[] {
  const { verdict, policy, assessment } = judged;
  const reply = smtpReply(verdict, {
    assessment,
    findings: policy.findings,
    words,
    reference: null,
    policy,
  });
  const reasons = verdict.counted.filter(({ weight }) => weight > 0);
  return [
    '',
    `   Why it would be ${action === 'reject' ? 'refused' : 'delayed'}`,
    ...reasons.flatMap(({ finding: { id, evidence } }) => [
      `${INDENT}${policy.findings.get(id)?.summary ?? id} [${id}]`,
      ...toldEvidence(evidence).map(([key, value]) => `${INDENT}  ${key}: ${shown(value)}`),
    ]),
    ...(reply === null
      ? []
      : [
          '   The answer that it would get',
          wrap(`${reply.code} ${reply.enhancedCode} ${shown(reply.text, 600)}`, INDENT),
        ]),
  ];
}

/** The ways that satisfy the policy that hits it. */
export function waysOfCase(judged: Judged): readonly Way[] {
  return waysFor(judged.assessment, [{ verdict: judged.verdict, policy: judged.policy }]);
}

function wayLines(ways: readonly Way[]): string[] {
  if (ways.length === 0) return ['   We know of nothing that we could tell you to publish.'];
  const isOne = ways.length === 1;
  return [
    `   What helps${isOne ? '' : ': any one of these'}`,
    ...ways.flatMap((way, i) => {
      const letter = isOne ? '' : `${String.fromCharCode(97 + i)}) `;
      return [`   ${letter}${wayHeading(way)}`, ...recordLines(way)];
    }),
  ];
}

function wayHeading(way: Way): string {
  switch (way.kind) {
    case 'publish':
      return 'Records in DNS, if the name is yours:';
    case 'announce':
      return way.what === 'literal'
        ? 'Give the address of the host, in brackets, in HELO and EHLO:'
        : 'Give the name that the address already has, in HELO and EHLO:';
    case 'name':
      return `Give ${hostNameFor(way)}, in HELO and EHLO.`;
    case 'relay':
      return 'Send through the mail relay of your provider.';
    case 'other':
      return `${way.text.charAt(0).toUpperCase()}${way.text.slice(1)}.`;
  }
}

function recordLines(way: Way): string[] {
  if (way.kind === 'announce') return [`${INDENT}EHLO ${shown(way.helo)}`];
  return way.kind === 'publish' ? masterLines(way) : [];
}

/** Lines to paste into a zone, after those that are to be removed from it, each with what is to be done. */
export function masterLines(way: Way): string[] {
  return linesOf(way).map((line) => `${INDENT}${folded(masterText(line))}`);
}

/** Quotes and backslashes are those of a master file; other octets are escaped as there (RFC 1035 §5.1). */
function masterText(line: string): string {
  return line.replaceAll(/[^\x20-\x7e]/g, (character) => {
    const code = character.charCodeAt(0);
    return code > 255 ? escape(character) : `\\${String(code).padStart(3, '0')}`;
  });
}

/** A long TXT record gets a line for each of its strings, in parentheses (RFC 1035 §5.1). */
function folded(line: string): string {
  const [, owner, strings, rest] = /^(\S+ IN TXT )((?:"(?:[^"\\]|\\.)*" ?)+)(.*)$/.exec(line) ?? [];
  if (line.length <= MAX_SHOWN || owner === undefined || strings === undefined) return line.slice(0, 900);
  // An escape is not torn.
  const pieces = (strings.match(/"(?:[^"\\]|\\.)*"/g) ?? []).flatMap(
    (text) => text.slice(1, -1).match(/(?:[^"\\]|\\\d{3}|\\.){1,200}/g) ?? [''],
  );
  return [`${owner}(`, ...pieces.map((text) => `${INDENT}  "${text}"`), `${INDENT})${rest ?? ''}`].join('\n');
}

/** Printable ASCII, bounded. */
function shown(text: string, limit = MAX_SHOWN): string {
  const safe = text.slice(0, limit).replaceAll(/[^\x20-\x7e]/g, escape);
  return safe.length < text.length || safe.length > limit ? `${safe.slice(0, limit - 3)}...` : safe;
}
