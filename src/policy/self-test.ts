/**
 * The address at which a sender's postmaster can try whether a fault is fixed, without bothering anybody:
 * mail to it is always refused, and the refusal says everything that is held against the client, or that
 * nothing is.
 */
import { type Exemption, EXEMPTIONS } from './exemption.ts';
import type { Judged } from './judge.ts';
import { type Mailbox, parseMailbox } from './mailbox.ts';
import type { Disposition } from './policy.ts';
import {
  contactOf,
  lineLimit,
  type ReplyContext,
  type ReplyOptions,
  type SmtpReply,
  toDo,
  wordsFor,
} from './smtp-reply.ts';
import { clean } from './template.ts';
import { textOfWire } from './written-name.ts';

/** What a test came to: what is done about the client's mail, or `limited`: it asked too often. */
export const SELF_TESTS = ['accept', 'tempfail', 'reject', 'exempt', 'limited'] as const;
export type SelfTestResult = (typeof SELF_TESTS)[number];

/** How often one client network may ask. */
export const SELF_TEST_LIMIT = { count: 20, ageMs: 600_000 } as const;

/**
 * Whether a recipient is one of these addresses, as it came over the wire. Exactly that mailbox: what an MTA
 * makes of an extension (`+`) we do not know, and nobody else's mail may be refused for a test.
 */
export function isSelfTest(path: string, addresses: readonly Mailbox[]): boolean {
  if (addresses.length === 0) return false;
  const { local, domain } = parseMailbox(textOfWire(path));
  return addresses.some((each) => each.local === local && each.domain === domain);
}

export interface SelfTest {
  readonly helo: string;
  /** Null for a client without an address. */
  readonly client: string | null;
  /** Null for a client that is never refused, which is not looked up. */
  readonly judged: Judged | null;
  /** Why nothing is held against the client, whatever was found. */
  readonly exempt: Exemption | null;
  readonly reference: string;
  /** The address of the test as it came, without angle brackets. */
  readonly recipient: string;
  /** The same with them: the MTA may write it before each line. */
  readonly raw: string;
  readonly words: ReplyOptions;
}

export function selfTestResult({ judged, exempt }: Pick<SelfTest, 'judged' | 'exempt'>): SelfTestResult {
  return exempt !== null || judged === null ? 'exempt' : judged.verdict.disposition;
}

/** Code, and the lines of the text. */
export type SelfTestReply = Pick<SmtpReply, 'code' | 'enhancedCode'> & { readonly lines: readonly string[] };

/** For a network that has asked too often. */
export function selfTestLimited(): SelfTestReply {
  const { count, ageMs } = SELF_TEST_LIMIT;
  const line = `[self-test] your network has asked ${count} times in ${ageMs / 60_000} minutes; try again later`;
  return { code: 450, enhancedCode: '4.7.1', lines: [line] };
}

/**
 * The result as a reply. The lines come in the order of use: what is done, the cause, what to do (each whole
 * or not at all), the other findings, each with what to do about it, whom to ask.
 */
export function selfTestReply(test: SelfTest): SelfTestReply {
  const limit = lineLimit(test.raw);
  const all = [summary(test), ...(test.judged === null ? [] : heldLines(test.judged, test)), ending(test)];
  return { code: 550, enhancedCode: '5.7.1', lines: all.filter((line) => line.length <= limit) };
}

const DONE: Readonly<Record<Disposition, string>> = {
  accept: 'let in',
  tempfail: 'delayed',
  reject: 'refused',
};

function summary({ helo, client, judged, exempt }: SelfTest): string {
  const who = `${client ?? 'a client without an address'} as ${helo === '' ? 'nobody (no HELO)' : clean(helo, 100)}`;
  if (judged === null || exempt !== null) {
    const why = exempt === null ? 'it is never refused' : EXEMPTIONS[exempt].replaceAll('`', '');
    const found = judged !== null && held(judged).length > 0 ? '; for others it would be as follows' : '';
    return `[self-test] ${who}: this client is exempt here, because ${why}: nothing is held against it${found}`;
  }
  const { verdict, policy, action, dnsIll, session } = judged;
  const { disposition, score, stream } = verdict;
  const lines = `score ${score}, delayed from ${policy.tempfailAt}, refused from ${policy.rejectAt}; stream ${stream}`;
  const result =
    action === disposition
      ? `its mail is ${DONE[disposition]}`
      : `its mail is let in while we only watch, and would be ${DONE[disposition]}`;
  const nothing = held(judged).length === 0 ? ', and nothing is held against it' : '';
  const known = session.regular ? '; it is known here by its mail' : '';
  const ill = dnsIll ? '; our DNS is out of order now, so ask again later' : '';
  return `[self-test] ${who}: ${result}${nothing} (${lines})${known}${ill}`;
}

function held({ verdict }: Judged): Judged['verdict']['counted'] {
  return verdict.counted.filter(({ weight }) => weight > 0);
}

/** Nothing at all is to be left of what is held against the client. */
const NOTHING_LEFT = Number.MIN_VALUE;

function heldLines(judged: Judged, test: SelfTest): string[] {
  const { verdict, policy, assessment } = judged;
  const context: ReplyContext = {
    assessment,
    findings: policy.findings,
    words: test.words,
    reference: test.reference,
    policy,
  };
  const strict: ReplyContext = { ...context, policy: { ...policy, tempfailAt: NOTHING_LEFT } };
  const [first, ...others] = held(judged).toSorted(
    (a, b) =>
      Number(b.finding === verdict.cause) - Number(a.finding === verdict.cause) || b.weight - a.weight,
  );
  if (first === undefined) return [];
  const said = ({ finding, weight }: typeof first): string =>
    `[${finding.id}] ${wordsFor(finding, context)} (${weight})`;
  // What is refused is told what lets it in; what is let in all the same, what is good to change.
  const isLetIn = verdict.disposition === 'accept';
  const all = toDo(verdict, isLetIn ? strict : context);
  const lines = [said(first), ...all.map((clause, i) => `  ${i === 0 ? 'to do: ' : 'or '}${clause}`)];
  for (const each of others) {
    const own = toDo({ ...verdict, cause: each.finding, counted: [each] }, strict);
    lines.push(said(each), ...own.slice(0, 1).map((clause) => `  to do: ${clause}`));
  }
  return lines;
}

function ending({ words, recipient, reference, judged }: SelfTest): string {
  const id = judged?.verdict.cause?.id;
  const page = words.helpUrl === null || id === undefined ? '' : `; see ${words.helpUrl}#${id}`;
  return `This address only answers, and keeps no mail${page}${contactOf(words, recipient)} (ref ${reference})`;
}
