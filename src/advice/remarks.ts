/**
 * What the zones that were asked hold and do not show at first sight: told beside a verdict, and of no weight in it.
 */
import type { Client } from '../core/client.ts';
import { canonicalName } from '../core/domain.ts';
import { queryName } from '../core/helo.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { type DomainSpec, expandTarget, usesMacro } from '../core/spf/macro.ts';
import { type Directive, parseSpfRecord, selectSpfRecords } from '../core/spf/record.ts';
import { valuesFor } from '../core/spf/target.ts';

/** Public API: `check --json` has it. */
export type RemarkKind =
  | 'wildcard'
  | 'cname-loop'
  | 'cname-chain'
  | 'mx-without-hosts'
  | 'mx-host-gone'
  | 'spf-all'
  | 'spf-exists'
  | 'spf-ptr';

export interface Remark {
  readonly kind: RemarkKind;
  /** The name that it is about. A stranger's, like parts of the text; what is ours in that is printable US-ASCII. */
  readonly name: string;
  readonly text: string;
}

/** What can be told from the answers alone. */
export function remarksOn(client: Client, dns: readonly DnsAnswer[]): Remark[] {
  return dns.flatMap((answer) => {
    switch (answer.type) {
      case 'MX':
        return mxRemarks(answer, dns);
      case 'TXT':
        return spfRemarks(answer, client, dns);
      default:
        return [];
    }
  });
}

/** MX records are asked for only where a record of a policy says `mx`. */
function mxRemarks({ name, status, records }: DnsAnswer, dns: readonly DnsAnswer[]): Remark[] {
  if (status === 'temperror') return [];
  if (status !== 'found') {
    return [{ kind: 'mx-without-hosts', name, text: 'has no MX record, so that mx permits nobody' }];
  }
  const hosts = records.map((record) => canonicalName(record.slice(record.indexOf(' ') + 1)));
  if (hosts.every((host) => host === '')) {
    return [
      { kind: 'mx-without-hosts', name, text: 'has the null MX of RFC 7505, so that mx permits nobody' },
    ];
  }
  return hosts
    .filter((host) => isDenied(host, dns))
    .map((host) => ({
      kind: 'mx-host-gone',
      name: host,
      text: `is an MX host of ${name} and does not exist`,
    }));
}

/** An answer denies the name as a whole (RFC 8020); where there are two, both have to. */
function isDenied(host: string, dns: readonly DnsAnswer[]): boolean {
  const answers = dns.filter(
    ({ name, type }) => canonicalName(name) === host && (type === 'A' || type === 'AAAA'),
  );
  return answers.length > 0 && answers.every(({ status }) => status === 'nxdomain');
}

function spfRemarks(
  { name, status, records }: DnsAnswer,
  client: Client,
  dns: readonly DnsAnswer[],
): Remark[] {
  if (status !== 'found') return [];
  return selectSpfRecords(records).flatMap((text) => {
    // What was too long to be kept is not told of: what is missing could be anything.
    const record = text.endsWith('...') ? null : parseSpfRecord(text);
    if (record === null || 'problem' in record) return [];
    return record.directives.flatMap((directive) => termRemarks(directive, name, client, dns));
  });
}

function termRemarks(
  { mechanism, qualifier, text }: Directive,
  domain: string,
  client: Client,
  dns: readonly DnsAnswer[],
): Remark[] {
  const remark = (kind: RemarkKind, said: string): Remark => ({
    kind,
    name: domain,
    text: `${text} ${said}`,
  });
  const said: Remark[] = [];
  if (mechanism.kind === 'all' && qualifier === '+') {
    said.push(remark('spf-all', 'permits every client: a pass identifies nobody'));
  }
  if (mechanism.kind === 'ptr') said.push(remark('spf-ptr', 'should not be used (RFC 7208 section 5.5)'));
  if ('target' in mechanism && mechanism.target !== null && usesMacro(mechanism.target.parts, 'p')) {
    said.push(remark('spf-ptr', 'has %{p}, which should not be used (RFC 7208 section 7.2)'));
  }
  if (mechanism.kind === 'exists') {
    const depends = usesMacro(mechanism.target.parts, 'ip')
      ? 'asks DNS about each client: whom it permits cannot be read from the record'
      : "does not depend on the client's address: it permits everybody or nobody";
    const seen = existsAnswer(mechanism.target, domain, client, dns);
    const here = seen === undefined ? '' : `; for this one ${seen.name} was asked: ${seen.status}`;
    said.push(remark('spf-exists', `${depends}${here}`));
  }
  return said;
}

/** What the term asked for this client; undefined where it was not reached, or depends on the reverse name. */
function existsAnswer(
  target: DomainSpec,
  domain: string,
  { ip, helo }: Client,
  dns: readonly DnsAnswer[],
): DnsAnswer | undefined {
  const name = queryName(helo);
  if (ip === null || name === null || usesMacro(target.parts, 'p')) return undefined;
  const request = { ip, domain: name, sender: `postmaster@${name}`, helo: name };
  const asked = expandTarget(target, valuesFor(request, { domain, ip, validated: '', now: 0 }));
  return dns.find(({ name: other, type }) => type === 'A' && canonicalName(other) === canonicalName(asked));
}
