/**
 * What a sender can do so that its mail is accepted: a few ways, each of which is enough by itself. A way
 * is told only if nothing that would still delay the mail is left once it is gone. All of it is computed
 * from the assessment, without DNS.
 */
import type { Assessment } from '../core/assessment.ts';
import { atLeast, type Correspondence, type Cure, type Finding } from '../core/check.ts';
import { verifiedNames } from '../core/checks/iprev.ts';
import { isMismatch } from '../core/checks/mismatch.ts';
import { canonicalName, isPublicSuffix, isWithin, registrableDomain } from '../core/domain.ts';
import { type Helo, parseHelo, queryName } from '../core/helo.ts';
import { type IpAddress, parseIp, reverseName, sameIp } from '../core/ip.ts';
import { holdsAddress } from '../core/reverse-name.ts';
import { failedMethod, permitByAuthRecord, permitByCsa } from './declared-permits.ts';
import { isEmpty, joined, NO_EDIT, type ZoneEdit } from './edit.ts';
import { answerTo, placeOf, reversePlaceOf } from './place.ts';
import type { PublishedRecord } from './records.ts';
import { identifiesClient, permitBySpf } from './spf-permit.ts';

export type Way =
  | ({ readonly kind: 'publish' } & ZoneEdit)
  /** Say this in HELO: the client's verified reverse name, or its own address literal. */
  | { readonly kind: 'announce'; readonly what: 'reverse-name' | 'literal'; readonly helo: string }
  /** Send through the relay of its provider. */
  | { readonly kind: 'relay' };

/** What a policy holds against the client. */
export interface HeldAgainst {
  readonly finding: Finding;
  readonly cure: Cure | undefined;
  /** More than zero. */
  readonly weight: number;
  /** What would be left of the weight if this were shown. */
  readonly withProof: Readonly<Record<'exact' | 'authorized', number>>;
  /** What would be left of it if the client announced its own literal. */
  readonly withLiteral: number;
}

/** What a way has to satisfy. */
export interface Yardstick {
  readonly held: readonly HeldAgainst[];
  /** The score that must not be reached. */
  readonly tempfailAt: number;
  /** The weakest correspondence with which a name that resolves elsewhere is not held against the client. */
  readonly excuseFrom: Correspondence;
  /** What an own literal weighs by itself. */
  readonly literalWeight: number;
}

/**
 * The ways that satisfy all of these, records to publish first; a host without a name of its own is told
 * first what it can do without one. None where nothing is held against the client.
 */
export function waysOut(assessment: Assessment, yardsticks: readonly Yardstick[]): readonly Way[] {
  const { ip } = assessment.client;
  const held = yardsticks.flatMap((each) => each.held);
  if (held.length === 0 || ip === null) return [];
  const within = (
    left: (each: HeldAgainst, stick: Yardstick) => number,
    more: (stick: Yardstick) => number,
  ): boolean =>
    yardsticks.every(
      (stick) => stick.held.reduce((sum, each) => sum + left(each, stick), more(stick)) < stick.tempfailAt,
    );
  const others: readonly Way[] = [
    ...announcements(assessment, ip, within),
    ...(within(
      ({ cure, weight }) => (cure === undefined ? weight : 0),
      () => 0,
    )
      ? [{ kind: 'relay' } as const]
      : []),
  ];
  // It has no name of its own, and could not keep a record of its address.
  const mayOptOut =
    held.some(({ cure }) => cure === 'opt-out') &&
    within(
      ({ withLiteral }) => withLiteral,
      () => 0,
    );
  const optOut = mayOptOut ? optOutOf(assessment) : null;
  if (optOut !== null) return [...others, { kind: 'publish', ...optOut }];
  const enough: Enough = (gone, shown) =>
    within(
      (each, stick) => leftAfter(each, stick, gone, shown),
      () => 0,
    );
  return [...publications(assessment, ip, held, enough), ...others];
}

