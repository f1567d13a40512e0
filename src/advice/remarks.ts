/**
 * What is odd about the zones that were asked, and not obvious: told beside a verdict, without weight in it.
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
  /**
   * The name that this is about. Like parts of the text, it comes from a stranger; our own words are
   * printable US-ASCII.
   */
  readonly name: string;
  readonly text: string;
}

/** The remarks that the answers alone allow. */
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

/** MX records are only looked up if a record says `mx`. */
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

/** NXDOMAIN denies the name as a whole (RFC 8020); if there are two answers, both have to say it. */
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
    // No remark on a record that was too long to be kept: the missing part could say anything.
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

/**
 * The answer to the term's question for this client; undefined if the term was not reached, or depends on the
 * reverse name.
 */
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
