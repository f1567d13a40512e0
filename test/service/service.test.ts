/** The service as its program holds it: what it has opened, what it tells, and what is left when it ends. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { ConfigSource } from '../../src/config/source.ts';
import { createLog } from '../../src/log/log.ts';
import { deliver, MilterClient } from '../../src/milter/index.ts';
import { type Service, startService } from '../../src/service/service.ts';

const directory = mkdtempSync(join(tmpdir(), 'service-'));
const path = (name: string): string => join(directory, name);
afterAll(() => {
  rmSync(directory, { recursive: true });
});
writeFileSync(path('recipients'), 'u@dest.test strict\n');
writeFileSync(path('zone'), 'example.org. NS ns.example.org.\n');

let service: Service | null = null;
afterEach(async () => {
  await service?.stop(0);
  service = null;
});

async function start(
  options: Readonly<Record<string, string>> = {},
): Promise<{ readonly service: Service; readonly lines: string[] }> {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line.trimEnd()));
  const all = { listen: 'inet:127.0.0.1:0', dnsZone: path('zone'), ...options };
  const source = new ConfigSource(new Map(Object.entries(all).map(([name, value]) => [name, [value]])), {
    file: null,
  });
  service = await startService(await source.read(), log, { source });
  return { service, lines };
}

async function send(to: Service): Promise<void> {
  const client = await MilterClient.open(to.sockets[0] ?? expect.fail());
  await client.connect('198.51.100.7');
  await client.helo('Jupiter');
  await deliver(client, { sender: 's@example.org', recipients: ['u@dest.test'] });
  client.quit();
  await expect.poll(() => to.connections).toBe(0);
}

const records = (name: string): number => readFileSync(path(name), 'utf8').split('\n').length - 1;

it('says where it listens, how long it would take to end, and what ails it', async () => {
  const { service: running } = await start({ grace: '7s' });
  expect(running.sockets).toEqual([expect.stringMatching(/^inet:127\.0\.0\.1:\d+$/)]);
  expect([running.http, running.graceMs, running.connections]).toEqual([null, 7000, 0]);
  expect(await running.ailment()).toBeNull();
  await running.stop();
  expect(await running.ailment()).toBe(`${running.sockets[0]}: ECONNREFUSED`);
});

it('serves the page with what it decides, and hides people if told to', async () => {
  const { service: running } = await start({
    ...{ http: '127.0.0.1:0', httpPage: '', mask: 'recipients', history: '1M' },
    decisionLog: path('unmasked'),
    recipientPolicy: path('recipients'),
  });
  await send(running);
  const page = await (await fetch(`http://${running.http}/`)).text();
  expect(page).toContain("connect-src 'self'");
  const events = await fetch(`http://${running.http}/events`);
  let told = '';
  for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    told += chunk;
    if (told.includes('event: current')) break;
  }
  expect(told).toMatch(/"helo":"Jupiter"/);
  const [, name = ''] = /<(hidden-[0-9a-f]{12})@dest\.test>/.exec(told) ?? [];
  // A mailbox with a policy of its own must be found again.
  expect(page).toContain(`["${name}@dest.test"`);
  expect(`${page}${told}`).not.toMatch(/\bu@dest|\bs@example/);
  // Both have the same decision; the log hides nobody.
  expect(told.match(/"reference":"[^"]*"/g)).toEqual(
    readFileSync(path('unmasked'), 'utf8').match(/"reference":"[^"]*"/g),
  );
  expect(readFileSync(path('unmasked'), 'utf8')).toContain('u@dest');
  // A reload may have changed what is in force: another page, which knows who is hidden.
  await running.reload();
  const [, force] = /"live":"(\w+\.\d+)"/.exec(page) ?? expect.fail();
  const again = await (await fetch(`http://${running.http}/`)).text();
  expect(again).not.toContain(`"live":"${force}"`);
  expect(again).toContain(`["${name}@dest.test"`);
});

it('counts for those who ask over HTTP', async () => {
  const { service: running } = await start({ http: '127.0.0.1:0' });
  await send(running);
  const body = await (await fetch(`http://${running.http}/metrics`)).text();
  expect(body).toMatch(/^helo_milter_actions_total\{action="reject"\} 1$/m);
  // The page only where it is asked for.
  for (const page of ['/', '/events'])
    expect((await fetch(`http://${running.http}${page}`)).status).toBe(404);
  await running.stop();
  await expect(fetch(`http://${running.http}/metrics`)).rejects.toThrow();
});

it('writes on where its decision log has been put, and all of it before it ends', async () => {
  const { service: running } = await start({ decisionLog: path('decisions') });
  await send(running);
  await expect.poll(() => records('decisions')).toBe(1);
  renameSync(path('decisions'), path('decisions.1'));
  await running.reopen();
  await send(running);
  await running.stop();
  expect([records('decisions.1'), records('decisions')]).toEqual([1, 1]);
});

it('tells an expired line of the access list once, wherever it has moved to', async () => {
  const LINE = 'deny old.example.org until=2020-01-01';
  writeFileSync(path('access'), `${LINE}\n`);
  const { service: running, lines } = await start({ access: path('access') });
  writeFileSync(path('access'), `# moved\n\n${LINE}\n`);
  await running.reload();
  expect(lines.filter((line) => line.includes('access-expired'))).toHaveLength(1);
});
