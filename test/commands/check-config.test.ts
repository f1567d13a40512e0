import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/commands/check-config.ts';
import { ConfigSource } from '../../src/config/source.ts';
import { UsageError } from '../../src/errors.ts';
import type { Host, Ids } from '../../src/system/host.ts';
import { makeHost } from '../support/host.ts';

let directory: string;
let access: string;
let file: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hm-'));
  access = join(directory, 'access');
  file = join(directory, 'helo-milter.toml');
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const ROOT: Ids = { uid: 0, euid: 0, gid: 0, egid: 0, groups: [0] };

/** Root on a system where `gone` happens once root's rights are given up: what that user would find. */
function root(gone: () => void): Host {
  let ids = ROOT;
  const need = (): void => {
    if (ids.euid !== 0) throw new Error('EPERM');
  };
  return makeHost({
    identity: {
      current: () => ids,
      setGroups: need,
      initGroups: need,
      setGid: (gid) => {
        need();
        ids = { ...ids, gid, egid: gid };
      },
      setUid: (uid) => {
        need();
        ids = { ...ids, uid, euid: uid };
        gone();
      },
    },
  });
}

function check(text: string, host: Host): Promise<string> {
  writeFileSync(file, text);
  writeFileSync(access, 'allow * ip=192.0.2.0/24\n');
  return checkConfig(new ConfigSource(new Map(), { file }), host);
}

describe('--check-config as root with user = "nobody"', () => {
  it('reads everything again as that user', async () => {
    const text = `user = "nobody"\naccess = "${access}"\n`;
    expect(
      await check(
        text,
        root(() => undefined),
      ),
    ).toBe(`ok (${file})\n`);
    const away = (): void => {
      rmSync(access);
    };
    await expect(check(text, root(away))).rejects.toThrow(
      `${file}:2:10: access: ENOENT: no such file or directory, open '${access}' (as user "nobody", which needs access to it)`,
    );
  });

  it('reads the file itself again', async () => {
    const away = (): void => {
      rmSync(file);
    };
    await expect(check('user = "nobody"\n', root(away))).rejects.toThrow(
      /^--config: ENOENT: .* \(as user "nobody", which needs access to it\)$/,
    );
  });

  it('says that this Node does not permit it', async () => {
    const host = makeHost({
      identity: {
        current: () => ROOT,
        initGroups: () => {
          throw Object.assign(new Error('initgroups() disabled'), { code: 'ERR_INVALID_STATE' });
        },
      },
    });
    await expect(check('user = "nobody"\n', host)).rejects.toThrow(
      /toml:1:8: user: cannot become "nobody": this build of Node does not allow it/,
    );
  });

  it('stays who it is without it, and says that it is root', async () => {
    const host = makeHost({ identity: { current: () => ROOT } });
    const [warning, ...rest] = (await check(`access = "${access}"\n`, host)).split('\n');
    expect(warning).toMatch(/^warning: this was read as root, .*--user USER .*docs\/systemd\.md/);
    expect(rest).toEqual([`ok (${file})`, '']);
    expect(await check('user = "root"\n', host)).toBe(`ok (${file})\n`);
    expect(await check(`access = "${access}"\n`, makeHost())).toBe(`ok (${file})\n`);
  });
});

it('an ordinary user is told what was not checked', async () => {
  expect(await check('user = "nobody"\n', makeHost())).toBe(
    `warning: ${file}:1:1: only root can find out what "nobody" may read and write\nok (${file})\n`,
  );
});

/** Everything that is told, in order. */
async function told(checked: Promise<string>): Promise<string[]> {
  const error: unknown = await checked.then(
    () => new Error('nothing is wrong'),
    (fault: unknown) => fault,
  );
  if (!(error instanceof UsageError)) throw error;
  return [error, ...error.others].map(({ message }) => message.replaceAll(directory, '…'));
}

