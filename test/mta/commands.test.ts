/** Commands of the documentation that need more than Node: `npm start`, and jq on what the program writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { documented, ROOT } from '../support/documented.ts';
import { documentedHost, type DocumentedHost } from '../support/documented-host.ts';
import { askMilter } from './kit/milter-client.ts';
import { describeWith } from './kit/present.ts';

describeWith(['own network'], 'the two commands of the README', () => {
  const [start = '', test = ''] = documented('README.md', 'npm ci && npm start')
    .split('\n')
    .map((line) => line.replace(/\s+#.*/, '').replace('npm ci && ', ''));

  it.each([
    ['', /^5/, /helo=Jupiter action=reject /],
    [' -- --observe', /^(?![45])/, /helo=Jupiter action=accept verdict=reject /],
  ])('npm start%s says what to put into main.cf, and answers', async (options, reply, line) => {
    const child = spawn('sh', ['-c', `${start}${options}`], { cwd: ROOT, detached: true });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    try {
      const isReady = (): void => {
        expect(said).toContain('smtpd_milters');
      };
      await vi.waitFor(isReady, { timeout: 50_000 });
      expect(await askMilter('inet:127.0.0.1:8892', 'Jupiter')).toMatch(reply);
      await vi.waitFor(() => {
        expect(said).toMatch(line);
      });
    } finally {
      const ended = once(child, 'close');
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended;
    }
  });

  it('npm ci and npm test are what CI runs', () => {
    const ci = readFileSync(`${ROOT}.ci/run`, 'utf8');
    for (const each of ['npm ci', test]) expect(ci).toMatch(new RegExp(`^${each}\\b`, 'm'));
  });
});

describeWith(['jq'], 'jq', () => {
  let host: DocumentedHost;
  beforeAll(async () => {
    host = await documentedHost();
  });
  afterAll(() => {
    host.remove();
  });

  it('finds what doctor says is wrong', async () => {
    const { stdout, stderr } = await host.run(documented('docs/doctor.md', 'jq'));
    expect([stderr, stdout]).toEqual(['', expect.stringMatching(/^(?:"[a-z-]+"\n)+$/)]);
  });

  const recipes = documented('docs/log.md', 'jq -r').trimEnd().split('\n');
  it.each(recipes)('answers: %s', async (recipe) => {
    const { stdout, stderr } = await host.run(recipe);
    expect(stderr).toBe('');
    expect(stdout).not.toBe('');
  });

  // Filters for the decision log of 0.1.0, and what each says of one of its records and of the new log.
  it.each<[filter: string, then: string, now: string]>([
    ['.client.ip', '192.0.2.5', '203.0.113.50'],
    ['.helo', 'mail.small.example.org', 'gone.sender.org'],
    ['select(.action == "accept") | .reference', 'mwxaj3i1.1.1', 'mwtthiz8.5.1'],
    ['select(.judged.verdict.disposition != "accept") | .judged.verdict.cause', '', 'helo-nxdomain'],
    ['.judged.findings[] | "\\(.id) \\(.weight)"', '', 'helo-nxdomain 5\niprev-none 2'],
    ['[.sender, .judged.assessment.correspondence] | @tsv', '<a@x.example>\texact', '<s@sender.org>\tnone'],
    ['.judged.policy.preset', 'rfc5321', 'rfc5321'],
    ['select(.exempt != null) | .exempt', '', ''],
    ['.judged.assessment.outcomes[] | select(.check == "iprev") | .result', 'pass', 'permerror'],
  ])('reads records of 0.1.0 and of now by %s', async (filter, then, now) => {
    const old = `${ROOT}test/fixtures/records/v1-exact.json`;
    const answers = [old, '/var/log/helo-milter/decisions.jsonl.1'].map((log) =>
      host.run(`head -1 ${log} | jq -r '${filter}'`),
    );
    const [first, second] = await Promise.all(answers);
    expect([first?.stderr, second?.stderr]).toEqual(['', '']);
    expect([first?.stdout.trimEnd(), second?.stdout.trimEnd()]).toEqual([then, now]);
  });
});
