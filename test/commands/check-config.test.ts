import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/commands/check-config.ts';
import { ConfigSource } from '../../src/config/source.ts';
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

/** Root on a system where, once root is gone, `gone` happens: what that user would find. */
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
      `${file}:2:10: access: ENOENT: no such file or directory, open '${access}' (as the user "nobody", who must be able to)`,
    );
  });

  it('reads the file itself again', async () => {
    const away = (): void => {
      rmSync(file);
    };
    await expect(check('user = "nobody"\n', root(away))).rejects.toThrow(
      /^--config: ENOENT: .* \(as the user "nobody", who must be able to\)$/,
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
    `warning: ${file}:1:1: what "nobody" may read and write, only root can find out\nok (${file})\n`,
  );
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
