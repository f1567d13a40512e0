/**
 * Every kind of DNS trouble, behind a real Postfix and a real Sendmail: nobody is refused for it, nobody
 * waits past the deadline.
 */
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type DnsStub, type Script, startDnsStub } from '../support/dns-stub.ts';
import type { Mta } from './kit/mta.ts';
import { startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const DEADLINE_MS = 1500;
const CLIENT = '198.51.100.7';
const good: Script = [{ name: 'mail.sender.org', type: 'A', ttl: 60, data: CLIENT }];
const HEALTHY: Readonly<Record<string, Script>> = {
  'mail.sender.org A': good,
  'mail.sender.org': [],
  '7.100.51.198.in-addr.arpa PTR': [
    { name: '7.100.51.198.in-addr.arpa', type: 'PTR', ttl: 60, data: 'mail.sender.org' },
  ],
};

const MTAS = ['Postfix', 'Sendmail'] as const;

describeWith(['postfix', 'sendmail', 'own network'], 'DNS trouble', () => {
  let workdir: string;
  let stub: DnsStub;
  let program: Program;
  let mtas: Mta[];

  beforeAll(async () => {
    workdir = makeWorkdir();
    stub = await startDnsStub(HEALTHY);
    const deadline = ['--deadline', `${DEADLINE_MS}ms`, '--dns-timeout', '1s'];
    // A cached verdict would hide the trouble.
    program = await startProgram([
      '--dns-server',
      stub.server,
      ...deadline,
      '--cache-size',
      '0',
      '--policy',
      'rfc5321',
    ]);
    const port = program.socket.split(':').at(-1) ?? '';
    mtas = [
      await startPostfix(workdir, { mainCf: '', milters: [program.socket] }),
      // Without a T= Sendmail has its default time limits.
      await startSendmail(workdir, { milters: [`S=inet:${port}@127.0.0.1, F=T`] }),
    ];
  });

  afterAll(async () => {
    for (const mta of mtas) await mta.stop();
    await program.stop();
    await stub.close();
    removeWorkdir(workdir);
  });

  async function told(helo: string, name: Mta['name'] = 'Postfix'): Promise<{ code: number; ms: number }> {
    const port = mtas.find((mta) => mta.name === name)?.ports[0] ?? 0;
    const client = await SmtpClient.connect(port, CLIENT);
    const started = performance.now();
    expect((await client.say(`EHLO ${helo}`)).code).toBe(250);
    const { code } = await client.send();
    const ms = performance.now() - started;
    await client.say('QUIT');
    client.close();
    return { code, ms };
  }

  const TROUBLE: [string, Readonly<Record<string, Script>>][] = [
    ['a black hole', { '*': 'silence' }],
    ['SERVFAIL for everything', { '*': 'servfail' }],
    ['REFUSED for everything', { '*': 'refused' }],
    [
      'SERVFAIL for the zone of the name',
      { ...HEALTHY, 'mail.sender.org A': 'servfail', 'mail.sender.org': 'servfail' },
    ],
    ['SERVFAIL for the reverse zone', { ...HEALTHY, '7.100.51.198.in-addr.arpa PTR': 'servfail' }],
    ['answers after three seconds', { '*': { delayMs: 3000, then: 'nxdomain' } }],
    ['truncation with broken TCP', { '*': { truncated: 'no-tcp' } }],
    ['truncation with silent TCP', { '*': { truncated: 'silence' } }],
    ['answers with wrong ids', { '*': 'wrong-id' }],
    ['garbage', { '*': 'garbage' }],
  ];

  it.each(MTAS.flatMap((mta) => TROUBLE.map(([title, table]) => ({ mta, title, table }))))(
    '$mta: $title',
    async ({ mta, table }) => {
      stub.script(table);
      const { code, ms } = await told('mail.sender.org', mta);
      expect(code).toBe(250);
      expect(ms).toBeLessThan(DEADLINE_MS + 2000);
      const line = (await program.decisions()).at(-1) ?? '';
      expect(line).toMatch(/dns-temperror:0/);
    },
  );

  it.each(MTAS)('%s: flapping', async (mta) => {
    for (let i = 0; i < 6; i++) {
      stub.script(i % 2 === 0 ? { '*': 'servfail' } : HEALTHY);
      expect((await told('mail.sender.org', mta)).code).toBe(250);
    }
  });

  const outages = async (): Promise<number> =>
    (await program.output()).match(/^error dns-outage /gm)?.length ?? 0;
  const recoveries = async (): Promise<number> =>
    (await program.output()).match(/^dns-recovered /gm)?.length ?? 0;

  /** Waits until the outage brake is off, whatever trouble there was before. */
  async function calm(): Promise<void> {
    stub.script(HEALTHY);
    await vi.waitFor(
      async () => {
        expect(await recoveries()).toBe(await outages());
      },
      { timeout: 30_000, interval: 250 },
    );
    // Whether control questions are answered here is only learnt every ten seconds, while other questions are
    // answered.
    for (const end = Date.now() + 12_000; Date.now() < end;) {
      await told(`calm${Date.now()}.sender.org`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  it('one broken zone does not stop refusals for others', async () => {
    await calm();
    stub.script({
      ...HEALTHY,
      'mail.broken.org': 'servfail',
      'gone.strange.org': 'nxdomain',
      'strange.org': [],
    });
    expect((await told('mail.broken.org')).code).toBe(250);
    expect((await told('gone.strange.org')).code).toBe(450);
    expect((await told('Jupiter')).code).toBe(550);
  });

  it('an outage of the resolver stops refusals that rest on DNS, says so once, and ends by itself', async () => {
    await calm();
    const before = await outages();
    stub.script({ '*': 'servfail' });
    let clients = 0;
    await vi.waitFor(
      async () => {
        // Keep the mail coming: on a busy machine the first may be forgotten before the last has come.
        await told(`mail.domain${clients++}.org`);
        expect(await outages()).toBe(before + 1);
      },
      { timeout: 30_000, interval: 250 },
    );
    stub.script({ '*': 'servfail', 'gone.strange.org': 'nxdomain' });
    expect((await told('gone.strange.org')).code).toBe(250);
    expect((await program.decisions()).at(-1)).toContain(' dns=ill ');
    expect((await told('Jupiter')).code).toBe(550);
    stub.script({ ...HEALTHY, 'strange.org': [], '*': 'nxdomain' });
    await vi.waitFor(
      async () => {
        expect(await recoveries()).toBe(before + 1);
      },
      { timeout: 30_000, interval: 250 },
    );
    expect((await told('gone.strange.org')).code).toBe(450);
    expect(await outages()).toBe(before + 1);
  });
});
