/**
 * The page in a real browser: served by a service behind a real Postfix while mail comes, and made from its
 * decision log. What it shows is what `replay` says with the flags that it gives, with a mouse, with the
 * keyboard alone and on a phone. Pictures of it are left in `.shots/`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { counts, drag, expectAccessible, settled, shot } from './kit/page.ts';
import { describeWith } from './kit/present.ts';
import { OURS, type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const BUSY = 240_000;
type PageOptions = NonNullable<Parameters<Browser['newPage']>[0]>;

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
/** Stands in the log where a stranger writes. */
const MARK = 'JUPITER';
const HOSTILE = [
  '<script>document.title="taken"</script><img src=x onerror=document.title="taken">',
  '</script></style><script>document.title="taken"</script>',
  '\u202eevil\u2066 \u{1f4a3}\u0000\u001b[31m" onmouseover="document.title=1',
  'x'.repeat(255),
];

describeWith(['postfix', 'nsd', 'chromium'], 'the page', () => {
  let workdir: string;
  /** The decision log of the service, and its first lines. */
  let all: string;
  let log: string;
  let file: string;
  let nsd: Nsd;
  let program: Program;
  let postfix: Postfix;
  let browser: Browser;
  let site: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    all = join(workdir, 'decisions.jsonl');
    log = join(workdir, 'first.jsonl');
    file = join(workdir, 'page.html');
    const started = chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
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

  async function send(helo: string, client = 10, from = '<news@good.org>'): Promise<void> {
    const smtp = await SmtpClient.connect(postfix.ports[0] ?? 0);
    await smtp.become(`198.51.100.${client}`, helo);
    await smtp.say(`MAIL FROM:${from}`);
    await smtp.say('RCPT TO:<user@dest.test>');
    await smtp.say('RSET');
    await smtp.say('QUIT');
    smtp.close();
  }

  function helo(...args: readonly string[]): string {
    return execFileSync(OURS.node, [OURS.cli, ...args], { encoding: 'utf8' });
  }

  /** Opens it; whatever goes wrong in it fails the test. */
  async function open(fragment = '', options: PageOptions = {}): Promise<Page> {
    const page = await blank(options);
    page.on('request', (request) => {
      expect(request.url()).toMatch(/^(?:file|blob):/);
    });
    await page.goto(`${pathToFileURL(file).href}${fragment}`);
    await settled(page);
    return page;
  }

  async function blank(options: PageOptions = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, ...options });
    page.setDefaultTimeout(BUSY);
    page.on('pageerror', (error) => expect.unreachable(error.message));
    page.on('console', (message) => {
      // A service that is not there is one of the tests.
      if (message.type() === 'error' && !message.text().includes('ERR_')) expect.unreachable(message.text());
    });
    return page;
  }

  /** What is shown is what `replay` says of the log with the flags that the page gives. */
  async function expectAsReplayed(page: Page, decided = log): Promise<void> {
    await page.click('#tab-export');
    const flags = (await page.inputValue('#export-flags')).split(' ');
    const told = JSON.parse(helo('replay', '--no-config', '--json', ...flags, decided)) as {
      now: Record<string, number>;
      stricter: number;
      milder: number;
    };
    await vi.waitFor(async () => {
      expect(await counts(page)).toEqual({ ...told.now, stricter: told.stricter, milder: told.milder });
    }, 30_000);
  }

  const inLog = (): number =>
    existsSync(all)
      ? readFileSync(all, 'utf8')
          .split('\n')
          .filter((line) => line !== '').length
      : 0;

  it('shows mail as it comes, and what other options would do', { timeout: BUSY }, async () => {
    const page = await blank();
    await page.goto(site);
    await page.waitForSelector('text=Waiting for the first decision');
    await page.waitForSelector('[data-connection=live]');
    await shot(page, 'live-waiting');

    for (const [i, name] of CLIENTS.entries()) await send(name, 10 + i);
    await expect.poll(inLog).toBe(CLIENTS.length);
    copyFileSync(all, log);
    await settled(page);
    await expectAsReplayed(page);

    expect(await drag(page, 'rejectAt', 150)).toBeLessThan(10);
    await page.focus('[data-weight=helo-not-fqdn]');
    await page.keyboard.press('Home');
    await expectAsReplayed(page);
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
    await shot(page, 'live');
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await shot(page, 'live-dark');
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await shot(page, 'live-phone', true);
    await page.close();
  });

  it('shows what strangers say as text, live too', { timeout: BUSY }, async () => {
    const page = await blank();
    await page.goto(`${site}#policy=strict`);
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
    const page = await blank({ colorScheme: 'dark' });
    await page.goto(site);
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
    await startService('--listen', socket, '--http', new URL(site).host);
    await page.waitForSelector('[data-connection=live]');
    await page.waitForSelector('text=has been started or reloaded since');
    await send('NEPTUNE', 60);
    await expectAsReplayed(page, all);
    await shot(page, 'live-again');
    await page.close();
  });

  it('counts what replay counts, whatever is moved', { timeout: BUSY }, async () => {
    helo('report', '--no-config', '--html', file, log);
    const page = await open();
    await expectAsReplayed(page);

    // A threshold by its line.
    const moved = await drag(page, 'rejectAt', 150);
    expect(moved).toBeLessThan(10);

    // A weight, a policy and what is required, by keyboard.
    await page.focus('[data-weight=helo-not-fqdn]');
    await page.keyboard.press('Home');
    await page.focus('input[value=rfc5321]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await page.isChecked('input[value=strict]')).toBe(true);
    await page.selectOption('.settings select', 'exact');
    await expectAsReplayed(page);

    // The link holds all of it, and a page that is loaded anew follows it.
    const link = await page.inputValue('#export-link');
    expect(link).toBe(page.url());
    const before = await counts(page);
    const toml = await page.inputValue('#export-toml');
    expect(toml).toContain(`reject-at = ${moved}\n`);
    await page.reload();
    await settled(page);
    expect(await counts(page)).toEqual(before);
    await page.click('#tab-refused');
    await page.waitForSelector('#view .link');
    await shot(page, 'light');
    await page.close();
  });

  it('is used by the keyboard alone', { timeout: BUSY }, async () => {
    helo('report', '--no-config', '--policy', 'strict', '--html', file, log);
    const page = await open('', { colorScheme: 'dark' });
    await page.focus('#tab-refused');
    for (const tab of ['letin', 'findings', 'decisions']) {
      await page.keyboard.press('ArrowRight');
      expect(await page.evaluate('document.activeElement.id')).toBe(`tab-${tab}`);
    }
    await page.waitForSelector('.rows .link');
    await page.keyboard.press('Tab');
    await page.keyboard.type('gone.good');
    await vi.waitFor(async () => {
      expect(await page.locator('.rows tbody tr').count()).toBe(1);
    }, 30_000);
    await page.focus('.rows .link');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    const told = (await page.textContent('dialog')) ?? '';
    expect(told).toMatch(/helo-nxdomain.*gone\.good\.org A.*nxdomain/s);
    expect(told).toMatch(/What it would be told550 5\.\S+ \[helo-nxdomain\].*\(ref \w+\.\w+\.\w+\)/s);
    await shot(page, 'decision-dark');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await shot(page, 'dark', true);
    await page.close();
  });

  it('is fit to be shown with a month of mail', { timeout: BUSY }, async () => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const many = Array.from({ length: 1200 }, (_, i) => {
      const time = new Date(Date.UTC(2026, 0, 5) + i * 2_000_000).toISOString();
      return (lines[(i * i) % lines.length] ?? '')
        .replace(/"time":"[^"]*"/, `"time":"${time}"`)
        .replace(/"reference":"[^"]*"/, `"reference":"month.${i}.1"`);
    });
    const month = join(workdir, 'month.jsonl');
    writeFileSync(month, `${many.join('\n')}\n`);
    helo('report', '--no-config', '--html', file, month);
    const page = await open('#policy=emailcore&reject-at=8&tempfail-at=4');
    await shot(page, 'page');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page);
    await shot(page, 'page-dark');
    await page.close();
  });

  it.each([
    ['a phone', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
    ['200 % zoom', { viewport: { width: 640, height: 480 }, deviceScaleFactor: 2 }],
  ])('fits on %s', { timeout: BUSY }, async (name, options) => {
    const page = await open('#policy=strict', options);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await shot(page, name.replaceAll(/\W+/g, '-'), true);
    await page.close();
  });

  it('shows what is hostile as text', { timeout: BUSY }, async () => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const hostile = HOSTILE.flatMap((text) =>
      lines.map((line) => line.replaceAll(MARK, JSON.stringify(text).slice(1, -1))),
    );
    const other = join(workdir, 'hostile.jsonl');
    writeFileSync(other, `${hostile.join('\n')}\n`, 'utf8');
    helo('report', '--no-config', '--policy', 'strict', '--html', file, other);
    const page = await open();
    for (const tab of ['refused', 'letin', 'findings', 'decisions', 'export', 'report']) {
      await page.click(`#tab-${tab}`);
      expect(await page.evaluate('document.body.innerText')).not.toMatch(
        /[\u202a-\u202e\u2066-\u2069\u{1f4a3}]/u,
      );
    }
    await page.click('#tab-decisions');
    await page.fill('input[type=search]', 'script');
    // Asked from outside: the policy of the page lets no text be evaluated in it.
    await expect.poll(() => page.locator('.rows tbody tr').count(), { timeout: 30_000 }).toBe(2);
    await page.click('.rows .link >> nth=0');
    await page.waitForSelector('dialog[open]');
    expect(await page.textContent('dialog')).toContain('<script>');
    expect(await page.title()).toBe('helo-milter');
    expect(await page.locator('img, dialog script').count()).toBe(0);
    await page.close();
  });

  it('says so where there is nothing to show', { timeout: BUSY }, async () => {
    writeFileSync(join(workdir, 'empty'), '');
    helo('report', '--no-config', '--html', file, join(workdir, 'empty'));
    const page = await browser.newPage({ viewport: { width: 800, height: 500 } });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('text=There is no decision in this page');
    await shot(page, 'empty');
    const plain = await browser.newPage({ javaScriptEnabled: false });
    await plain.goto(pathToFileURL(file).href);
    expect(await plain.innerText('#report')).toContain('There is no decision in these files.');
    await Promise.all([page.close(), plain.close()]);
  });
});
