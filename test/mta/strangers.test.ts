/**
 * Strangers who publish as much as DNS can carry: the process stays within its heap, and serves others. When
 * the cache kept whole answers, this heap was full before the last stranger came; `bench/strangers.ts` sends
 * a hundred thousand.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DnsStub, type Script, startDnsStub } from '../support/dns-stub.ts';
import { askMilter } from './kit/milter-client.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';

const CLIENTS = 500;
const AT_ONCE = 20;
const HEAP_MB = 128;

const TEXT = `v=spf1 ${'ip4:203.0.113.1 '.repeat(3800)}`.match(/.{1,250}/g) ?? [];

/** A text of 61 kB, in strings of 250. */
function chain(next: string): Script {
  const data = [...TEXT, next];
  return { truncated: [{ name: '*', type: 'TXT', ttl: 300, data }] };
}

const ZONE: Readonly<Record<string, Script>> = {
  'mail.sender.org A': [{ name: 'mail.sender.org', type: 'A', ttl: 300, data: '198.51.100.7' }],
  // Each has a chain of its own: look-ups at the same time would share the texts.
  ...Object.fromEntries(
    Array.from({ length: 10 * CLIENTS }, (_, i) => {
      const [link, client] = [i % 10, Math.floor(i / 10)];
      const next = link < 9 ? `include:l${link + 1}.s${client}.x.org` : '-all';
      return [`${link === 0 ? '' : `l${link}.`}s${client}.x.org TXT`, chain(next)];
    }),
  ),
};

describeWith(['own network'], 'strangers with long texts', () => {
  let stub: DnsStub;
  let program: Program;

  beforeAll(async () => {
    stub = await startDnsStub(ZONE);
    program = await startProgram(['--dns-server', stub.server, '--policy', 'rfc5321'], {
      environment: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
    });
  });

  afterAll(async () => {
    await program.stop();
    await stub.close();
  });

  it('leave it alive, and others served', async () => {
    let next = 0;
    const stranger = async (): Promise<void> => {
      for (let i = next++; i < CLIENTS; i = next++)
        await askMilter(program.socket, `s${i}.x.org`, `2001:db8::${i.toString(16)}`);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, stranger));
    // On a busy machine some packets are lost.
    const texts = stub.questions.filter((question) => question.endsWith(' TXT tcp'));
    expect(texts.length).toBeGreaterThan(CLIENTS / 2);
    await askMilter(program.socket, 'mail.sender.org');
    const decisions = await program.decisions();
    expect(decisions.at(-1)).toContain('helo=mail.sender.org action=accept');
    expect(decisions.at(-1)).toContain('correspondence=exact');
    expect(decisions).toHaveLength(CLIENTS + 1);
    expect(program.child.exitCode).toBeNull();
  }, 240_000);
});
