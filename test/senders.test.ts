/**
 * What each preset does with the kinds of senders that there are, and the page that shows it. `npm run docs`
 * writes the page.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../src/core/check.ts';
import { runCommandLine } from '../src/commands/command-line.ts';
import { SENDERS } from './fixtures/senders.ts';
import { fakeTerminal } from './support/terminal.ts';

const ZONE = fileURLToPath(new URL('../examples/senders.zone', import.meta.url));
const PAGE = new URL('../docs/senders.md', import.meta.url);

interface Report {
  dns: readonly { name: string; type: string }[];
  findings: readonly { id: string }[];
  correspondence: string;
  stream: string;
  verdicts: Record<string, { disposition: string }>;
}

async function check(ip: string, helo: string, ...more: string[]): Promise<string> {
  let out = '';
  const write = (text: string): void => {
    out += text;
  };
  const terminal = fakeTerminal({ write, writeError: write });
  expect(await runCommandLine(['check', ip, helo, '--dns-zone', ZONE, ...more], '1', terminal)).toBe(0);
  return out;
}

describe('senders', () => {
  it.each(SENDERS)(
    '$title: $helo from $ip is $correspondence, $stream, $dispositions',
    async ({ ip, helo, ...wanted }) => {
      const report = JSON.parse(await check(ip, helo, '--json')) as Report;
      expect({
        correspondence: report.correspondence,
        stream: report.stream,
        dispositions: Object.values(report.verdicts)
          .map(({ disposition }) => disposition[0])
          .join(''),
      }).toEqual({
        correspondence: wanted.correspondence,
        stream: wanted.stream,
        dispositions: wanted.dispositions,
      });
    },
  );

  it.each(SENDERS)(
    '$title: check prints every DNS answer, every finding and every preset',
    async ({ ip, helo }) => {
      const { dns, findings } = JSON.parse(await check(ip, helo, '--json')) as Report;
      const text = await check(ip, helo);
      const lines = text.split('\n').map((line) => line.trim().split(/ +/, 2).join(' '));
      for (const { name, type } of dns) expect(lines).toContain(`${name} ${type}`);
      for (const { id } of findings) expect(text).toContain(id);
      for (const preset of PRESETS) expect(text).toContain(preset);
    },
  );

  it('the page of check outputs is up to date', async () => {
    const parts = [
      '# Senders, explained\n\nWhat `helo-milter check` says of the senders in [examples/senders.zone](../examples/senders.zone). Generated; do not edit.\n',
    ];
    for (const { title, ip, helo } of SENDERS) {
      const command = `helo-milter check ${ip} '${helo}' --dns-zone examples/senders.zone`;
      parts.push(`## ${title}\n\n\`\`\`\n$ ${command}\n${(await check(ip, helo)).trimEnd()}\n\`\`\`\n`);
    }
    const page = parts.join('\n');
    if (process.env['WRITE_DOCS'] === '1') writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, 'utf8'), 'run \"npm run docs\" and commit what it writes').toBe(page);
  });
});