describe('one run lists all mistakes', () => {
  beforeAll(() => {
    writeFileSync(
      join(directory, 'bad-access'),
      'allow *\nallow * ip=192.0.2.0/24\n\npermit *\ndeny a b=c # x\n',
    );
    writeFileSync(
      join(directory, 'bad-recipients'),
      'a.test lax\nb.test strict\nb.test off\n@ off\nc.test\n',
    );
    writeFileSync(join(directory, 'bad.mjs'), 'export default { name: "own" };');
  });

  it.each<[title: string, lines: string[], environment: Record<string, string>, wanted: RegExp[]]>([
    [
      'in the file, the environment and the values',
      ['rejct-at = 1', 'reject-at = "x"', 'trust = ["192.0.2.0/24", "nowhere"]', 'observe = "maybe"'],
      { HELO_MILTER_NONSENSE: '1', HELO_MILTER_TEMPFAIL_AT: 'y' },
      [
        /^…\/helo-milter.toml:1:1: there is no option "rejct-at"/,
        /^…\/helo-milter.toml:4:11: observe: is true or false/,
        /^HELO_MILTER_NONSENSE: /,
        /^…\/helo-milter.toml:2:13: reject-at: /,
        /^HELO_MILTER_TEMPFAIL_AT: /,
        /^…\/helo-milter.toml:3:26: trust: /,
      ],
    ],
    [
      'in an option and on every line of the lists',
      ['reject-at = "x"', 'access = "bad-access"', 'recipient-policy = "bad-recipients"'],
      {},
      [
        /^…\/helo-milter.toml:1:13: reject-at: /,
        /^…\/bad-recipients:1: "lax" is not one of /,
        /^…\/bad-recipients:3: "b.test" is there already/,
        /^…\/bad-recipients:4: /,
        /^…\/bad-recipients:5: a line is a recipient and its policy/,
        /^…\/bad-access:1: an allow needs proof/,
        /^…\/bad-access:4: "permit" is neither/,
        /^…\/bad-access:5: "b=c" is none of/,
      ],
    ],
    [
      'of files that are not there, and directories',
      [
        'access = "no-access"',
        'recipient-policy = "no-recipients"',
        'check = ["no.mjs", "bad.mjs"]',
        'dns-zone = "no.zone"',
        'pid-file = "/no/such/pid"',
        'decision-log = "/no/such/log"',
        'listen = ["unix:/no/such/socket", "nonsense"]',
        'socket-group = "no-such-group"',
        'user = "no-such-user"',
      ],
      {},
      [
        /^…\/helo-milter.toml:7:11: listen: there is no directory \/no\/such/,
        /^…\/helo-milter.toml:7:35: listen: /,
        /^…\/helo-milter.toml:5:12: pid-file: there is no directory/,
        /^…\/helo-milter.toml:6:16: decision-log: there is no directory/,
        /^…\/helo-milter.toml:3:10: check: ENOENT/,
        /^…\/bad.mjs: check "own" has no function "run"/,
        /^…\/helo-milter.toml:2:20: recipient-policy: ENOENT/,
        /^…\/helo-milter.toml:1:10: access: ENOENT/,
        /^…\/helo-milter.toml:4:12: dns-zone: ENOENT/,
        /^…\/helo-milter.toml:9:8: user: /,
      ],
    ],
    [
      'in what is said of findings',
      [
        'weight = { helo-nonsense = 1, helo-more = 2 }',
        'reply-template = ["helo-mismatch={a} {b}", "helo-none=x"]',
      ],
      {},
      [
        /^…\/helo-milter.toml:1:12: weight: there is no finding "helo-nonsense"/,
        /^…\/helo-milter.toml:1:31: weight: there is no finding "helo-more"/,
        /^…\/helo-milter.toml:2:19: reply-template: helo-mismatch has no \{a\}/,
        /^…\/helo-milter.toml:2:19: reply-template: helo-mismatch has no \{b\}/,
        /^…\/helo-milter.toml:2:\d+: reply-template: there is no finding "helo-none"/,
      ],
    ],
    [
      'but none that follows from another',
      ['weight = { own-rule = 1 }', 'check = "bad.mjs"'],
      {},
      [/^…\/bad.mjs: check "own" has no function "run"/],
    ],
  ])('%s', async (_, lines, environment, wanted) => {
    writeFileSync(file, `${lines.join('\n')}\n`);
    const found = await told(checkConfig(new ConfigSource(new Map(), { file, environment }), makeHost()));
    expect(found).toEqual(wanted.map((each) => expect.stringMatching(each) as string));
  });

  it('and as root those of the user, too', async () => {
    const text = `rejct-at = 1\nuser = "nobody"\naccess = "${access}"\n`;
    const away = (): void => {
      rmSync(access);
    };
    expect(await told(check(text, root(away)))).toEqual([
      '…/helo-milter.toml:1:1: there is no option "rejct-at"; did you mean reject-at?',
      expect.stringMatching(/^…\/helo-milter.toml:3:10: access: ENOENT.* \(as user "nobody"/),
    ]);
  });
});

describe('the decision log', () => {
  it.each([
    ['a file', () => '', null],
    ['a file to be', () => 'new', null],
    ['a directory', () => directory, /EISDIR/],
    ['in no directory', () => '/no/such/log', /there is no directory/],
    ['below a file', () => join(file, 'log'), /there is no directory|ENOTDIR/],
  ])('is %s', async (_, path, wrong) => {
    const existing = join(directory, 'existing');
    writeFileSync(existing, '');
    chmodSync(existing, 0o600);
    const log = path() === '' ? existing : path() === 'new' ? join(directory, 'new') : path();
    const checked = check(`decision-log = "${log}"\n`, makeHost());
    if (wrong === null) expect(await checked).toBe(`ok (${file})\n`);
    else await expect(checked).rejects.toThrow(wrong);
  });
});