/** Declares that this host does not identify itself, where nothing is declared of its name yet. */
function optOutOf({ client, dns }: Assessment): ZoneEdit | null {
  const name = queryName(client.helo);
  if (name === null || !isPublishable(client.helo)) return null;
  const owner = `_auth.${name}`;
  const status = answerTo(dns, owner, 'TXT')?.status;
  if (status !== 'nodata' && status !== 'nxdomain') return null;
  const purpose = 'a host under this name need not identify itself (docs/auth-record.md)';
  return { ...NO_EDIT, put: [{ owner, type: 'TXT', rdata: '"method=none"', purpose }] };
}

/**
 * Whether records of this name may be published by whoever runs the host: not where a registry or a
 * provider of addresses does.
 */
export function isPublishable(helo: Helo): boolean {
  const name = queryName(helo);
  if (name === null || helo.kind !== 'domain' || helo.underscore) return false;
  return !isWithin(name, 'arpa') && !isPublicSuffix(name) && registrableDomain(name) !== null;
}

type Shown = 'exact' | 'authorized';
type Enough = (gone: ReadonlySet<Cure>, shown: readonly Shown[]) => boolean;

function leftAfter(
  { finding, cure, weight, withProof }: HeldAgainst,
  { excuseFrom }: Yardstick,
  gone: ReadonlySet<Cure>,
  shown: readonly Shown[],
): number {
  if (isMismatch(finding)) return shown.some((each) => atLeast(each, excuseFrom)) ? 0 : weight;
  if (cure !== undefined && gone.has(cure)) return 0;
  return Math.min(weight, ...shown.map((proof) => withProof[proof]));
}

/** The sets of records that are enough, the least first. */
function publications(
  assessment: Assessment,
  ip: IpAddress,
  held: readonly HeldAgainst[],
  enough: Enough,
): Way[] {
  const { client, correspondence } = assessment;
  const name = queryName(client.helo);
  if (name === null || !isPublishable(client.helo)) return [];
  const wanted = new Set(held.flatMap(({ cure }) => cure ?? []));
  for (const { cure, finding } of held) {
    const method = cure === 'permit-by-auth-record' ? failedMethod(finding.evidence) : null;
    if (method === 'spf') wanted.add('permit-by-spf');
    if (method === 'csa') wanted.add('permit-by-csa');
  }
  const declared = DECLARED.filter((cure) => wanted.has(cure));
  const reverse = held.some(
    ({ cure, withProof }) =>
      cure === 'give-reverse-name' && Math.min(withProof.exact, withProof.authorized) > 0,
  );
  const way = (more: readonly Cure[]): Way[] => {
    const cures = new Set<Cure>([...declared, ...more]);
    const shown = new Set<Shown>(correspondence === 'exact' ? ['exact'] : []);
    if (cures.has('permit-by-csa') || reverse) cures.add('give-address');
    // With an address it has a name of its own.
    if (cures.has('give-address')) cures.add('opt-out');
    if (reverse) cures.add('give-reverse-name');
    const edit = withoutAlias(editOf(cures, assessment, name, ip, held), assessment, name, ip);
    if (cures.has('give-address')) shown.add('exact');
    if (edit === null || isEmpty(edit)) return [];
    if (cures.has('permit-by-csa') || (cures.has('permit-by-spf') && identifiesClient(edit)))
      shown.add('authorized');
    // A record at a name that only a wildcard had takes the wildcard's address away: without a proof that
    // is no gain.
    if (shown.size === 0 || !enough(cures, [...shown])) return [];
    const proposed =
      cures.has('give-reverse-name') || !wanted.has('give-reverse-name')
        ? []
        : [pointer(name, ip, assessment)];
    return [
      {
        kind: 'publish',
        ...edit,
        put: [...edit.put, ...proposed.map((each) => ({ ...each, optional: true }))],
      },
    ];
  };
  if (declared.some((cure) => cure !== 'permit-by-auth-record')) {
    const least = way([]);
    return least.length > 0 ? least : way(['give-address']);
  }
  return [...way(['give-address']), ...way(['permit-by-spf'])];
}

