/**
 * The commands of README and docs: each block is run here as it is written, on a directory that stands for
 * the host, or says which test runs it, or why none does.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
    const written = /(?:> |--html )(\w[\w.-]*)/.exec(command)?.[1];
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
const OF_OTHERS =
  /^(?:npm|node|postconf|postfix|systemctl|systemd-run|systemd-analyze|journalctl|jq|awk|curl|apt|dpkg|ssh|setpriv|sysctl|kill) /;
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

/** Commands of other programs within sentences that no block has and no test gives, and why that is so. */
const UNTRIED: Readonly<Record<string, string>> = {
  'apt install nodejs npm': 'installs Node',
  'apt purge': 'packaging/try-debian says apt-get',
  'apt purge helo-milter': 'packaging/try-debian says apt-get',
  'apt remove': 'packaging/try-debian says apt-get',
  'apt install fail2ban python3-systemd': 'the suites find them installed',
  'npm start -- --observe': 'test/mta/commands.test.ts puts it together',
  'npm run bench -- --only storm': 'minutes',
  'npm run faults -- --only clock': 'the suite of npm run test:mta causes that fault too',
  'npm run fuzz -- --seconds 600 spf toml': 'ten minutes; test/fuzz.test.ts does it for less',
  'postconf -P': 'only prints',
  "postconf -e 'myhostname = mail.example.org'": 'for a mail server of somebody else',
  'ssh -L 9892:127.0.0.1:9892 mx.example.org': 'needs another host',
  'sysctl net.ipv4.tcp_pingpong_thresh=255': 'changes the kernel of the machine',
  'systemctl edit helo-milter-report.service': 'opens an editor',
  'systemctl edit helo-milter.socket': 'opens an editor',
  'systemd-analyze security': 'only prints',
};

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

  it('are in a block, or in what tests the project, or there is a reason why not', () => {
    const places = ['test', 'packaging', '.ci', 'fuzz', 'bench'].flatMap((room) =>
      readdirSync(ROOT + room, { recursive: true, withFileTypes: true })
        .filter((each) => each.isFile() && each.name !== 'documented-commands.test.ts')
        .map((each) => readFileSync(join(each.parentPath, each.name), 'latin1')),
    );
    const told = [...shell.map(({ text }) => text), ...places].map((text) => text.replaceAll(/\s+/g, ' '));
    const others = inline
      .map(({ code }) => code.replaceAll('\\|', '|'))
      .filter((code) => OF_OTHERS.test(code))
      .filter((code) => !told.some((text) => text.includes(code)));
    expect([...new Set(others)].sort()).toEqual(Object.keys(UNTRIED).sort());
  });

  it('have scripts of npm that there are', () => {
    const unknown = inline.filter(({ code }) => {
      const script = /\bnpm run ([\w:]+)/.exec(code)?.[1];
      return script !== undefined && !(script in scripts);
    });
    expect(unknown).toEqual([]);
  });
});
