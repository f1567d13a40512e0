/**
 * What a sender can do so that its mail is accepted: a few ways, each of which is enough by itself. A way
 * is told only if nothing that would still delay the mail is left once it is gone. All of it is computed
 * from the assessment, without DNS.
 */
import type { Assessment } from '../core/assessment.ts';
import { atLeast, type Correspondence, type Cure, type Finding } from '../core/check.ts';
import { verifiedNames } from '../core/checks/iprev.ts';
import { isMismatch } from '../core/checks/mismatch.ts';
import { canonicalName, isWithin, registrableDomain } from '../core/domain.ts';
import { type Helo, parseHelo, queryName } from '../core/helo.ts';
import { type IpAddress, literalText, parseIp, reverseName, sameIp } from '../core/ip.ts';
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
  /**
   * Say a name in HELO that has this address, the client's. `orSpf`: one whose SPF record permits it will do.
   */
  | { readonly kind: 'name'; readonly address: string; readonly orSpf: boolean }
  /** Send through the relay of its provider. */
  | { readonly kind: 'relay' }
  /** What else there is to do about what was found, in the imperative. */
  | { readonly kind: 'other'; readonly text: string };

/** What a policy holds against the client. */
export interface HeldAgainst {
  readonly finding: Finding;
  readonly cure: Cure | undefined;
  /** More than zero. */
  readonly weight: number;
  /** What would be left of the weight if this were shown of the name. */
  readonly withProof: Readonly<Record<Shown, number>>;
  /** What would be left of it if the client announced another name, of which this is shown. */
  readonly withName: Readonly<Record<Shown, number>>;
  /** The same, if it announced its own literal. */
  readonly withLiteral: number;
  /** The same, if the owner of the name declared that its host need not identify itself. */
  readonly withOptOut: number;
  /** The same, if it sent through a relay. */
  readonly withRelay: number;
  /** It holds that the host does not say who it is: a host that opts out may do better. */
  readonly isOfStream: boolean;
  /** What to do about it, where that is none of the other ways. */
  readonly other: string | null;
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
 * The ways that satisfy all of these, records to publish first, but what the owner declares of a host without
 * a name last. None where nothing is held against the client.
 */
export function waysOut(assessment: Assessment, yardsticks: readonly Yardstick[]): readonly Way[] {
  const { ip } = assessment.client;
  const held = yardsticks.flatMap((each) => each.held);
  if (held.length === 0 || ip === null) return [];
  const within: Within = (left, more = () => 0) =>
    yardsticks.every(
      (stick) => stick.held.reduce((sum, each) => sum + left(each, stick), more(stick)) < stick.tempfailAt,
    );
  // "Mobile host": it has no name of its own, and could not keep an address record.
  const isMobile = held.some(({ cure, isOfStream }) => cure === 'opt-out' && !isOfStream);
  const published = publications(assessment, ip, held, (gone, shown) =>
    within((each, stick) => leftAfter(each, stick, gone, shown)),
  ).filter(({ put }) => !isMobile || !put.some(isAddress));
  const isLed = published.some(({ put }) => put.some(isAddress));
  const mayOptOut = held.some(({ cure }) => cure === 'opt-out') && within(({ withOptOut }) => withOptOut);
  const others = [...new Set(held.flatMap(({ other }) => other ?? []))].map((text) => ({
    kind: 'other' as const,
    text,
  }));
  const literal = ownLiteral(assessment, ip, within);
  // To publish the address of the name that it has, or to announce one that leads to it, is the same, but
  // the name may be somebody else's.
  const names = announcedNames(assessment, ip, { within, isNamed: isLed && literal.length > 0 });
  return [
    ...(within(({ other, weight }) => (other === null ? weight : 0)) ? others : []),
    ...(isMobile ? [...names, ...published] : [...published, ...names]),
    ...literal,
    ...(within(({ withRelay }) => withRelay) ? [{ kind: 'relay' } as const] : []),
    ...(mayOptOut ? optOutOf(assessment) : []),
  ];
}

/** Whether no line is reached if this is what is left of each, and this comes on top. */
type Within = (
  left: (each: HeldAgainst, stick: Yardstick) => number,
  more?: (stick: Yardstick) => number,
) => boolean;

function isAddress({ type }: PublishedRecord): boolean {
  return type === 'A' || type === 'AAAA';
}

/** Declares that this host does not identify itself, where nothing is declared of its name yet. */
function optOutOf({ client, dns }: Assessment): Way[] {
  const name = queryName(client.helo);
  if (name === null || !isPublishable(client.helo)) return [];
  const owner = `_auth.${name}`;
  const status = answerTo(dns, owner, 'TXT')?.status;
  if (status !== 'nodata' && status !== 'nxdomain') return [];
  const purpose = 'a host under this name need not identify itself (docs/auth-record.md)';
  return [{ kind: 'publish', ...NO_EDIT, put: [{ owner, type: 'TXT', rdata: '"method=none"', purpose }] }];
}

/**
 * Whether records of this name may be published by whoever runs the host: not where a registry or a
 * provider of addresses does.
 */
export function isPublishable(helo: Helo): boolean {
  const name = queryName(helo);
  if (name === null || helo.kind !== 'domain' || helo.underscore) return false;
  // A public suffix has none.
  return !isWithin(name, 'arpa') && registrableDomain(name) !== null;
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
): (Way & { readonly kind: 'publish' })[] {
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
  const way = (more: readonly Cure[]): (Way & { readonly kind: 'publish' })[] => {
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
    ...records.map((evidence) => permitByAuthRecord(evidence, [ip], dns)),
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

/** What the owner of a name declares is not known here; an address of it is the client's. */
function announcedNames(
  { client, outcomes }: Assessment,
  ip: IpAddress,
  { within, isNamed }: { readonly within: Within; readonly isNamed: boolean },
): Way[] {
  if (!within(({ withName }) => withName.exact)) return [];
  const own = queryName(client.helo);
  const names = verifiedNames(outcomes)
    .map(canonicalName)
    .filter((name) => name !== own && isPublishable(parseHelo(name)));
  const proper = names.find((each) => !holdsAddress(each, ip));
  const orSpf =
    !isPublishable(client.helo) &&
    within(({ withName }, { excuseFrom }) => (excuseFrom === 'exact' ? Infinity : withName.authorized));
  const helo = proper ?? names[0];
  return [
    ...(isNamed || proper !== undefined ? [] : [{ kind: 'name', address: ip.text, orSpf } as const]),
    ...(helo === undefined ? [] : [{ kind: 'announce', what: 'reverse-name', helo } as const]),
  ];
}

function ownLiteral({ client, optOut }: Assessment, ip: IpAddress, within: Within): Way[] {
  const isGiven = client.helo.kind === 'literal' && optOut;
  const isEnough = within(
    ({ withLiteral }) => withLiteral,
    ({ literalWeight }) => literalWeight,
  );
  return isGiven || !isEnough ? [] : [{ kind: 'announce', what: 'literal', helo: literalText(ip) }];
}
