/**
 * What we and others say about awkward SPF records, and the page that shows it. `npm run docs` writes the
 * page.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseIp } from '../src/core/ip.ts';
import { checkHost } from '../src/core/spf/index.ts';
import { zoneFileResolver } from '../src/dns/zone-file.ts';
import { markdown } from './support/generated.ts';
import { type AwkwardRecord, awkwardRecords, awkwardZone } from './support/spf-awkward.ts';

const PAGE = new URL('../docs/spf-differences.md', import.meta.url);
const PEERS = ['pyspf', 'Mail::SPF', 'libspf2', 'mailauth'] as const;

const told = JSON.parse(
  readFileSync(new URL('./fixtures/spf-peers.json', import.meta.url), 'utf8'),
) as Readonly<Record<(typeof PEERS)[number], Readonly<Record<string, string>>>>;
const records = awkwardRecords();
const resolver = zoneFileResolver(awkwardZone(), 'spf-awkward');

async function ours({ ip, domain, sender }: AwkwardRecord): Promise<string> {
  const address = parseIp(ip) ?? expect.fail(ip);
  return (await checkHost({ ip: address, domain, sender, helo: domain }, resolver)).result;
}

/** libspf2 ends with a syntax error and no result; its callers have to turn that into a permerror. */
function isRight({ right }: AwkwardRecord, result: string): boolean {
  return right.includes(result === '(invalid)' ? 'permerror' : result);
}

function peersOf({ name }: AwkwardRecord): string[] {
  return PEERS.map((peer) => told[peer][name] ?? 'not asked');
}

const differing = records.filter(
  (record) =>
    !peersOf(record).every((result) => isRight(record, result)) || new Set(peersOf(record)).size > 1,
);

describe('awkward SPF records', () => {
  it.each(records)('$name: $right', async (record) => {
    expect(record.right).toContain(await ours(record));
  });

  it('are many, and each has been shown to every peer', () => {
    expect(records.length).toBeGreaterThanOrEqual(200);
    expect(new Set(records.map(({ name }) => name)).size).toBe(records.length);
    for (const peer of PEERS) expect(Object.keys(told[peer])).toEqual(records.map(({ name }) => name));
  });
});

describe('the page', () => {
  let results: ReadonlyMap<string, string>;

  beforeAll(async () => {
    results = new Map(await Promise.all(records.map(async (each) => [each.name, await ours(each)] as const)));
  });

  function row(record: AwkwardRecord): string[] {
    const cell = (result: string): string => (isRight(record, result) ? result : `**${result}**`);
    return [
      record.name,
      shown(record),
      `${record.right.join(' or ')}, §${record.section}`,
      cell(results.get(record.name) ?? ''),
      ...peersOf(record).map(cell),
      record.why,
    ];
  }

  it('is up to date', () => {
    const differ = markdown(
      ['name', 'record', 'RFC 7208', 'helo-milter', ...PEERS, 'because'],
      differing.filter((record) => !isLeftToParsers(record)).map(row),
    );
    const agreed = markdown(
      ['name', 'record', 'RFC 7208', 'because'],
      records
        .filter((record) => !differing.includes(record) || isLeftToParsers(record))
        .map((record) => [
          record.name,
          shown(record),
          `${record.right.join(' or ')}, §${record.section}`,
          record.why,
        ]),
    );
    const page = `${head()}\n## Where they differ\n\n${differ}\n\n## Where all five are right\n\n${agreed}\n`;
    if (process.env['WRITE_DOCS'] === '1') writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, 'utf8'), 'run "npm run docs" and commit what it writes').toBe(page);
  });

  /** They differ only in the word: `(invalid)` for a permerror. */
  function isLeftToParsers(record: AwkwardRecord): boolean {
    return (
      new Set([
        results.get(record.name),
        ...peersOf(record).map((word) => (word === '(invalid)' ? 'permerror' : word)),
      ]).size === 1
    );
  }

  function head(): string {
    const wrong = PEERS.map((peer, i) => {
      const count = records.filter((record) => !isRight(record, peersOf(record)[i] ?? '')).length;
      return `${peer} ${count}`;
    });
    return `# Awkward SPF records, and what is made of them

${records.length} records on which readers of SPF may differ: what is a record at all, odd terms, lengths, macros, loops, limits. On
${differing.filter((record) => !isLeftToParsers(record)).length} of them they do. Each was served by NSD through Unbound and asked for by helo-milter and by pyspf 2.0.14,
Mail::SPF 2.9.0, libspf2 1.2.10 (Debian 12) and mailauth 4.13.3 (with the resolver of Node), for the client and the sender
that \`test/fixtures/spf-awkward.yml\` names, which also has the other records that are needed. What is not as RFC 7208 has it
is **bold**: helo-milter 0, ${wrong.join(', ')}. Where the RFC leaves a choice, all that it allows is right.

\`(invalid)\` is libspf2's word for a record that it cannot read; it counts as permerror. Generated; do not edit. The suite
\`test/mta/spf-peers.test.ts\` asks the four again.
`;
  }
});

const MOST_SHOWN = 90;

function shown({ text, ip, sender, domain }: AwkwardRecord): string {
  const printed = (text ?? '(no TXT record at the name)').replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  );
  const record = printed.length > MOST_SHOWN ? `${printed.slice(0, MOST_SHOWN)}...` : printed;
  const more = [
    ...(ip === '192.0.2.1' ? [] : [ip]),
    ...(sender === `postmaster@${domain}` ? [] : [`${sender.split('@')[0]?.slice(0, 20) ?? ''}@`]),
  ];
  return `\`${record}\`${more.length === 0 ? '' : ` for ${more.join(', ')}`}`;
}
