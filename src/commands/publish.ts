/**
 * `helo-milter publish NAME IP…`: the records a sender should have. With `--verify` also what is there,
 * evaluated as a check evaluates it, and what a check would hold against each address.
 */
import type { Command } from 'commander';
import { linesOf } from '../advice/words.ts';
import type { ZoneEdit } from '../advice/edit.ts';
import { editFor } from '../advice/into-zone.ts';
import { formatRecord, type PublishedRecord, recordsFor } from '../advice/records.ts';
import { type Found, stateOf } from '../advice/record-states.ts';
import type { Config } from '../config/config.ts';
import { canonicalName } from '../core/domain.ts';
import { parseHelo, queryName } from '../core/helo.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import { UsageError } from '../errors.ts';
import { escape } from '../log/value.ts';
import { writtenName } from '../policy/written-name.ts';
import { resolverOf } from '../service/resolver.ts';
import { explain, type Explanation, isOurResolver } from './explanation.ts';
import { located } from './located.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly verify?: boolean;
}

/** `addOptions` adds the options of the resolver; `failed` is for what is held against the host. */
export function addPublish(
  root: Command,
  terminal: Terminal,
  addOptions: AddOptions,
  failed: () => void,
): void {
  const command = root.createCommand('publish');
  const read = addOptions(command);
  command
    .description('print the DNS records that a sender should have for its HELO name')
    .argument('<NAME>', 'name that the host gives in HELO')
    .argument('<IP...>', 'addresses that it sends from')
    .option(
      '--verify',
      'compare with what DNS has; exit with 1 if a check would hold something against the host',
    )
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  command.action(async (name: string, ips: string[], flags: Flags) => {
    const { source } = read(flags);
    const config = flags.verify === true ? await source.read() : null;
    const { text, held } = await located(source, publish(name, ips, config));
    terminal.write(text);
    if (held) failed();
  });
  root.addCommand(command);
}

interface Published {
  readonly text: string;
  /**
   * A check would hold something against one of the addresses, under a preset or the options of this
   * installation.
   */
  readonly held: boolean;
}

/** `config` has the resolver to verify with; null to print only. Throws UsageError. */
async function publish(name: string, ips: readonly string[], config: Config | null): Promise<Published> {
  const host = queryName(parseHelo(writtenName(name)));
  if (host === null || name.includes('_')) throw new UsageError(`"${name}" is not the full name of a host`);
  const addresses = ips.map((ip) => parseIp(ip) ?? fail(ip));
  const records = recordsFor(canonicalName(host), addresses);
  if (config === null) {
    return { text: zoneText(records.map((record) => [record, record.purpose])), held: false };
  }
  return verified(canonicalName(host), addresses, records, config);
}

async function verified(
  host: string,
  addresses: readonly IpAddress[],
  records: readonly PublishedRecord[],
  config: Config,
): Promise<Published> {
  const resolver = await resolverOf(config);
  const found = await Promise.all(records.map((record) => stateOf(record, host, addresses, resolver)));
  const explanations = await Promise.all(
    addresses.map(async ({ text }) => explain(text, host, config, resolver)),
  );
  // A resolver that denies everything says nothing about this record.
  const isDenied = explanations.some(({ assessment }) => isOurResolver(assessment));
  const states = found.map((each) =>
    isDenied && each.state === 'missing' ? { ...each, state: 'unknown' as const } : each,
  );
  const against = addresses.flatMap(({ text }, i) => heldLines(text, explanations[i]));
  const rows = records.map((record, i) => [record, noted(record, states[i])] as const);
  const known = { host, addresses, assessments: explanations.map(({ assessment }) => assessment) };
  const text = zoneText(rows, (record) => {
    const state = states[records.indexOf(record)];
    return state === undefined ? [formatRecord(record)] : zoneLines(editFor(record, state, known));
  });
  const end = [
    ...(against.length === 0 ? ['a check holds nothing against this host'] : against),
    ...(isDenied ? ['the fault may be in your own resolver: "helo-milter doctor" asks it'] : []),
  ];
  return { text: [text, ...end.map((line) => `; ${line}\n`)].join(''), held: against.length > 0 };
}

function zoneText(
  rows: readonly (readonly [record: PublishedRecord, note: string])[],
  linesFor: (record: PublishedRecord) => readonly string[] = (record) => [formatRecord(record)],
): string {
  const lines = rows.flatMap(([record, note]) => [`; ${note}`, ...linesFor(record)]);
  return `${lines.join('\n')}\n`;
}

function noted({ purpose }: PublishedRecord, found: Found | undefined): string {
  if (found === undefined) return purpose;
  const seen = found.records.map(escapeText).join(', ');
  return `${found.state}: ${purpose}${seen === '' ? '' : `; found ${seen}`}`;
}

/** What must not be pasted is a comment. */
function zoneLines(edit: ZoneEdit): readonly string[] {
  const put = edit.put.map((each) => ({ ...each, optional: false }));
  return linesOf({ kind: 'publish', ...edit, put }).map((line) => {
    const isToPaste = !line.startsWith(' ') && !/; (?:change|remove)$/.test(line);
    return isToPaste ? escapeText(line) : `; ${escapeText(line)}`;
  });
}

/** What weighs anything, under a preset or the options of this installation. */
function heldLines(ip: string, explanation: Explanation | undefined): string[] {
  if (explanation === undefined) return [];
  const { presets, verdict } = explanation;
  const ids = [...presets.values(), verdict].flatMap(({ counted }) =>
    counted.filter(({ weight }) => weight > 0).map(({ finding }) => finding.id),
  );
  return [...new Set(ids)].map((id) => {
    const under = [...presets].flatMap(([preset, { counted }]) => {
      const weight = counted.find(({ finding }) => finding.id === id)?.weight ?? 0;
      return weight > 0 ? [`${preset} ${weight}`] : [];
    });
    return `${ip}: a check holds ${id} against it${under.length === 0 ? '' : ` (${under.join(', ')})`}`;
  });
}

/** Quotes stay, for pasting; nothing else of a stranger's does that is not printable. */
function escapeText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, escape);
}

function fail(ip: string): never {
  throw new UsageError(`"${ip}" is not an IP address`);
}
