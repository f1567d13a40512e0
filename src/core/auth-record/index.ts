/**
 * Judges a client by the owner record at `_auth.<name>` or of the nearest parent down to the registrable
 * domain. Experimental: MacQuigg published the format in 2007 and nobody else reads it. `docs/auth-record.md`
 * tells owners what each word does.
 *
 * A declaration can only tighten: a client outside `helo=` fails, a method that is declared and fails is a
 * fail, and nothing here makes up for a fail elsewhere.
 */
import { checkCsa, type CsaOutcome } from '../csa.ts';
import { canonicalName, isQueryName, registrableDomain, selfAndParents } from '../domain.ts';
import type { IpAddress } from '../ip.ts';
import { watchTtl } from '../least-ttl.ts';
import { MAX_TEXT, type Resolver } from '../resolver.ts';
import { checkHelo, type SpfOptions, type SpfOutcome } from '../spf/index.ts';
import { blocksTooWide } from '../spf/width.ts';
import { type AuthRecord, parseAuthRecord } from './record.ts';
import { coverage, type Coverage } from './coverage.ts';

export { type AuthBlock, type AuthRecord, type HeloList, parseAuthBlock, parseAuthRecord } from './record.ts';

/** Results that the caller may already have; each is asked for only when the record needs it. */
export interface AuthMethods {
  /** SPF for `postmaster@<domain>` of the client; the domain is the HELO name or one of its parents. */
  readonly spf: (domain: string) => Promise<SpfOutcome>;
  /** CSA of the HELO name. */
  readonly csa: () => Promise<CsaOutcome>;
}

/** What the `_auth` records of a name say about an address. */
export interface AuthOutcome {
  /**
   * `none`: no record, or none that decides. `optout`: the owner says that it cannot identify this host yet.
   */
  readonly result: 'none' | 'pass' | 'fail' | 'optout' | 'temperror';
  readonly detail: string;
  /** The domain whose `_auth` record was used. */
  readonly domain: string | null;
  /** Its text. */
  readonly record: string | null;
  /** The word of the record that decided: a block or reference of `helo=`, or `method=SPF`. */
  readonly matched: string | null;
  /** The methods that the owner declares, in upper case. */
  readonly methods: readonly string[];
  /** For a pass: why it identifies nobody. */
  readonly tooWide: string | null;
  /** The least TTL seen, in seconds. */
  readonly ttl: number | null;
  /** See `SpfOutcome.unanswered`: set where the result rests on such an SPF result. */
  readonly unanswered: SpfOutcome['unanswered'];
}

/** Beside the methods, whom to ask about the client's reverse names; the resolver itself if absent. */
export type AuthOptions = Partial<AuthMethods> & Pick<SpfOptions, 'reverse'>;

type Judgement = Pick<AuthOutcome, 'result' | 'detail' | 'matched' | 'tooWide'>;

/** Parents asked beside the name itself. */
const MAX_PARENTS = 5;

/**
 * At most 6 TXT questions, 12 for `A` and `MX` of `helo=`, and what SPF and CSA cost where the record names
 * them. `ttl` covers what was asked through `resolver`, not what `methods` asked on their own.
 */
export async function checkAuthRecord(
  ip: IpAddress,
  name: string,
  resolver: Resolver,
  { reverse, ...methods }: AuthOptions = {},
): Promise<AuthOutcome> {
  const helo = canonicalName(name);
  const { resolver: noting, least } = watchTtl(resolver);
  // The record may need a name's SPF result in several places: it is evaluated once.
  const spf = new Map<string, Promise<SpfOutcome>>();
  const options = { explain: false, ...(reverse === undefined ? {} : { reverse }) };
  let unanswered: SpfOutcome['unanswered'] = null;
  const evaluators = {
    spf: async (domain: string) => {
      const known = spf.get(domain) ?? methods.spf?.(domain) ?? checkHelo(ip, domain, noting, options);
      spf.set(domain, known);
      const outcome = await known;
      unanswered ??= outcome.unanswered;
      return outcome;
    },
    csa: methods.csa ?? (() => checkCsa(ip, helo, noting)),
  };
  const found = await findRecord(helo, noting);
  const judgement = 'record' in found ? await judge({ ip, helo, ...found }, noting, evaluators) : found;
  return {
    ...judgement,
    domain: found.domain,
    record: 'record' in found ? found.record.text : null,
    methods: 'record' in found ? found.record.methods : [],
    unanswered: judgement.result === 'pass' || judgement.result === 'optout' ? null : unanswered,
    ttl: least(),
  };
}

type Found =
  { readonly domain: string; readonly record: AuthRecord } | (Judgement & { readonly domain: string | null });

