/** The programs on the pages about the libraries run as they are, but for DNS and the port. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { blocksOf, ROOT } from './support/documented.ts';

interface Program {
  readonly page: string;
  /** A word by which its block is known. */
  readonly word: string;
  /** What of it is replaced, and by what. */
  readonly changes?: Readonly<Record<string, string>>;
  /** What the page leaves to the reader. */
  readonly before?: string;
  readonly after: string;
  readonly prints: RegExp;
}

const ANY_PORT = { 'inet:127.0.0.1:8892': 'inet:127.0.0.1:0' };

const PROGRAMS: readonly Program[] = [
  {
    page: 'docs/core.md',
    word: 'smtpReply',
    changes: {
      'createNodeResolver()': "zoneFileResolver('mail.example.org. A 198.51.100.9', 'zone')",
      createNodeResolver: 'zoneFileResolver',
    },
    after: 'console.log(assessment.correspondence, verdict.disposition, reply.code, reply.text)',
    prints: /^none reject 550 \[helo-mismatch\] HELO mail\.example\.org/,
  },
  {
    page: 'docs/milter.md',
    word: 'replyOnError:',
    changes: ANY_PORT,
    before: `import { MilterServer } from 'helo-milter/milter';
      class Session { helo() { return 'continue'; } }`,
    after: "console.log('closed')",
    prints: /^closed\n$/,
  },
  {
    page: 'docs/milter.md',
    word: 'MilterClient.open',
    after: "console.log('no assertion failed')",
    prints: /^no assertion failed\n$/,
  },
  {
    page: 'docs/service.md',
    word: 'startService',
    changes: ANY_PORT,
    after: 'console.log(`${service.sockets.length} socket`); await service.stop();',
    prints: /^1 socket$/m,
  },
];

it.each(PROGRAMS)('$page: $word', async ({ page, word, changes = {}, before = '', after, prints }) => {
  const [block, ...others] = blocksOf(page).filter(
    ({ language, text }) => language === 'js' && text.includes(word),
  );
  expect(others).toEqual([]);
  let program = block?.text ?? '';
  for (const [from, to] of Object.entries(changes)) {
    expect(program).toContain(from);
    program = program.replaceAll(from, to);
  }
  const args = ['--input-type=module', '-e', `${before}\n${program}\n${after}`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toMatch(prints);
});

it('has all programs of these pages', () => {
  const pages = ['docs/core.md', 'docs/milter.md', 'docs/service.md'];
  const blocks = pages.flatMap(blocksOf).filter(({ language }) => language === 'js');
  expect(blocks.length).toBe(PROGRAMS.length);
});
