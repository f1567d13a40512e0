/**
 * Client SMTP Authorization, draft-ietf-marid-csv-csa-02 (2005, expired): the owner of a HELO name says by
 * SRV at `_client._smtp.<name>` whether and from which addresses a host may use it. Where the draft leaves
 * room we do what Exim's `verify = csa`, the implementation in the field, does.
 *
 * - priority: the version, 1; other records are not ours.
 * - weight, as bits: 1 = ignore the target, 2 = authorized. So 0 and 1 deny, 2 authorizes the target's
 *   addresses, 3 authorizes what cannot be checked by address; more is undefined.
 * - port, as bits: 1 = every host below this domain has a record of its own.
 * - target: its addresses are the client's; `.` has none.
 */
import { canonicalName, isQueryName, registrableDomain, selfAndParents } from './domain.ts';
import { type IpAddress, parseIp, sameIp } from './ip.ts';
import { watchTtl } from './least-ttl.ts';
import type { Answer, RecordData, Resolver } from './resolver.ts';

/** What Client SMTP Authorization says about a name and an address. */
export interface CsaOutcome {
  /**
   * Exim's words: `fail` is the owner's no; `defer` is DNS trouble; `unknown` means no statement that we can
   * read.
   */
  readonly status: 'ok' | 'unknown' | 'defer' | 'fail';
  readonly detail: string;
  /** The record that decided, as owner and rdata. */
  readonly record: string | null;
  /** For `defer`: the name itself has no record, and only a parent could not be asked. */
  readonly ofParent?: true;
  /** The least TTL seen, in seconds. */
  readonly ttl: number | null;
}

type Srv = RecordData['SRV'];
type Word = Omit<CsaOutcome, 'ttl'>;

/** Exim's `dns_csa_search_limit`. */
const MAX_PARENTS = 5;
/** Targets looked up for one name; the draft gives no limit, one is usual. */
const MAX_TARGETS = 10;

/**
 * Looks for the name's own statement and, if there is none, for a parent's that says there should be one. At
 * most 6 SRV questions, and 10 for addresses.
 */
export async function checkCsa(ip: IpAddress, name: string, resolver: Resolver): Promise<CsaOutcome> {
  const watch = watchTtl(resolver);
  const word = await judge(ip, canonicalName(name), watch.resolver);
  return { ...word, ttl: watch.least() };
}

async function judge(ip: IpAddress, name: string, resolver: Resolver): Promise<Word> {
  const owner = ownerOf(name);
  if (!name.includes('.') || /\.\d+$/.test(name) || !isQueryName(owner))
    return unknown('not a name that can have a record');
  const own = resolver.lookup(owner, 'SRV');
  // Hardly any name has a record, so the parents are asked at once and not a round trip later.
  const parents = askParents(name, resolver);
  // Somebody else's resolver may throw, and then nobody waits for these.
  parents.catch(() => undefined);
  const answer = await own;
  switch (answer.status) {
    case 'found':
      return judgeOwn(ip, owner, answer.records, resolver);
    // Exim ends here on nxdomain, against its own manual; a name without any record has parents too.
    case 'nodata':
    case 'nxdomain':
      return judgeParents(await parents);
    case 'temperror':
      return deferred(owner, answer.detail);
  }
}

/**
 * The name's own records of version 1. A denial and an authorization side by side: the client may match the
 * latter.
 */
async function judgeOwn(
  ip: IpAddress,
  owner: string,
  records: readonly Srv[],
  resolver: Resolver,
): Promise<Word> {
  const ours = records.filter(({ priority }) => priority === 1);
  const authorizing = ours.filter(({ weight }) => weight === 2).slice(0, MAX_TARGETS);
  const trials = await Promise.all(authorizing.map((srv) => tryTarget(ip, owner, srv, resolver)));
  const decided = trials.find(({ status }) => status === 'ok');
  if (decided !== undefined) return decided;
  // What was not answered may have been the authorization.
  const missed = trials.find(({ status }) => status === 'defer');
  if (missed !== undefined) return missed;
  const denying = ours.find(({ weight }) => weight < 2);
  if (denying !== undefined) return failed('host name not authorized', describe(owner, denying));
  const open = trials.find(({ status }) => status !== 'fail');
  if (open !== undefined) return open;
  const unchecked = ours.find(({ weight }) => weight > 2);
  if (unchecked !== undefined) {
    return { status: 'unknown', detail: 'not to be checked by address', record: describe(owner, unchecked) };
  }
  return trials[0] ?? unknown('no record of version 1');
}

/** Weight 2: the client must be among the addresses of the target, in the client's family. */
async function tryTarget(ip: IpAddress, owner: string, srv: Srv, resolver: Resolver): Promise<Word> {
  const record = describe(owner, srv);
  const target = canonicalName(srv.target);
  if (target === '') return failed('no authorized addresses', record);
  if (!isQueryName(target)) return { status: 'unknown', detail: 'the target is not a name', record };
  const type = ip.family === 4 ? 'A' : 'AAAA';
  const answer = await resolver.lookup(target, type);
  switch (answer.status) {
    case 'temperror':
      return { ...deferred(`${target} ${type}`, answer.detail), record };
    case 'nodata':
    case 'nxdomain':
      return failed('no authorized addresses', record);
    case 'found':
      return answer.records.some((text) => isAddress(text, ip))
        ? { status: 'ok', detail: `${ip.text} is an address of ${target}`, record }
        : failed(`${ip.text} is not an address of ${target}`, record);
  }
}

interface ParentAnswer {
  readonly owner: string;
  readonly answer: Answer<'SRV'>;
}

/** The parents from the registrable domain down, five at most. */
function askParents(name: string, resolver: Resolver): Promise<readonly ParentAnswer[]> {
  const top = registrableDomain(name);
  const parents = top === null ? [] : selfAndParents(name, top).slice(1).reverse().slice(0, MAX_PARENTS);
  return Promise.all(
    parents.map(async (parent) => {
      const owner = ownerOf(parent);
      return { owner, answer: await resolver.lookup(owner, 'SRV') };
    }),
  );
}

/**
 * No record of its own: does a parent say that there should be one? That outweighs trouble with another
 * parent.
 */
function judgeParents(answers: readonly ParentAnswer[]): Word {
  for (const { owner, answer } of answers) {
    const srv =
      answer.status === 'found'
        ? answer.records.find(({ priority, port }) => priority === 1 && (port & 1) === 1)
        : undefined;
    if (srv !== undefined) return failed('explicit authorization required', describe(owner, srv));
  }
  for (const { owner, answer } of answers) {
    if (answer.status === 'temperror') return { ...deferred(owner, answer.detail), ofParent: true };
  }
  return unknown('no record');
}

function isAddress(text: string, ip: IpAddress): boolean {
  const address = parseIp(text);
  return address !== null && sameIp(address, ip);
}

function ownerOf(name: string): string {
  return `_client._smtp.${name}`;
}

function describe(owner: string, { priority, weight, port, target }: Srv): string {
  return `${owner} SRV ${priority} ${weight} ${port} ${target === '' ? '.' : target}`;
}

function unknown(detail: string): Word {
  return { status: 'unknown', detail, record: null };
}

function deferred(question: string, detail: string): Word {
  return { status: 'defer', detail: `${question}: ${detail}`, record: null };
}

function failed(detail: string, record: string): Word {
  return { status: 'fail', detail, record };
}
