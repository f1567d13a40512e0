/**
 * Whatever strangers write into HELO, addresses and DNS is inert in a report: on a terminal, in a mail and
 * its letters, in a page, in JSON.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Choice, choiceOf } from '../../web/choice.ts';
import { observedLog, type Sent } from '../support/observed-log.ts';
import { engineOf, takeApart } from '../support/page-file.ts';
import { runCommand } from '../support/run-command.ts';
import { ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

const directory = mkdtempSync(join(tmpdir(), 'hm-hostile-'));
const log = join(directory, 'log');
const page = join(directory, 'page');
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const template = readFileSync(new URL('../../dist/page.html', import.meta.url), 'latin1');

/** Stands in the log wherever a stranger writes, and is replaced by what is hostile. */
const MARK = 'markmark';
const MESSAGES: Omit<Sent, 'time'>[] = [
  {
    client: '198.51.100.9',
    helo: `${MARK}.sender.org`,
    from: `${MARK}@sender.org`,
    to: [`${MARK}@dest.test`],
  },
  { client: '198.51.100.9', helo: 'spf.sender.org', from: `s@${MARK}.org`, to: [`r@${MARK}.test`] },
  { client: '198.51.100.9', helo: MARK },
  { helo: 'other.sender.org', from: MARK, to: [MARK] },
];
const HOSTILE_ZONE = {
  ...ZONE,
  [`${MARK}.sender.org`]: { A: ['203.0.113.99'] },
  'spf.sender.org': { A: ['203.0.113.99'], TXT: [`v=spf1 exists:${MARK}.sender.org ip4:${MARK} -all`] },
  '9.100.51.198.in-addr.arpa': { PTR: [`${MARK}.elsewhere.net`] },
};
let lines: string[] = [];
beforeAll(async () => {
  const sent = MESSAGES.map((each, i) => ({ ...each, time: Date.UTC(2026, 10, 1 + i) }));
  lines = await observedLog(sent, zoneResolver(HOSTILE_ZONE));
});

const HOSTILE: readonly (readonly [string, string])[] = [
  ['escape sequences', '\x1b[31m\x1b]0;title\x07\x9b31m'],
  ['HTML', '<script>alert(1)</script></pre></style><img src=x onerror=alert(1)>'],
  ['the end of an attribute', '" onmouseover="alert(1)" x=\''],
  ['entities', '&lt;b&gt;&#60;script&#62;'],
  ['controls of direction', '\u202eevil\u2066\xe2\x80\xae'],
  ['a formula', '=cmd()|calc'],
  ['header lines', 'x\r\nBcc: victim@example.org\r\n\r\nhello'],
  ['the end of a mail', '\r\n.\r\nMAIL FROM:<>'],
  ['commands of mail(1)', '\n~!touch /tmp/x\n~r /etc/passwd'],
  ['the beginning of a message in an mbox', '\n\nFrom x Thu Jan  1 00:00:00 1970'],
  ['a line of an access list', '\nallow * ip=0.0.0.0/0'],
  ['a record of a zone', '\n@ IN A 192.0.2.66 ; "'],
  ['nothing but length', 'x'.repeat(1000)],
  ['a NUL', 'a\0b'],
];

async function run(...args: readonly string[]): Promise<string> {
  const { code, out } = await runCommand(['report', '--no-config', '--policy', 'strict', ...args, log]);
  expect(code).toBe(0);
  return out;
}

function expectInert(text: string): void {
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  for (const line of text.split('\n')) {
    expect(line.length).toBeLessThanOrEqual(998);
    // Each line begins with words of ours.
    expect(line).toMatch(
      /^$|^ {3}|^(?:With|A sender|Those|\d+\. |-{5} |Subject: |Mail |To |[a-z]|HELO |have |This |nothing |your |Your )/,
    );
    expect(line).not.toMatch(/^(?:\.|~|From |Bcc|allow|=|@)/);
  }
}

const TAG =
  /<(?:\/?(?:h2|h3|p|table|thead|tbody|tr|th|td|a|details|summary|span|code|pre|br)(?: (?:class|id)="[\w ]+"| open| href="(?:#s\d+|mailto:postmaster@[\w.-]+\?[\w%!*.~()&#;=-]+)")*)>/g;

describe.each(HOSTILE)('%s', (_, text) => {
  beforeAll(() => {
    const written = lines.map((line) => line.replaceAll(MARK, JSON.stringify(text).slice(1, -1)));
    writeFileSync(log, `${written.join('\n')}\n`, 'latin1');
  });

  it('on a terminal', async () => {
    const out = await run();
    expect(out).toMatch(/^1\. /m);
    expectInert(out);
  });

  it('in a mail', async () => {
    const [head = '', body = ''] = (await run('--mail', 'root')).split(/\n\n(.*)/s);
    expect(head.split('\n').map((line) => line.split(':')[0])).toEqual([
      'To',
      'Subject',
      'MIME-Version',
      'Content-Type',
      'Auto-Submitted',
    ]);
    expectInert(body);
  });

  it('in the letters', async () => {
    const report = JSON.parse(await run('--json')) as {
      hit: { letter: { to: string | null; subject: string; body: string } }[];
    };
    expect(report.hit.length).toBeGreaterThan(1);
    for (const { letter } of report.hit) {
      expectInert(letter.body);
      expect(letter.subject).toMatch(/^Mail from [\d.]+(?: and \d more)? will be refused for its HELO name$/);
      expect(letter.to ?? 'postmaster@none').toMatch(/^postmaster@[a-z0-9.-]+$/);
    }
  });

  it('in a page', async () => {
    await run('--html', page);
    const { frame, report, data, decisions } = takeApart(readFileSync(page, 'latin1'));
    // What is around the parts is as it was built, and the parts cannot end their elements.
    expect(frame).toEqual(template.replace('@@CONNECT@@', '').split(/@@[A-Z]+@@/));
    expect(data).toMatch(/^[\x20-\x3b\x3d-\x7e]*$/);
    expect(decisions).toMatch(/^[A-Za-z0-9+/=\n]*$/);
    // With the tags that we write gone, no other is left.
    expect(report).toMatch(/^[\n\x20-\x7e]*$/);
    expect(report.replaceAll(TAG, '')).not.toMatch(/[<>]/);
    expect(report).not.toMatch(/https?:/);
  });

  it('in what the page shows', async () => {
    await run('--html', page);
    const engine = engineOf(takeApart(readFileSync(page, 'latin1')));
    const choice: Choice = { ...choiceOf(engine.data.options), policy: 'strict' };
    const detail = await engine.detail(choice, () => true);
    const found = engine.find({
      text: '',
      change: 'any',
      now: 'any',
      finding: '',
      sort: 'helo',
      descending: false,
      page: 0,
    });
    const opened = found.rows.map(({ index }) => engine.open(index, choice));
    expect(opened.length).toBe(MESSAGES.length);
    const shown = JSON.stringify([detail?.refused, detail?.letIn, found, opened]);
    expect(shown).toMatch(/^[\x20-\x7e]*$/);
  });

  it('in JSON', async () => {
    expect(await run('--json')).toMatch(/^[\n\x20-\x7e]*$/);
  });
});
