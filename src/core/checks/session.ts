/**
 * Checks that need more than the client and DNS: who we are, and what this client said before. They ask DNS
 * nothing, and what they find is no part of what the cache holds.
 */
import {
  type Correspondence,
  type Finding,
  found,
  type FindingSpec,
  none,
  type Outcome,
  pass,
  PROOF_LEAVES_NOTHING,
} from '../check.ts';
import type { Client } from '../client.ts';
import { isWithin } from '../domain.ts';
import { type IpAddress, sameIp } from '../ip.ts';

/** What the session checks may know. Names are canonical. */
export interface SessionFacts {
  /** Names that are ours, with all names below them. */
  readonly ourNames: readonly string[];
  readonly ourAddresses: readonly IpAddress[];
  /** The HELO text this client gave before in the same connection; null if this is its first. */
  readonly previousHelo: string | null;
  /** How many different names this address gave within the churn window, this one included. */
  readonly namesSeen: number;
  /** The number of names above which it is churn. */
  readonly churnLimit: number;
  /** The text with which the operator's list refuses this client; null if it does not. */
  readonly denied: string | null;
  /** Questions about the client were not asked, since its own network had asked for too much at once. */
  readonly shareUsedUp: boolean;
}

/** A check that asks no DNS: it looks at what only the session knows, after the assessment. */
export interface SessionCheck<Id extends string = string, Facts = SessionFacts> {
  readonly name: string;
  readonly findings: Readonly<Record<Id, FindingSpec>>;
  run(client: Client, facts: Facts, correspondence: Correspondence): Outcome<NoInfer<Id>>;
}

/** Declares a session check; the compiler then knows the ids of its findings. */
export function defineSessionCheck<const Id extends string, Facts = SessionFacts>(
  check: SessionCheck<Id, Facts>,
): SessionCheck<Id, Facts> {
  return check;
}

export const claimsUs = defineSessionCheck({
  name: 'claims-us',
  findings: {
    'helo-claims-us': {
      basis: 'local',
      // We are the owner, and say that it is not this client.
      denies: 'name',
      summary: 'the client gives a name or address of ours',
      reference: 'universal practice; RFC 5321 §7.9',
      weight: 10,
      reason: 'nobody outside has our name; a host of ours that its own DNS vouches for is let through',
      why: 'The name or address that was given belongs to the receiver. No other host may use it, and hardly anybody but forgers does.',
      reply: 'HELO {helo}: that is us, not you',
      fix: 'announce the name of your own host',
      cure: 'announce',
    },
  },
  run({ ip, helo }, { ourNames, ourAddresses }, correspondence) {
    if (ip !== null && ourAddresses.some((address) => sameIp(address, ip))) return none();
    if (helo.kind === 'domain') {
      const ours = ourNames.find((name) => isWithin(helo.name, name));
      if (ours === undefined) return pass();
      // A branch office under our domain whose own records name this client is not an impostor.
      if (correspondence === 'exact' || correspondence === 'authorized') return pass({ name: ours });
      return found('helo-claims-us', { helo: helo.text, ours });
    }
    if (helo.kind !== 'literal' && helo.kind !== 'bare-ip') return none();
    const { address } = helo;
    const ours = ourAddresses.some((own) => sameIp(own, address));
    return ours ? found('helo-claims-us', { helo: helo.text, ours: address.text }) : pass();
  },
});

export const heloChanged = defineSessionCheck({
  name: 'changed',
  findings: {
    'helo-changed': {
      basis: 'local',
      summary: 'the client gave another name earlier in the same connection',
      reference: 'RFC 5321 §4.1.4',
      weight: { rfc5321: 2, emailcore: 2, strict: 3 },
      reason: 'a host has one name; a few programs change theirs after STARTTLS, so it is a hint only',
      why: 'A host has one name. Programs that try several are mostly not mail servers.',
      remedies: ['announce'],
      reply: 'HELO {helo}: you said {previous} before',
      fix: 'announce one name',
      excusedByOptOut: true,
      excusedByProof: PROOF_LEAVES_NOTHING,
    },
  },
  run({ helo }, { previousHelo }) {
    if (previousHelo === null || helo.kind === 'missing') return none();
    return previousHelo.toLowerCase() === helo.text.toLowerCase()
      ? pass()
      : found('helo-changed', { helo: helo.text, previous: previousHelo });
  },
});

export const heloChurn = defineSessionCheck({
  name: 'churn',
  findings: {
    'helo-churn': {
      basis: 'local',
      summary: 'the client gave many different names in a short time',
      reference: 'local practice',
      weight: { rfc5321: 2, emailcore: 2, strict: 4 },
      reason: 'typical of malware; also of hosts behind one NAT, so it is a hint only',
      why: 'A host has one name. Many names from one address in a short time are typical of programs that guess.',
      remedies: ['announce'],
      reply: 'HELO {helo}: {names} different names from {client} in a short time',
      fix: 'announce one name',
      excusedByOptOut: true,
      excusedByProof: PROOF_LEAVES_NOTHING,
    },
  },
  run({ helo }, { namesSeen, churnLimit }) {
    if (helo.kind === 'missing') return none();
    return namesSeen > churnLimit
      ? found('helo-churn', { helo: helo.text, names: String(namesSeen) })
      : pass();
  },
});

export const heloDenied = defineSessionCheck({
  name: 'access',
  findings: {
    'helo-denied': {
      basis: 'local',
      denies: 'client',
      summary: "the operator's access list refuses the client",
      reference: 'local policy',
      weight: 10,
      reason: 'the operator said so',
      why: 'The receiver has a rule of its own about this name or address.',
      remedies: ['ask-the-receiver'],
      reply: 'HELO {helo}: {text}',
    },
  },
  run: ({ helo }, { denied }) =>
    denied === null ? none() : found('helo-denied', { helo: helo.text, text: denied }),
});

export const dnsShare = defineSessionCheck({
  name: 'share',
  findings: {
    'dns-share': {
      basis: 'dns',
      summary: "the client's own network used up its share of DNS questions, so something stays unknown",
      reference: 'local practice; RFC 5321 §4.2.5',
      weight: 5,
      reason:
        'otherwise anybody who can make us ask too much could get in under a name that its owner denies; a sender in the same network is only delayed',
      why: 'To see whether a name is right the receiver has to ask DNS. So many names were given from your network that the rest have to wait their turn.',
      remedies: ['try-again'],
      reply: 'HELO {helo} could not be checked: too many names were given from your network; try again later',
      tempfailCode: 451,
      status: '4.3',
    },
  },
  run: ({ helo }, { shareUsedUp }) => (shareUsedUp ? found('dns-share', { helo: helo.text }) : none()),
});

/**
 * What these checks must have been told, going by what they found: for records that do not say it. What was
 * not found counts as not seen.
 */
export function sessionFactsOf(findings: readonly Finding[]): {
  readonly previousHelo: string | null;
  readonly namesSeen: number;
  /** One of our names that the client gave. */
  readonly ourName: string | null;
} {
  const seen = (check: SessionCheck, key: string): string | null =>
    findings.find(({ id }) => Object.hasOwn(check.findings, id))?.evidence[key] ?? null;
  return {
    previousHelo: seen(heloChanged, 'previous'),
    namesSeen: Number(seen(heloChurn, 'names') ?? 1),
    ourName: seen(claimsUs, 'ours'),
  };
}