/** The nearest record, all levels asked together; trouble nearer than the first record leaves it open. */
async function findRecord(name: string, resolver: Resolver): Promise<Found> {
  const answers = await Promise.all(
    domainsAbove(name).map(async (domain) => {
      const answer = await resolver.lookup(`_auth.${domain}`, 'TXT');
      return { domain, answer };
    }),
  );
  for (const { domain, answer } of answers) {
    if (answer.status === 'temperror') {
      return { ...judgement('temperror', `_auth.${domain} TXT: ${answer.detail}`), domain };
    }
    if (answer.status !== 'found') continue;
    const [record, ...others] = answer.records.map(parseAuthRecord).filter((parsed) => parsed !== null);
    if (record === undefined) continue;
    // Which of two records the owner means cannot be known; SPF calls the same a permerror (RFC 7208 §4.5).
    if (others.length > 0) return { ...judgement('none', 'more than one owner record'), domain };
    // Its end may be missing, and a list with a hole in it cannot say no.
    if (record.text.length >= MAX_TEXT)
      return { ...judgement('none', `an owner record of ${MAX_TEXT} characters or more`), domain };
    return { domain, record };
  }
  return { ...judgement('none', 'no owner record'), domain: null };
}

/**
 * The name, then its parents from the nearest on; if there are many, only those closest to the registrable
 * domain.
 */
function domainsAbove(name: string): string[] {
  const top = /\.\d+$/.test(name) || !isQueryName(name) ? null : registrableDomain(name);
  const [own, ...parents] = top === null ? [] : selfAndParents(name, top);
  const domains = own === undefined ? [] : [own, ...parents.slice(-MAX_PARENTS)];
  return domains.filter((domain) => isQueryName(`_auth.${domain}`));
}

interface Declared {
  readonly ip: IpAddress;
  readonly helo: string;
  /** Whose record it is: the name or one of its parents. */
  readonly domain: string;
  readonly record: AuthRecord;
}

async function judge(
  { ip, helo, domain, record }: Declared,
  resolver: Resolver,
  evaluators: AuthMethods,
): Promise<Judgement> {
  const [covered, declared] = await Promise.all([
    coverage(ip, domain, record.helo, resolver, evaluators),
    runMethods(helo, record.methods, evaluators),
  ]);
  const failed = declared.find(({ result }) => result === 'fail');
  if (failed !== undefined) return failed;
  if (covered.state === 'covered') return coveredBy(covered, record);
  // An opt-out stands alone: "none" beside a method says nothing.
  if (record.methods.length === 1 && record.methods[0] === 'NONE') {
    return judgement('optout', 'the owner cannot identify this host yet', 'method=none');
  }
  switch (covered.state) {
    case 'temperror':
      return judgement('temperror', covered.detail);
    case 'uncovered':
      return judgement('fail', `${ip.text} is not in helo= of ${domain}`, 'helo=');
    case 'absent':
    case 'unsure':
      return (
        declared.find(({ result }) => result === 'pass') ??
        declared.find(({ result }) => result === 'temperror') ??
        judgement('none', covered.detail)
      );
  }
}

function coveredBy(covered: Extract<Coverage, { state: 'covered' }>, { helo }: AuthRecord): Judgement {
  const blocks = (helo?.blocks ?? []).flatMap(({ prefixes }) => prefixes);
  return {
    result: 'pass',
    detail: '',
    matched: covered.by,
    tooWide: covered.tooWide ?? blocksTooWide(blocks),
  };
}

/**
 * Runs the declared methods that we know: SPF and CSA, which CSV stands for. Others (DKIM, SID) are ignored.
 */
async function runMethods(
  helo: string,
  methods: readonly string[],
  { spf, csa }: AuthMethods,
): Promise<Judgement[]> {
  const judged = await Promise.all(
    methods.map(async (method): Promise<Judgement | null> => {
      if (method === 'SPF') return judgeSpf(await spf(helo));
      return method === 'CSV' || method === 'CSA' ? judgeCsa(method, await csa()) : null;
    }),
  );
  return judged.filter((judgement) => judgement !== null);
}

/**
 * Only `fail` is "declared and failed": softfail and neutral are the owner's own reservation, none is no
 * record.
 */
function judgeSpf({ result, detail, tooWide }: SpfOutcome): Judgement {
  switch (result) {
    case 'pass':
      return { ...judgement('pass', '', 'method=SPF'), tooWide };
    case 'fail':
      return judgement('fail', 'declared SPF, which fails', 'method=SPF');
    case 'temperror':
      return judgement('temperror', detail);
    case 'none':
    case 'neutral':
    case 'softfail':
    case 'permerror':
      return judgement('none', `SPF: ${result}`);
  }
}

function judgeCsa(method: string, { status, detail }: CsaOutcome): Judgement {
  switch (status) {
    case 'ok':
      return judgement('pass', '', `method=${method}`);
    case 'fail':
      return judgement('fail', `declared ${method}, which fails: ${detail}`, `method=${method}`);
    case 'defer':
      return judgement('temperror', detail);
    case 'unknown':
      return judgement('none', `${method}: ${detail}`);
  }
}

function judgement(result: AuthOutcome['result'], detail: string, matched: string | null = null): Judgement {
  return { result, detail, matched, tooWide: null };
}
