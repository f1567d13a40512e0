/** What options do to a service when it starts, as seen in its answers to an MTA and in its log. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/log/log.ts';
import { MilterClient, type MilterClientOptions, type ReceivedReply } from '../../src/milter/index.ts';
import { startService } from '../../src/service/service.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'said-'));
  writeFileSync(
    join(directory, 'zone'),
    [
      '$ORIGIN sender.org.',
      'alias IN CNAME mail',
      'mail IN A 198.51.100.7',
      '@ IN NS ns',
      '7.100.51.198.in-addr.arpa. IN PTR mail.sender.org.',
      '',
    ].join('\n'),
  );
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/**
 * Two messages in two sessions, from an MTA that sends only these macros; returns the last replies and all
 * log lines.
 */
async function sessions(
  helo: string,
  options: Readonly<Record<string, string[]>>,
  macros: Readonly<Record<string, string>> = {},
  offer: MilterClientOptions = {},
): Promise<{ replies: (ReceivedReply | null)[]; lines: string[] }> {
  const lines: string[] = [];
  const config = readConfig(
    new Map(Object.entries({ listen: ['inet:127.0.0.1:0'], dnsZone: [join(directory, 'zone')], ...options })),
  );
  const service = await startService(
    config,
    createLog((line) => lines.push(line.trimEnd())),
  );
  const last: (ReceivedReply | null)[] = [];
  for (let i = 0; i < 2; i++) {
    const client = await MilterClient.open(service.sockets[0] ?? '', offer);
    client.macros('connect', macros);
    await client.connect('198.51.100.7');
    await client.helo(helo);
    client.macros('mail', { i: 'Q1', ...macros });
    const reply = await client.mail('s@sender.org');
    // As long as the first assessment is under way, the verdict is given at RCPT.
    last.push(reply === 'continue' ? await client.rcpt('r@dest.test') : reply);
    client.close();
  }
  await service.stop(0);
  return { replies: last, lines };
}

it.each<[weight: string[], findings: RegExp]>([
  [['helo-alias=0'], / findings=helo-alias:0,iprev-other-name:0 /],
  [['helo-alias=1'], / findings=helo-alias:1,iprev-other-name:0 /],
  [[], / action=accept .* findings=iprev-other-name:0 /],
])('--weight %j of an alias is seen in the decision line', async (weight, findings) => {
  const { lines } = await sessions('alias.sender.org', { weight });
  const decisions = lines.filter((line) => line.startsWith('decision '));
  expect(decisions).toHaveLength(2);
  for (const line of decisions) expect(line).toMatch(findings);
});

it.each<[string, string, Readonly<Record<string, string>>, MilterClientOptions]>([
  ['does not give its name', 'the macro j', {}, {}],
  ['lets nothing be changed', 'let us change header fields', { j: 'mx.dest.test' }, { actions: 0 }],
  ['lets nothing be removed', 'let us change header fields', { j: 'mx.dest.test' }, { actions: 0x01 }],
])(
  'if the MTA %s, that is not our fault: with --on-error tempfail no mail is tempfailed',
  async (_, told, macros, offer) => {
    const { replies, lines } = await sessions('mail.sender.org', { onError: ['tempfail'] }, macros, offer);
    for (const reply of replies) expect(['accept', 'continue']).toContain(reply);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('warning') && line.includes(told))).toHaveLength(1);
  },
);
