/**
 * Reads a file of policy tests, with the zones and records that it names; docs/policy-tests.md describes it.
 * Whatever it does not know is refused with file and line: a misspelt key must not make a test pass.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TomlDocument } from '../config/toml-document.ts';
import { TomlKeys } from '../config/toml-keys.ts';
import type { Check, FindingSpec } from '../core/check.ts';
import { canonicalName } from '../core/domain.ts';
import { parseIp } from '../core/ip.ts';
import type { Resolver } from '../core/resolver.ts';
import { type RecordedDecision, RecordError, readRecord } from '../decisions/record-reader.ts';
import { zoneFileResolver } from '../dns/zone-file.ts';
import { Faults, FileError, fileFault } from '../errors.ts';
import { AccessList, parseAccess } from '../policy/access.ts';
import { DISPOSITIONS, STREAMS } from '../policy/policy.ts';
import { type Case, type Expected, NO_CAUSE, type CaseSource } from './case.ts';
import { findRecord } from './find-record.ts';

/** What there is to be found, with the operator's own checks. */
export interface Known {
  readonly checks: readonly Check[];
  readonly findings: ReadonlyMap<string, FindingSpec>;
}

const OF_FILE = ['zone', 'zone-file', 'case'];
const OF_SESSION = ['client', 'helo', 'previous-helo', 'names-seen', 'regular', 'mta', 'zone', 'zone-file'];
const OF_RECORD = ['record', 'record-file', 'reference'];
const OF_CASE = ['name', ...OF_SESSION, ...OF_RECORD, 'recipient', 'access', 'at', 'expect'];
const OF_EXPECT = ['disposition', 'cause', 'stream', 'score'];

/** Rejects with FileError for the first mistake, which carries the others. */
export async function readCases(file: string, known: Known): Promise<readonly Case[]> {
  const faults = new Faults();
  const root = new TomlKeys(new TomlDocument(await textOf(file, file), file));
  for (const stranger of root.strangers(OF_FILE)) faults.add(stranger);
  const given = root.has('zone') || root.has('zone-file');
  // A faulty zone is told once, not for every case that would have used it.
  const shared =
    (await faults.attempt(() => zoneOf(root, file))) ?? (given ? zoneFileResolver('', file) : null);
  const tables = faults.try(() => root.tables('case'));
  if (tables?.length === 0) faults.add(new FileError(`${file}: it has no [[case]]`));
  const cases: Case[] = [];
  for (const table of tables ?? []) {
    for (const stranger of table.strangers(OF_CASE)) faults.add(stranger);
    const made = await faults.attempt(() => readCase(table, { file, shared, known }));
    if (made !== null) cases.push(made);
  }
  faults.throwAny();
  return cases;
}

interface Around {
  readonly file: string;
  /** The zone of all cases that have none of their own. */
  readonly shared: Resolver | null;
  readonly known: Known;
}

async function readCase(table: TomlKeys, around: Around): Promise<Case> {
  const at = table.time('at');
  const source = OF_RECORD.some((key) => table.has(key))
    ? await recordedSource(table, around)
    : await zoneSource(table, around);
  const [client, helo] =
    source.kind === 'zone' ? [source.client.text, source.helo] : [source.record.client, source.record.helo];
  return {
    name: table.text('name') ?? `${client ?? 'unknown'} ${helo}`,
    place: firstPlace(table),
    source,
    recipient: table.text('recipient'),
    access: accessOf(table, around),
    at,
    expected: expectedOf(table, around.known),
  };
}

function firstPlace(table: TomlKeys): string {
  return table.place(OF_CASE.find((key) => table.has(key)) ?? 'expect', 'key');
}

