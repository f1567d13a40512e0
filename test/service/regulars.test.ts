/** From the first mail to a regular, through the service and over a restart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createLog } from '../../src/log/log.ts';
import { deliver, MilterClient } from '../../src/milter/index.ts';
import { type Service, startService } from '../../src/service/service.ts';
import { configOf, type Given } from '../support/workshop.ts';

const dir = mkdtempSync(join(tmpdir(), 'regulars-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const zone = join(dir, 'zone');
writeFileSync(zone, 'example.org. NS ns.example.org.\ncom. NS ns.com.\n');

const NAME = 'gone.example.org';

interface Running {
  readonly service: Service;
  /** Sends a message, and gives what the decision line says of it. */
  readonly send: (ip: string, helo?: string) => Promise<Record<string, string>>;
}

async function running(given: Given = {}): Promise<Running> {
  const lines: string[] = [];
  const options = { listen: 'inet:127.0.0.1:0', dnsZone: zone, authservId: 'mx.test', regulars: '1/1' };
  const config = configOf({
    ...options,
    regularsFile: join(dir, 'regulars'),
    tempfailLimit: '1/0s',
    ...given,
  });
  const service = await startService(
    config,
    createLog((line) => lines.push(line.trimEnd())),
  );
  const send = async (ip: string, helo = NAME): Promise<Record<string, string>> => {
    const before = lines.length;
    const client = await MilterClient.open(service.sockets[0] ?? expect.fail());
    await client.connect(ip);
    await client.helo(helo);
    await deliver(client, { sender: 's@example.org', recipients: ['u@dest.test'] });
    client.close();
    await expect.poll(() => lines.slice(before).some((line) => line.startsWith('decision'))).toBe(true);
    const line = lines.slice(before).find((each) => each.startsWith('decision')) ?? '';
    return Object.fromEntries(
      [...line.matchAll(/(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]),
    );
  };
  return { service, send };
}

it('is let off once its mail was accepted, and nobody beside it is, also after a restart', async () => {
  const first = await running();
  expect(await first.send('203.0.113.5')).toMatchObject({ action: 'tempfail', end: 'refused' });
  expect(await first.send('203.0.113.5')).toMatchObject({ exempt: 'tempfail-limit', end: 'accepted' });
  const regular = await first.send('203.0.113.5');
  expect(regular).toMatchObject({ action: 'accept', verdict: 'accept', regular: 'yes', stream: 'failed' });
  await first.service.stop(0);

  const second = await running();
  expect(await second.send('203.0.113.5')).toMatchObject({ verdict: 'accept', regular: 'yes' });
  for (const forger of ['203.0.113.6', '198.51.100.5']) {
    const told = await second.send(forger);
    expect(told).toMatchObject({ verdict: 'tempfail' });
    expect(told).not.toHaveProperty('regular');
  }
  const other = await second.send('203.0.113.5', 'other.example.org');
  expect(other).toMatchObject({ verdict: 'tempfail' });
  expect(other).not.toHaveProperty('regular');
  await second.service.stop(0);
});

it('is not learned from mail that is only watched, nor from mail whose end is not seen', async () => {
  const given = { regularsFile: join(dir, 'other') };
  const watching = await running({ ...given, observe: '', tempfailLimit: '9/1h' });
  for (let i = 0; i < 3; i++)
    expect(await watching.send('203.0.113.5')).toMatchObject({ action: 'accept', verdict: 'tempfail' });
  await watching.service.stop(0);
  const blind = await running({ ...given, noAuthResults: '' });
  expect(await blind.send('203.0.113.5')).toMatchObject({ action: 'tempfail' });
  for (let i = 0; i < 3; i++) {
    const told = await blind.send('203.0.113.5');
    expect(told).toMatchObject({ exempt: 'tempfail-limit', end: 'unseen' });
    expect(told).not.toHaveProperty('regular');
  }
  await blind.service.stop(0);
});
