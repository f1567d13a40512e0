/** Reading records back: old layouts, fields that are left out, and lines that somebody has cut or edited. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checks, findings } from '../../src/core/checks/index.ts';
import { readRecord, RecordError } from '../../src/decisions/record-reader.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

const TIME = '2026-11-24T07:40:00.023Z';
const old = (name: string): string =>
  readFileSync(new URL(`../fixtures/records/${name}.json`, import.meta.url), 'utf8').trim();

describe('a record of version 1', () => {
  it('has what it had, and no end', () => {
    const read = readRecord(old('v1-exact'), checks);
    expect(read).toMatchObject({
      version: 1,
      client: '192.0.2.5',
      helo: 'mail.small.example.org',
      recipients: [],
      end: null,
      limit: null,
      judged: { assessment: { correspondence: 'exact', proofs: ['exact', 'aligned', 'reverse'] } },
    });
    expect(read.judged?.assessment.dns[1]).toEqual({
      name: 'mail.small.example.org',
      type: 'AAAA',
      status: 'nodata',
      records: [],
      ttl: null,
    });
  });

  it('whose `aligned` rests on a neighbour is read as `near`', () => {
    const line = old('v1-neighbour');
    expect(line).toContain('"correspondence":"aligned"');
    const { judged } = readRecord(line, checks);
    expect(judged?.assessment.correspondence).toBe('near');
    expect(judged?.verdict.stream).toBe('verified');
    const again = decide(judged?.assessment ?? expect.fail(), makePolicy('rfc5321', findings));
    expect(again.stream).toBe('unverified');
  });
});

describe('a line that is no record', () => {
  const good = decisionRecord(DECISIONS.full, TIME, TIME);
  const edited = (change: (record: Record<string, unknown>) => void): string => {
    const record = JSON.parse(good) as Record<string, unknown>;
    change(record);
    return JSON.stringify(record);
  };

  it.each<[string, string, RegExp]>([
    ['nothing', '', /not JSON/],
    ['half a line', good.slice(0, good.length / 2), /not JSON/],
    ['a list', '[1]', /not a JSON object/],
    ['a newer layout', edited((record) => (record['version'] = 3)), /version 3 is newer/],
    ['no HELO', edited((record) => delete record['helo']), /"helo" is not a string/],
    [
      'a time before 1970',
      edited((record) => (record['time'] = '-271821-04-20T00:00:00Z')),
      /"time" is not a/,
    ],
    [
      'a time after 9999',
      edited((record) => (record['time'] = '+275760-09-13T00:00:00Z')),
      /"time" is not a/,
    ],
    [
      'a connection before 1970',
      edited((record) => (record['connected'] = '1969-12-31T23:59:59.999Z')),
      /"connected" is not a time/,
    ],
    [
      'lists in lists',
      `${good.slice(0, -1)},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      /nested too deeply/,
    ],
    [
      'objects in objects',
      `${good.slice(0, -1)},"x":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`,
      /nested too/,
    ],
    ['a time that is none', edited((record) => (record['time'] = 'noon')), /"time" is not a time/],
    [
      'a word that is not known',
      edited((record) => (record['action'] = 'discard')),
      /"action" is not a known/,
    ],
    ['evidence that is none', edited((record) => (record['judged'] = [])), /"judged" is not an object/],
  ])('%s', (_, line, message) => {
    expect(() => readRecord(line, checks)).toThrow(RecordError);
    expect(() => readRecord(line, checks)).toThrow(message);
  });

  it('never breaks the reader, wherever it is cut or altered', () => {
    for (let at = 0; at < good.length; at += 7) {
      for (const line of [good.slice(0, at), `${good.slice(0, at)}9${good.slice(at + 1)}`]) {
        try {
          readRecord(line, checks);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError);
        }
      }
    }
  });
});

it('reads names that mean something to JavaScript as names', () => {
  const { judged } = DECISIONS.full;
  if (judged === null) throw new Error('no verdict');
  const dns = [
    { name: '__proto__', type: 'A', status: 'nxdomain', records: [], ttl: 5 },
    { name: 'constructor', type: 'TXT', status: 'found', records: ['x'], ttl: null },
  ] as const;
  const assessment = { ...judged.assessment, dns };
  const line = decisionRecord({ ...DECISIONS.full, judged: { ...judged, assessment } }, TIME, TIME);
  expect(readRecord(line, checks).judged?.assessment.dns).toEqual(dns);
});

it('keeps the word of an exemption that is not known', () => {
  const line = decisionRecord(DECISIONS.exempt, TIME, null).replace('"loopback"', '"moonlight"');
  expect(readRecord(line, checks)).toMatchObject({ exempt: null, exemptText: 'moonlight', judged: null });
});
