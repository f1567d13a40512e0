/**
 * The live page in a real browser: served by a service behind a real Postfix while mail comes. What it shows
 * is what `replay` says with the flags that it gives. Pages from files are in `page-file.test.ts`.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import {
  blankPage,
  BUSY,
  counts,
  drag,
  expectAccessible,
  expectAsReplayed,
  expectToFit,
  type WindowOptions,
  settled,
  shot,
  startBrowser,
} from './kit/page.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

/** Each comes from an address of its own. */
const CLIENTS = [
  'mail.good.org',
  'mail.good.org',
  'gone.good.org',
  'elsewhere.good.org',
  'JUPITER',
  '[192.0.2.9]',
  `${`${'x'.repeat(60)}.`.repeat(4)}test`,
];
/** What an SMTP client can say of it. */
const HOSTILE_HELOS = [
  '<script>document.title="taken"</script><img/src=x/onerror=document.title="taken">',
  '</script></style><script>document.title="taken"</script>',
  'x'.repeat(255),
];

describeWith(['postfix', 'nsd', 'chromium'], 'the live page', () => {
  let workdir: string;
  /** The decision log of the service, and its first lines. */
  let all: string;
  let log: string;
  let nsd: Nsd;
  let program: Program;
  let postfix: Postfix;
  let browser: Browser;
  let site: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    all = join(workdir, 'decisions.jsonl');
    log = join(workdir, 'first.jsonl');
    const started = startBrowser();
    nsd = await startNsd(workdir, {
      'good.org': 'mail A 198.51.100.10\nmail A 198.51.100.11\nelsewhere A 203.0.113.1',
      '100.51.198.in-addr.arpa': '10 PTR mail.good.org.',
      org: 'good.org. IN NS ns.good.org.',
    });
    await startService();
    postfix = await startPostfix(workdir, { mainCf: '', milters: [program.socket] });
    browser = await started;
  }, BUSY);

  afterAll(async () => {
    await browser.close();
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  /** Starts it where it was before, if it was. */
  async function startService(...where: readonly string[]): Promise<void> {
    program = await startProgram([
      ...['--dns-server', nsd.server, '--grace', '0s', '--observe', '--decision-log', all, '--http-page'],
      ...(where.length === 0 ? ['--http', '127.0.0.1:0'] : where),
    ]);
    const output = await program.output();
    site = /^the page at (http:\S+)$/m.exec(output)?.[1] ?? expect.fail(output);
  }

  async function send(name: string, client = 10, from = '<news@good.org>'): Promise<void> {
    const smtp = await SmtpClient.connect(postfix.ports[0] ?? 0);
    await smtp.become(`198.51.100.${client}`, name);
    await smtp.say(`MAIL FROM:${from}`);
    await smtp.say('RCPT TO:<user@dest.test>');
    await smtp.say('RSET');
    await smtp.say('QUIT');
    smtp.close();
  }

  /** Opens it at the address of the service. */
  async function open(fragment = '', options: WindowOptions = {}): Promise<Page> {
    const page = await blankPage(browser, options);
    await page.goto(`${site}${fragment}`);
    return page;
  }

  const inLog = (): number =>
    existsSync(all)
      ? readFileSync(all, 'utf8')
          .split('\n')
          .filter((line) => line !== '').length
      : 0;

  it('shows mail as it comes, and what other options would do', { timeout: BUSY }, async () => {
    const page = await open();
    await page.waitForSelector('text=Waiting for the first decision');
    await page.waitForSelector('[data-connection=live]');
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'light' });
    await shot(page, 'live-waiting');

    await Promise.all(CLIENTS.map((name, i) => send(name, 10 + i)));
    await expect.poll(inLog).toBe(CLIENTS.length);
    copyFileSync(all, log);
    await settled(page);
    await expectAsReplayed(page, log);

    expect(await drag(page, 'rejectAt', 150)).toBeLessThan(10);
    await page.focus('[data-weight=helo-not-fqdn]');
    await page.keyboard.press('Home');
    await expectAsReplayed(page, log);
    // What was chosen stays while more comes.
    for (const name of ['gone.good.org', 'SATURN', 'elsewhere.good.org']) await send(name, 30);
    await expect.poll(inLog).toBe(CLIENTS.length + 3);
    await expectAsReplayed(page, all);

    // By keyboard alone: paused, so that nothing moves under a reader; then a decision.
    await page.focus('.connection button');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-connection=paused]');
    const before = await counts(page);
    await send('PLUTO', 40);
    await expect.poll(inLog).toBe(CLIENTS.length + 4);
    await page.focus('#tab-export');
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('.rows .link');
    await page.focus('.rows .link');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    expect(await page.textContent('dialog')).toMatch(
      /HELOelsewhere\.good\.org.*DNS at the time of the session/s,
    );
    await page.keyboard.press('Escape');
    expect(await counts(page)).toEqual(before);
    await page.focus('.connection button');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-connection=live]');
    // The same button has the focus still, so that it can be pressed again.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Pause');
    await expectAsReplayed(page, all);

    // The link holds what was tried; the service remembers the decisions.
    const told = await counts(page);
    expect(await page.inputValue('#export-link')).toBe(page.url());
    await page.reload();
    await settled(page);
    await vi.waitFor(async () => {
      expect(await counts(page)).toEqual(told);
    }, 30_000);
    await page.click('#tab-refused');
    await page.waitForSelector('#view .link');
    await expectAccessible(page);
    await shot(page, 'live-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await shot(page, 'live');
    await page.setViewportSize({ width: 360, height: 740 });
    await expectToFit(page);
    await shot(page, 'live-phone', true);
    await page.close();
  });

  it('shows what strangers say as text', { timeout: BUSY }, async () => {
    const page = await open('#policy=strict');
    await settled(page);
    await page.click('#tab-decisions');
    const before = inLog();
    for (const name of HOSTILE_HELOS) await send(name, 50, '<"</script><b>"@good.org>');
    await page.fill('input[type=search]', '</script><b>');
    await expect
      .poll(() => page.locator('.rows tbody tr').count(), { timeout: 30_000 })
      .toBe(HOSTILE_HELOS.length);
    expect(inLog()).toBe(before + HOSTILE_HELOS.length);
    for (const row of HOSTILE_HELOS.keys()) {
      await page.click(`.rows .link >> nth=${row}`);
      await page.waitForSelector('dialog[open]');
      await page.keyboard.press('Escape');
      await page.waitForSelector('dialog', { state: 'detached' });
    }
    for (const tab of ['refused', 'letin', 'findings', 'export']) await page.click(`#tab-${tab}`);
    expect(await page.title()).toBe('helo-milter');
    expect(await page.locator('img, #app script, #app b >> text=taken').count()).toBe(0);
    await page.close();
  });

  it('says so when the service is gone, and when it is back', { timeout: BUSY }, async () => {
    const page = await open('', { colorScheme: 'dark' });
    await settled(page);
    const before = await counts(page);
    const { socket } = program;
    await program.stop();
    await page.waitForSelector('[data-connection=lost]');
    await shot(page, 'live-lost');
    // What is there stays, and can be worked with.
    await page.check('input[value=strict]');
    await expectAsReplayed(page, all);
    expect((await counts(page))['accept']).toBeLessThan(before['accept'] ?? 0);
    // Not once the service is back: it may be found at that moment, and the same button then pauses.
    await page.click('text=Try now');
    await startService('--listen', socket, '--http', new URL(site).host);
    await page.waitForSelector('[data-connection=live]');
    await page.waitForSelector('text=has been started or reloaded since');
    await send('NEPTUNE', 60);
    await expectAsReplayed(page, all);
    await page.click('#tab-refused');
    await shot(page, 'live-again');
    await page.close();
  });
});