async function zoneSource(table: TomlKeys, { file, shared }: Around): Promise<CaseSource> {
  const text = need(table, 'client');
  const client = parseIp(text) ?? table.fail('client', `"${text}" is not an IP address`);
  const resolver = (await zoneOf(table, file)) ?? shared;
  if (resolver === null) {
    throw new FileError(
      `${firstPlace(table)}: a case needs a zone, a zone-file, or the record of a decision`,
    );
  }
  const mta = table.text('mta');
  return {
    kind: 'zone',
    client,
    helo: need(table, 'helo'),
    resolver,
    session: {
      previousHelo: table.text('previous-helo'),
      namesSeen: table.number('names-seen') ?? 1,
      regular: table.flag('regular') ?? false,
      mta: { name: mta === null ? null : canonicalName(mta), address: null },
    },
  };
}

async function recordedSource(table: TomlKeys, { file, known }: Around): Promise<CaseSource> {
  const stray = OF_SESSION.find((key) => table.has(key));
  if (stray !== undefined)
    throw new FileError(`${table.place(stray, 'key')}: ${stray} comes from the record`);
  const line = table.text('record');
  if (line !== null) {
    const other = ['record-file', 'reference'].find((key) => table.has(key));
    if (other !== undefined) table.fail(other, 'the case has a record already');
    return { kind: 'record', record: parsedRecord(line, table.place('record'), known) };
  }
  const name = need(table, 'record-file');
  const reference = need(table, 'reference');
  const path = resolve(dirname(file), name);
  const found = await findRecord(path, reference).catch((error: unknown) =>
    table.fail('record-file', fileFault(path, error)),
  );
  if (found === null) return table.fail('reference', `${name} has no decision ${reference}`);
  return { kind: 'record', record: parsedRecord(found.text, `${path}:${found.line}`, known) };
}

function parsedRecord(line: string, place: string, { checks }: Known): RecordedDecision {
  try {
    return readRecord(line, checks);
  } catch (error) {
    if (error instanceof RecordError) throw new FileError(`${place}: ${error.message}`);
    throw error;
  }
}

function need(table: TomlKeys, key: string): string {
  const text = table.text(key);
  if (text === null) throw new FileError(`${firstPlace(table)}: the case has no ${key}`);
  return text;
}

async function zoneOf(table: TomlKeys, file: string): Promise<Resolver | null> {
  const text = table.text('zone');
  const name = table.text('zone-file');
  if (text !== null) {
    if (name !== null) table.fail('zone-file', 'there is a zone already');
    return zoneFileResolver(atItsLine(table, 'zone', text), file);
  }
  if (name === null) return null;
  const path = resolve(dirname(file), name);
  return zoneFileResolver(await textOf(path, table.place('zone-file')), path);
}

function accessOf(table: TomlKeys, { file, known }: Around): AccessList | null {
  const text = table.text('access');
  if (text === null) return null;
  // What has expired is decided at the time of the case.
  return new AccessList(
    parseAccess(atItsLine(table, 'access', text), file, 0, known.checks),
    () => undefined,
  );
}

/**
 * A text within the file with as many lines before it as there are, so that its own mistakes are told with
 * their line.
 */
function atItsLine(table: TomlKeys, key: string, text: string): string {
  return '\n'.repeat(table.line(key) - 1) + text;
}

function expectedOf(table: TomlKeys, { findings }: Known): Expected {
  const expect = table.table('expect');
  if (expect === null) throw new FileError(`${firstPlace(table)}: the case does not say what to expect`);
  const faults = new Faults();
  for (const stranger of expect.strangers(OF_EXPECT)) faults.add(stranger);
  faults.throwAny();
  if (!OF_EXPECT.some((key) => expect.has(key)))
    table.fail('expect', `takes at least one of ${OF_EXPECT.join(', ')}`);
  return {
    disposition: expect.word('disposition', DISPOSITIONS),
    cause: expect.word('cause', [NO_CAUSE, ...findings.keys()]),
    stream: expect.word('stream', STREAMS),
    score: expect.number('score'),
  };
}

async function textOf(file: string, place: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new FileError(place === file ? fileFault(file, error) : `${place}: ${fileFault(file, error)}`);
  });
}