const DECLARED = [
  'permit-by-spf',
  'permit-by-csa',
  'permit-by-auth-record',
] as const satisfies readonly Cure[];

function editOf(
  cures: ReadonlySet<Cure>,
  { dns, outcomes }: Assessment,
  name: string,
  ip: IpAddress,
  held: readonly HeldAgainst[],
): ZoneEdit | null {
  const records = held
    .filter(({ cure }) => cure === 'permit-by-auth-record')
    .map(({ finding }) => finding.evidence);
  return joined([
    cures.has('give-address') ? giveAddress(name, ip, dns) : NO_EDIT,
    cures.has('give-reverse-name') ? { ...NO_EDIT, put: [pointer(name, ip, { dns })] } : NO_EDIT,
    cures.has('permit-by-spf') ? permitBySpf(name, [ip], dns, outcomes) : NO_EDIT,
    cures.has('permit-by-csa') ? permitByCsa(name, dns) : NO_EDIT,
    ...records.map((evidence) => permitByAuthRecord(evidence, ip, dns)),
  ]);
}

/** Whoever takes the name's alias away takes its address away too. */
function withoutAlias(
  edit: ZoneEdit | null,
  { dns }: Pick<Assessment, 'dns'>,
  name: string,
  ip: IpAddress,
): ZoneEdit | null {
  const removed = edit?.remove.some(({ owner, type }) => owner === name && type === 'CNAME') === true;
  return removed ? joined([giveAddress(name, ip, dns), edit]) : edit;
}

/** The address record of the client, if it is not there; null where it is not known what is there. */
function giveAddress(name: string, ip: IpAddress, dns: Assessment['dns']): ZoneEdit | null {
  const type = ip.family === 4 ? 'A' : 'AAAA';
  const answer = answerTo(dns, name, type);
  if (answer === undefined || answer.status === 'temperror') return null;
  const { owner, remove } = placeOf(name, dns);
  const isThere = answer.records.some((text) => {
    const address = parseIp(text);
    return address !== null && sameIp(address, ip);
  });
  if (isThere && remove.length === 0) return NO_EDIT;
  return {
    ...NO_EDIT,
    put: [{ owner, type, rdata: ip.text, purpose: 'the name leads to the host' }],
    remove,
  };
}

function pointer(name: string, ip: IpAddress, { dns }: Pick<Assessment, 'dns'>): PublishedRecord {
  return {
    owner: reversePlaceOf(reverseName(ip), dns),
    type: 'PTR',
    rdata: `${name}.`,
    purpose: 'the host leads to the name; set by the provider of the address',
  };
}

function announcements(
  { client, outcomes, optOut }: Assessment,
  ip: IpAddress,
  within: (left: (each: HeldAgainst) => number, more: (stick: Yardstick) => number) => boolean,
): Way[] {
  const own = queryName(client.helo);
  const names = verifiedNames(outcomes)
    .map(canonicalName)
    .filter((name) => name !== own && isPublishable(parseHelo(name)));
  const name = names.find((each) => !holdsAddress(each, ip)) ?? names[0];
  const ways: Way[] = [];
  // What its owner declares of that name is not known here; an address of the name is the client's.
  const isEnough = within(
    ({ cure, withProof }) => (cure === undefined || cure === 'give-reverse-name' ? withProof.exact : 0),
    () => 0,
  );
  if (name !== undefined && isEnough) ways.push({ kind: 'announce', what: 'reverse-name', helo: name });
  const isOwnLiteral = client.helo.kind === 'literal' && optOut;
  const mayBeLiteral = within(
    ({ cure, withLiteral }) => (cure === undefined || cure === 'give-reverse-name' ? withLiteral : 0),
    ({ literalWeight }) => literalWeight,
  );
  if (!isOwnLiteral && mayBeLiteral) {
    ways.push({
      kind: 'announce',
      what: 'literal',
      helo: ip.family === 4 ? `[${ip.text}]` : `[IPv6:${ip.text}]`,
    });
  }
  return ways;
}
