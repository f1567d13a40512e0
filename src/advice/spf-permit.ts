/** How the SPF record of a name comes to permit a client, whatever the record says now. */
import type { CheckOutcome } from '../core/assessment.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { parseSpfRecord, selectSpfRecords } from '../core/spf/record.ts';
import { emptyWidth, noteRecord, tooWide } from '../core/spf/width.ts';
import { NO_EDIT, type ZoneEdit } from './edit.ts';
import { answerTo, placeOf } from './place.ts';
import { quotedText } from './records.ts';

/**
 * Octets of a record that we would write for somebody: what a name server still sends over UDP to
 * everybody.
 */
const MOST_OCTETS = 1200;

/**
 * The clients, one or several, go first, so that nothing else in the record is looked at: a limit that
 * other terms exceed, and a host that an `include` names in vain, no longer matter. Two records are a
 * permerror (RFC 7208 §4.5), so there is never a second one. Null where it is not known what is there.
 */
export function permitBySpf(
  name: string,
  ips: readonly IpAddress[],
  dns: readonly DnsAnswer[],
  outcomes: readonly CheckOutcome[],
): ZoneEdit | null {
  const term = [...ips, ...tunnelEnd(outcomes)].map(({ family, text }) => `ip${family}:${text}`).join(' ');
  const answer = answerTo(dns, name, 'TXT');
  if (answer === undefined || answer.status === 'temperror') return null;
  const { owner, remove } = placeOf(name, dns);
  // With the alias goes what it led to.
  const texts = remove.length > 0 ? [] : spfTexts(answer, outcomes);
  const [first, ...rest] = texts;
  if (first === undefined) {
    // Other hosts may use the name too, and a record that denies all but this one would cost them their mail.
    const others = hasAddress(name, dns) && remove.length === 0 ? ' a' : '';
    const rdata = quotedText(`v=spf1 ${term}${others}`);
    return {
      ...NO_EDIT,
      put: [{ owner, type: 'TXT', rdata, purpose: 'SPF for the HELO name' }],
      remove,
    };
  }
  const isSound = rest.length === 0 && (isCut(first) || !('problem' in parseSpfRecord(first)));
  return {
    ...NO_EDIT,
    change: [
      isSound
        ? {
            owner,
            type: 'TXT',
            from: first,
            to: isCut(first) ? null : first.replace(/^v=spf1/i, (version) => `${version} ${term}`),
            insert: { text: term, after: 'v=spf1' },
          }
        : { owner, type: 'TXT', from: first, to: repaired(term, texts), insert: null },
    ],
    remove: rest.map((text) => ({ owner, type: 'TXT' as const, rdata: text })),
  };
}

/**
 * The IPv4 address at the end of the client's tunnel, where something speaks for the client by that one: an
 * SPF record for the client alone would take it away where an `_auth` record wants both.
 */
function tunnelEnd(outcomes: readonly CheckOutcome[]): IpAddress[] {
  const ends = outcomes.flatMap(({ evidence: { embedded = '' } }) => parseIp(embedded) ?? []);
  return ends.slice(0, 1);
}

/**
 * Whether a pass of the record identifies the client: one that permits nearly everybody does not, wherever
 * the client stands.
 */
export function identifiesClient({ change }: ZoneEdit): boolean {
  return change
    .filter(({ insert }) => insert === null || insert.after.startsWith('v='))
    .every(({ to }) => {
      const record = to === null ? null : parseSpfRecord(to);
      if (record === null || 'problem' in record) return false;
      const width = emptyWidth();
      noteRecord(width, record);
      return tooWide(width) === null;
    });
}

/** The SPF records of an answer, from the evidence where the answer was cut. */
function spfTexts({ records }: DnsAnswer, outcomes: readonly CheckOutcome[]): string[] {
  const seen = outcomes.flatMap(({ evidence: { record = '' } }) => selectSpfRecords([record]));
  const kept = selectSpfRecords(records).map((text) =>
    isCut(text) ? (seen.find((whole) => whole.startsWith(text.slice(0, -3))) ?? text) : text,
  );
  return kept.length === 0 ? seen.slice(0, 1) : kept;
}

function hasAddress(name: string, dns: readonly DnsAnswer[]): boolean {
  return (['A', 'AAAA'] as const).some((type) => answerTo(dns, name, type)?.status === 'found');
}

function isCut(text: string): boolean {
  return text.endsWith('...');
}

/**
 * One record with every term of these that can be read; the last word about everybody else is that of the
 * last record.
 */
function repaired(term: string, texts: readonly string[]): string {
  const terms: string[] = [];
  const modifiers = new Map<string, string>();
  let all = '';
  for (const text of texts) {
    const words = text.split(' ').slice(1);
    for (const word of isCut(text) ? words.slice(0, -1) : words) {
      const parsed = parseSpfRecord(`v=spf1 ${word}`);
      if (word === '' || 'problem' in parsed) continue;
      const [directive] = parsed.directives;
      const modifier = /^([a-z][a-z0-9_.-]*)=/i.exec(word)?.[1]?.toLowerCase();
      if (modifier !== undefined) modifiers.set(modifier, modifiers.get(modifier) ?? word);
      else if (directive?.mechanism.kind === 'all') all = word;
      else if (!terms.includes(word)) terms.push(word);
    }
  }
  // Beside an `all` a redirect is never looked at (RFC 7208 §6.1).
  if (all !== '') modifiers.delete('redirect');
  const whole = ['v=spf1', term, ...terms, all, ...modifiers.values()]
    .filter((word) => word !== '')
    .join(' ');
  return whole.length <= MOST_OCTETS ? whole : `v=spf1 ${term}`;
}
