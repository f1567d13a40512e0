/**
 * The commands of README and docs: each block is run here as it is written, on a directory that stands for
 * the host, or says which test runs it, or why none does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, blocksOf, PAGES, ROOT } from './support/documented.ts';
import { documentedHost, type DocumentedHost } from './support/documented-host.ts';

const all = PAGES.flatMap(blocksOf);
const shell = all.filter(({ language }) => language === 'sh');
const title = ({ page, line }: Block): string => `${page}:${line}`;

/** The commands of a block, each with the lines that it goes on in, without the remark at its end. */
function commandsOf(text: string): string[] {
  return text
    .replaceAll(/(\\|\|\||&&|\|)\n/g, '$1\0')
    .split('\n')
    .map((line) => line.replaceAll('\0', '\n').replace(/\s+#\s.*$/, ''))
    .filter((line) => line.trim() !== '');
}

describe('each command does its work', () => {
  let host: DocumentedHost;
  beforeAll(async () => {
    host = await documentedHost();
  });
  afterAll(() => {
    host.remove();
  });

  it.each(
    shell
      .filter(({ mark }) => mark === '')
      .flatMap((block) => commandsOf(block.text).map((command) => [title(block), command] as const)),
  )('%s: %s', async (_, command) => {
    const { code, stdout, stderr } = await host.run(command);
    // These two tell by their exit code that something is wrong on the host.
    const tells = /helo-milter doctor|--verify/.test(command) ? [0, 1] : [0];
    expect(tells, `${stdout}\n${stderr}`).toContain(code);
    expect(stderr).toBe('');
    const written = /--html (\S+)/.exec(command)?.[1];
    const came = written === undefined ? stdout + host.sent() : (await host.run(`cat ${written}`)).stdout;
    expect(came).not.toBe('');
  });
});

describe('a block that another test runs', () => {
  it.each(
    shell.filter(({ mark }) => mark.startsWith('run by ')).map((block) => [title(block), block] as const),
  )('%s is run by it', (_, { page, mark, text }) => {
    const file = mark.slice('run by '.length);
    expect(existsSync(ROOT + file), file).toBe(true);
    // `documented('PAGE', 'WORD')`, and in a script `documented PAGE WORD`.
    const call = /\bdocumented(?:\('| )([^' ]+)(?:', ?| )(?:(["'])(.+?)\2|([^\s"';]+))/g;
    const calls = [...readFileSync(ROOT + file, 'utf8').matchAll(call)];
    const taken = calls.filter(([, from, , quoted, word]) => {
      const wanted = quoted ?? word;
      return from === page && wanted !== undefined && text.includes(wanted);
    });
    expect(taken.length, `${file} does not take this block by documented('${page}', …)`).toBeGreaterThan(0);
  });
});

it('every block of commands is run, here or elsewhere, or says why it is not', () => {
  const odd = shell.filter(
    ({ mark }) => !/^(?:|run by (?:test\/\S+\.test\.ts|packaging\/try-debian)|not run: \S.{9,})$/.test(mark),
  );
  expect(odd.map((block) => `${title(block)} ${block.mark}`)).toEqual([]);
  expect(shell.length).toBeGreaterThan(15);
});

/** Each page that shows what commands print, with the test that prints it. */
const PRINTED: Readonly<Record<string, string>> = { 'docs/senders.md': 'test/senders.test.ts' };
const TYPED =
  /^(?:[$#] )?(?:sudo )?(?:helo-milter|npm|node|postconf|postfix|systemctl|systemd-run|journalctl|jq|awk|curl|apt|dpkg|ssh|setpriv) /m;

it('no commands are in a block that is not one of commands', () => {
  for (const [page, test] of Object.entries(PRINTED))
    expect(readFileSync(ROOT + test, 'utf8')).toContain(page.slice('docs/'.length));
  const hidden = all.filter(
    ({ page, language, text }) => language !== 'sh' && PRINTED[page] === undefined && TYPED.test(text),
  );
  expect(hidden.map(title)).toEqual([]);
});

describe('commands within sentences', () => {
  const completions = readFileSync(`${ROOT}completion/helo-milter.bash`, 'utf8');
  const scripts = (JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: object }).scripts;
  const inline = PAGES.flatMap((page) =>
    [
      ...readFileSync(ROOT + page, 'utf8')
        .replaceAll(/^```.*?^```/gms, '')
        .matchAll(/`([^`]+)`/g),
    ].map(([, code = '']) => ({ page, code: code.replaceAll(/\s+/g, ' ') })),
  );

  it('have commands and flags that there are', () => {
    const known = (word: string): boolean => new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(completions);
    const unknown = inline
      .filter(({ code }) => code.startsWith('helo-milter '))
      .flatMap(({ page, code }) => {
        const [, first = '', ...rest] = code.split(/[ =]/);
        const words = [first, ...rest.filter((word) => word.startsWith('--'))];
        return words.filter((word) => /^[a-z-]/.test(word) && !known(word)).map((word) => `${page}: ${word}`);
      });
    expect(unknown).toEqual([]);
  });

  it('have scripts of npm that there are', () => {
    const unknown = inline.filter(({ code }) => {
      const script = /\bnpm run ([\w:]+)/.exec(code)?.[1];
      return script !== undefined && !(script in scripts);
    });
    expect(unknown).toEqual([]);
  });
});
