/** Runs a policy test with the code that judges live sessions, and says what came of it. */
import { assess } from '../core/assess.ts';
import { clientAddress } from '../core/embedded.ts';
import { parseHelo } from '../core/helo.ts';
import { parseIp } from '../core/ip.ts';
import type { RecordedDecision } from '../decisions/record-reader.ts';
import { type Asked, type Treatment, treatmentOf } from '../policy/treatment.ts';
import { type Exemption, exemptAddress, isToldByMta } from '../policy/exemption.ts';
import { withoutBrackets } from '../policy/mailbox.ts';
import type { Disposition, Stream } from '../policy/policy.ts';
import { type Rules, settledByText } from '../policy/rules.ts';
import { type Case, type Expected, NO_CAUSE, type CaseSource } from './case.ts';

/** What would be done. Cause, stream and score are null for a client that is never judged. */
export interface Got {
  readonly disposition: Disposition;
  readonly cause: string | null;
  readonly stream: Stream | null;
  readonly score: number | null;
  readonly exempt: Exemption | null;
  /** Line of the access list that matched. */
  readonly access: number | null;
  readonly counted: readonly { readonly id: string; readonly weight: number }[];
}

export interface CaseResult {
  readonly case: Case;
  readonly got: Got;
  /** What is not as expected; empty if the case passes. */
  readonly differs: readonly (keyof Expected)[];
}

/** `now` is Unix time in milliseconds, for a case that has no time. Rejects if a check fails. */
export async function runCase(each: Case, rules: Rules, now: number): Promise<CaseResult> {
  const got = await whatIsDone(each, enforced({ ...rules, access: each.access ?? rules.access }), now);
  const { expected } = each;
  const differs = (['disposition', 'cause', 'stream', 'score'] as const).filter(
    (key) => expected[key] !== null && expected[key] !== got[key],
  );
  return { case: each, got, differs };
}

/** As if everything were acted on: how many networks are is not a matter of the policy. */
function enforced(rules: Rules): Rules {
  return { ...rules, enforcement: { ...rules.enforcement, observe: false, percent: 100 } };
}

async function whatIsDone({ source, recipient, at }: Case, rules: Rules, now: number): Promise<Got> {
  const exempt =
    source.kind === 'zone' ? exemptAddress(source.client, rules) : exemptBefore(source.record, rules);
  if (exempt !== null) return unjudged(exempt);
  if (source.kind === 'record') return fromRecord(source.record, rules, { recipient, at });
  return told(
    treatmentOf(await assessed(source, rules), rules, {
      session: source.session,
      dnsIll: false,
      elapsedMs: 0,
      at: at ?? now,
      recipient,
      message: null,
    }),
  );
}

function assessed(
  { client, helo, resolver }: CaseSource & { readonly kind: 'zone' },
  rules: Rules,
): ReturnType<typeof assess> {
  const { checks, nat64 } = rules;
  return assess(
    { ip: clientAddress(client, nat64), helo: parseHelo(helo) },
    {
      resolver,
      checks,
      onCheckError: (_, error) => {
        throw error;
      },
      settles: (found) => settledByText(found, rules),
    },
  );
}

function fromRecord(
  { judged, time, recipients, stage }: RecordedDecision,
  rules: Rules,
  { recipient, at }: Pick<Case, 'recipient' | 'at'>,
): Got {
  // The MTA let in somebody whom it knows, and nobody looked.
  if (judged === null) return unjudged(null);
  const asked: Asked = {
    session: judged.session,
    dnsIll: judged.dnsIll,
    elapsedMs: judged.elapsedMs,
    at: at ?? time,
    recipient: recipient ?? (recipients[0] === undefined ? null : withoutBrackets(recipients[0])),
    message: stage === 'message' ? judged.message : null,
  };
  return told(treatmentOf(judged.assessment, rules, asked));
}

/** What the MTA told of a session stands; what the configuration says of the address is looked up again. */
function exemptBefore({ client, exempt }: RecordedDecision, rules: Rules): Exemption | null {
  if (isToldByMta(exempt)) return exempt;
  const ip = client === null ? null : parseIp(client);
  return ip === null ? null : exemptAddress(ip, rules);
}

function unjudged(exempt: Exemption | null): Got {
  return {
    disposition: 'accept',
    cause: NO_CAUSE,
    stream: null,
    score: null,
    exempt,
    access: null,
    counted: [],
  };
}

function told({ action, exempt, judged: { verdict, access } }: Treatment): Got {
  return {
    disposition: action,
    cause: verdict.cause?.id ?? NO_CAUSE,
    stream: verdict.stream,
    score: verdict.score,
    exempt,
    access: access?.line ?? null,
    counted: verdict.counted.map(({ finding: { id }, weight }) => ({ id, weight })),
  };
}
