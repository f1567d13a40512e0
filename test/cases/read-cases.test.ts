/** Files of policy tests: what is refused, and where it says the mistake is. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { readCases } from '../../src/cases/read-cases.ts';
import { runCase } from '../../src/cases/run-case.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { FileError } from '../../src/errors.ts';
import { RULES } from '../support/service.ts';

const dir = mkdtempSync(join(tmpdir(), 'cases-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const file = join(dir, 'cases.toml');
const LOG = fileURLToPath(new URL('../../examples/policy-tests/decisions.jsonl', import.meta.url));
const known = { checks, findings };

async function mistakes(text: string): Promise<string[]> {
  writeFileSync(file, text);
  try {
    await readCases(file, known);
    return [];
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return [error, ...error.others].map(({ message }) => message.replace(`${file}:`, ''));
  }
}

const ZONE = `zone = '''\nmail.example.org. A 192.0.2.25\n'''\n`;
const CASE = '[[case]]\nclient = "192.0.2.25"\nhelo = "mail.example.org"\n';
const GOOD = `${ZONE}${CASE}expect = { disposition = "accept" }\n`;
const RECORD = readFileSync(LOG, 'utf8').split('\n')[0] ?? '';

it.each<[string, string, readonly string[]]>([
  ['nothing wrong', GOOD, []],
  ['no TOML', 'a = =', ['1:5: ']],
  ['no case', ZONE, [` it has no [[case]]`]],
  [
    'one case that is no array',
    `${ZONE}[case]\nhelo = "x"\n`,
    ['4:6: case: takes tables, each under [[case]]'],
  ],
  [
    'keys that nobody knows, all of them',
    `zones = ""\n${GOOD.replace('helo', 'hello = "a"\nhelo').replace('disposition', 'stage = "rcpt", disposition')}`,
    [
      '1:1: there is no key "zones"; did you mean zone?',
      '7:1: there is no key "hello"; did you mean helo?',
      '9:12: there is no key "stage"',
    ],
  ],
  ['a number for text', GOOD.replace('"mail.example.org"', '5'), ['6:8: helo: takes text']],
  ['text for a number', `${GOOD}names-seen = "5"\n`, ['8:14: names-seen: takes a number from 0 up']],
  [
    'no address',
    GOOD.replace('"192.0.2.25"', '"192.0.2.256"'),
    ['5:10: client: "192.0.2.256" is not an IP address'],
  ],
  ['no client', GOOD.replace('client = "192.0.2.25"\n', ''), ['5:1: the case has no client']],
  ['no HELO', GOOD.replace('helo = "mail.example.org"\n', ''), ['5:1: the case has no helo']],
  ['no zone', GOOD.replace(ZONE, ''), ['2:1: a case needs a zone, a zone-file, or the record of a decision']],
  ['a mistake in the zone, by its own line', GOOD.replace('A 192', 'A 192.0.2.1\nx A\ny A 192'), ['3: ']],
  ['two zones', GOOD.replace(ZONE, `${ZONE}zone-file = "x"\n`), ['4:13: zone-file: there is a zone already']],
  [
    'a zone that is not there',
    GOOD.replace(ZONE, 'zone-file = "gone"\n'),
    ['gone: no such file or directory'],
  ],
  [
    'a mistake in the access list, by its own line',
    `${GOOD}access = """\nallow *\n"""\n`,
    ['9: an allow needs proof'],
  ],
  ['nothing expected', GOOD.replace(/expect.*\n/, ''), ['5:1: the case does not say what to expect']],
  [
    'an empty expectation',
    GOOD.replace(/\{.*\}/, '{}'),
    ['7:10: expect: takes at least one of disposition, cause, stream, score'],
  ],
  [
    'another word',
    GOOD.replace('"accept"', '"acept"'),
    ['7:26: disposition: "acept" is none of accept, tempfail, reject; did you mean accept?'],
  ],
  [
    'a finding that there is not',
    GOOD.replace('disposition = "accept"', 'cause = "helo-nxdomian"'),
    ['did you mean helo-nxdomain?'],
  ],
  ['a time that is none', `${GOOD}at = "noon"\n`, ['8:6: at: takes a date such as 2027-01-31']],
  ['a session beside a record', `${GOOD}record = '${RECORD}'\n`, ['5:1: client comes from the record']],
  [
    'a record that is none',
    `[[case]]\nrecord = '{}'\nexpect = { score = 1 }\n`,
    ['2:10: "version" is not a number'],
  ],
  [
    'a reference without a file',
    `[[case]]\nreference = "a"\nexpect = { score = 1 }\n`,
    ['2:1: the case has no record-file'],
  ],
  [
    'a reference that is not there',
    `[[case]]\nrecord-file = "${LOG}"\nreference = "a"\nexpect = { score = 1 }\n`,
    [' has no decision a'],
  ],
])('%s', async (_, text, expected) => {
  const told = await mistakes(text);
  expect(told).toHaveLength(expected.length);
  for (const [i, each] of expected.entries()) expect(told[i]).toContain(each);
});

it('a file that is not there', async () => {
  await expect(readCases(join(dir, 'gone.toml'), known)).rejects.toThrow(
    /gone\.toml: no such file or directory$/,
  );
});

it('a record in the case is as good as its reference, and that in a compressed log', async () => {
  const packed = join(dir, 'decisions.jsonl.1.gz');
  writeFileSync(packed, gzipSync(readFileSync(LOG)));
  writeFileSync(
    file,
    `[[case]]\nrecord-file = "${packed}"\nreference = "example.1.1"\nexpect = { disposition = "tempfail" }\n` +
      `[[case]]\nrecord = '${RECORD}'\nexpect = { disposition = "tempfail", cause = "dns-share" }\n` +
      `[[case]]\nrecord-file = "${LOG}"\nreference = "example.1.1"\nexpect = { disposition = "tempfail", cause = "dns-share" }\n`,
  );
  for (const each of await readCases(file, known)) {
    expect((await runCase(each, RULES, 0)).differs).toEqual([]);
  }
});
