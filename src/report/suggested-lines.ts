/**
 * Lines of an access list that would let a sender in, and how much of what would be hit each lets in: judged
 * again by the code that judges. Nobody else can profit from one: it has the exact addresses, or asks for a
 * proof that only the owner of the very name can give.
 */
import type { Check } from '../core/check.ts';
import { isQueryName } from '../core/domain.ts';
import { AccessList, parseAccess } from '../policy/access.ts';
import { denialOf } from '../policy/policy.ts';
import { type HitCase, type HitSender, isProved } from './hit-sender.ts';
import { NO_PAST } from './replay-past.ts';
import { Replayer, type ReplayOptions } from './replayer.ts';
import { strictestOf } from './tally.ts';

export interface SuggestedLine {
  readonly line: string;
  /** Messages of this sender that would be hit and that it lets in by itself. */
  readonly letsIn: number;
}

export interface SuggestOptions {
  readonly rules: ReplayOptions['rules'];
  readonly checks: readonly Check[];
  /** The last day of the line, `YYYY-MM-DD`. */
  readonly until: string;
  /** Unix time in milliseconds. */
  readonly now: number;
}

/** The subjects of one sender that get a line. */
const MAX_LINES = 5;

/**
 * The lines are meant for the end of the list: what stands there already counts first. A client to which the
 * owner of the name says no gets none, unless it has shown that it belongs to that owner.
 */
export function suggestedLines({ cases }: HitSender, options: SuggestOptions): readonly SuggestedLine[] {
  const bySubject = new Map<string, HitCase[]>();
  for (const each of cases.values()) {
    const subject = subjectOf(each);
    if (subject === null) continue;
    const list = bySubject.get(subject);
    if (list === undefined) bySubject.set(subject, [each]);
    else list.push(each);
  }
  return [...bySubject]
    .map(([subject, hit]) => best(subject, hit, [...cases.values()], options))
    .filter(({ letsIn }) => letsIn > 0)
    .toSorted((a, b) => b.letsIn - a.letsIn)
    .slice(0, MAX_LINES);
}

/** Whom the line is about; a star where the client said no name, so that its address alone counts. */
function subjectOf({ part: { judged } }: HitCase): string | null {
  if (judged === null) return null;
  const { assessment, policy } = judged;
  const { ip, helo } = assessment.client;
  if (ip === null) return null;
  const isDenied = assessment.findings.some((each) => denialOf(each, policy) !== 'none');
  if (isDenied && !isProved(assessment)) return null;
  // A stranger chose the name: what a list would take for a pattern or a suffix is none.
  if (helo.kind === 'domain' && isQueryName(helo.name)) return helo.name;
  return '*';
}

function best(
  subject: string,
  hit: readonly HitCase[],
  all: readonly HitCase[],
  options: SuggestOptions,
): SuggestedLine {
  const { checks, until } = options;
  const clients = new Set(hit.flatMap(({ part }) => part.judged?.assessment.client.ip?.text ?? []));
  const proofs = subject === '*' ? [] : checks.flatMap((check) => proofOf(check, subject));
  const tried = [...proofs, `ip=${[...clients].join(',')}`].map((condition) => {
    const line = `allow ${subject}  ${condition}  until=${until}`;
    return { line, letsIn: effectOf(line, all, options) };
  });
  return tried.reduce((most, each) => (each.letsIn > most.letsIn ? each : most));
}

/** The condition that the client has shown this very name, by its reverse name or a record of the owner. */
function proofOf({ method, provesCorrespondence }: Check, name: string): string[] {
  if (method?.access === undefined || provesCorrespondence !== true) return [];
  const { key, takes } = method.access;
  return [takes === 'pass' ? `${key}=pass` : `${key}=${name}`];
}

function effectOf(line: string, hit: readonly HitCase[], { rules, checks, now }: SuggestOptions): number {
  const added = new AccessList(parseAccess(line, 'suggested', now, checks), () => undefined);
  const access: SuggestOptions['rules']['access'] = {
    match: (assessment, at) => rules.access.match(assessment, at) ?? added.match(assessment, at),
  };
  const rulesThen = { ...rules, access };
  return hit.reduce((sum, { sample, firsts }) => {
    const replayer = new Replayer({ rules: rulesThen, past: NO_PAST });
    const { action } = strictestOf(replayer.replay(sample.record).parts);
    return action === 'accept' ? sum + firsts : sum;
  }, 0);
}
