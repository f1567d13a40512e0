/**
 * The awkward SPF records of test/fixtures/spf-awkward.yml: as questions to check_host(), and as the zone
 * that holds them all, for our own reader and for a name server.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface AwkwardRecord {
  readonly name: string;
  /** As published, its strings joined; null where there is no TXT record at the name itself. */
  readonly text: string | null;
  readonly ip: string;
  readonly sender: string;
  readonly domain: string;
  /** The results that RFC 7208 allows. */
  readonly right: readonly string[];
  readonly section: string;
  readonly why: string;
  /** In master-file form; all names are absolute, or relative to the `$ORIGIN` of the first line. */
  readonly zone: string;
}

/** There may be several records, each of several strings. */
type Texts = string | readonly (string | readonly string[])[];

interface Written {
  readonly name: string;
  readonly record?: Texts;
  readonly more?: readonly string[];
  readonly ip?: string;
  readonly sender?: string;
  readonly ask?: string;
  readonly right: string | readonly string[];
  readonly section: string;
  readonly why: string;
}

export function awkwardRecords(): readonly AwkwardRecord[] {
  const text = readFileSync(new URL('../fixtures/spf-awkward.yml', import.meta.url), 'utf8');
  return (parse(text) as readonly Written[]).map(read);
}

/** All of them in one zone, the root. */
export function awkwardZone(): string {
  return awkwardRecords()
    .map(({ zone }) => zone)
    .join('\n');
}

function read({ name, record, more = [], ip, sender, ask, right, section, why }: Written): AwkwardRecord {
  const origin = `${name}.awkward.test`;
  const domain = ask === undefined ? origin : `${ask}.${origin}`;
  const records = (typeof record === 'string' ? [record] : (record ?? [])).map((each) =>
    typeof each === 'string' ? strings(repeated(each)) : each,
  );
  const lines = [
    `$ORIGIN ${origin}.`,
    ...records.map((texts) => `@ IN TXT ${texts.map(quoted).join(' ')}`),
    ...more.flatMap(numbered).map(repeated),
  ];
  return {
    name,
    text: records.length === 0 ? null : records.map((texts) => texts.join('')).join('\n'),
    ip: ip ?? '192.0.2.1',
    sender: `${repeated(sender ?? 'postmaster')}@${domain}`,
    domain,
    right: typeof right === 'string' ? [right] : right,
    section,
    why,
    zone: lines.join('\n'),
  };
}

function repeated(text: string): string {
  return text.replaceAll(/<([^<>]*)\*(\d+)>/g, (_, part: string, times: string) =>
    part.repeat(Number(times)),
  );
}

function numbered(line: string): string[] {
  const [range, , last] = /\{(\d+)\.\.(\d+)\}/.exec(line) ?? [];
  if (range === undefined) return [line];
  return Array.from({ length: Number(last) }, (_, i) =>
    line.replace(range, String(i + 1)).replaceAll('{}', String(i + 1)),
  );
}

/** A character-string holds 255 octets at most (RFC 1035 §3.3). */
function strings(text: string): string[] {
  return text.match(/[\s\S]{1,255}/g) ?? [''];
}

/** Characters are octets here; what is not plain goes as `\DDD` (RFC 1035 §5.1). */
function quoted(text: string): string {
  const plain = text.replaceAll(
    /[^ !#-[\]-~]/g,
    (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  );
  return `"${plain}"`;
}
