/** What the packages are made by: versions, the Node that suffices, configuration, links, scripts. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { debianVersion, nodeDependency, unitOfPackage, watching } from '../packaging/debian.ts';
import { linkedWithin, withPaths } from '../packaging/documents.ts';
import { billOfMaterials, productionDependencies, readManifest } from '../packaging/program.ts';
import { readConfig } from '../src/config/config.ts';
import { parseConfigFile } from '../src/config/file.ts';
import { textsOf } from '../src/config/given.ts';
import { ROWS } from '../src/config/options.ts';
import { NODE_FLAGS } from './mta/kit/node-flags.ts';
import { blocksOf } from './support/documented.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

it('puts what is built into the place of what was there', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hm-'));
  const [made, place] = [join(directory, 'made'), join(directory, 'dist')];
  const script = `${ROOT}scripts/put-in-place.mjs`;
  for (const file of ['first.js', 'renamed.js']) {
    mkdirSync(made);
    writeFileSync(join(made, file), '');
    execFileSync(process.execPath, [script, made, place]);
    expect(readdirSync(directory, { recursive: true })).toEqual(['dist', join('dist', file)]);
  }
  // Nothing was built: what is there stays.
  expect(() => execFileSync(process.execPath, [script, made, place], { stdio: 'ignore' })).toThrow();
  expect(readdirSync(place)).toEqual(['renamed.js']);
  rmSync(directory, { recursive: true });
});

it('starts Node with the same options by npm and by itself', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  expect(NODE_FLAGS.length).toBeGreaterThan(0);
  expect(scripts.start).toBe(['node', ...NODE_FLAGS, 'dist/cli.js'].join(' '));
});

it.each([
  ['1.2.3', '1.2.3-1'],
  ['1.2.3-rc.1', '1.2.3~rc.1-1'],
])('version %s is %s in Debian', (version, debian) => {
  expect(debianVersion(version)).toBe(debian);
});

describe('the Node that the package depends on', () => {
  it('is that of engines', () => {
    expect(nodeDependency(readManifest(ROOT).engines.node)).toBe(
      'nodejs (>= 20.19), nodejs (<< 21) | nodejs (>= 22.13), nodejs (<< 23) | nodejs (>= 24)',
    );
  });

  it('is told where engines are written in another way', () => {
    expect(() => nodeDependency('20.x')).toThrow('"20.x" has another form');
  });
});

describe('the configuration of the package', () => {
  const config = watching(read('examples/helo-milter.toml'));
  it('watches only, and is otherwise that of the program', () => {
    const made = readConfig(textsOf(parseConfigFile(config, '/etc/helo-milter.toml')));
    expect(made).toEqual({ ...readConfig(new Map()), observe: true });
  });

  it('has the lines of the README, in force or behind a "#", so that they are not written a second time', () => {
    const lines = blocksOf('README.md').flatMap(({ language, text }) =>
      language === 'toml' ? text.trimEnd().split('\n') : [],
    );
    expect(lines).toHaveLength(2);
    const there = config.split('\n').map((line) => line.replace(/^#(?=[a-z])/, ''));
    expect(lines.filter((line) => !there.includes(line))).toEqual([]);
  });

  it('has each line in force with its default once it is uncommented', () => {
    const defaults = readConfig(new Map());
    const lines = [...config.matchAll(/^#([a-z][\w-]* = .*)$/gm)].map(([, line = '']) => line);
    expect(lines).toHaveLength(ROWS.length - 1);
    for (const line of lines) {
      const made = readConfig(textsOf(parseConfigFile(`${line}\n`, '/etc/helo-milter.toml')));
      const key = line
        .replace(/ =.*/, '')
        .replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const [, row] = ROWS.find(([each]) => each === key) ?? [];
      const given = made[key as keyof typeof made];
      if (row?.default === null && row.value !== undefined) continue;
      expect(given, line).toEqual(defaults[key as keyof typeof defaults]);
    }
  });
});

it('the units of the package start its program, whatever is in /usr/local', () => {
  for (const name of ['helo-milter.service', 'helo-milter-report.service']) {
    const commands = [...unitOfPackage(read(`systemd/${name}`)).matchAll(/^Exec\w+=(.*)$/gm)];
    expect(commands.length).toBeGreaterThan(0);
    for (const [, command = ''] of commands)
      expect(command).toMatch(/\/usr\/bin\/helo-milter\b|^\/bin\/kill /);
  }
});

describe('links of an installed document', () => {
  const there = (path: string): string | null =>
    new Map([
      ['docs/log.md', 'docs/log.md'],
      ['systemd', '/usr/lib/systemd/system'],
      ['CHANGELOG.md', 'changelog.gz'],
    ]).get(path) ?? null;
  it.each([
    ['docs/a.md', '[log](log.md#fields)', '[log](log.md#fields)'],
    ['docs/a.md', '[new](../CHANGELOG.md)', '[new](../changelog.gz)'],
    ['README.md', '[new](CHANGELOG.md)', '[new](changelog.gz)'],
    ['README.md', '[units](systemd/)', '[units](/usr/lib/systemd/system)'],
    ['README.md', '[map](ARCHITECTURE.md)', 'map'],
    ['README.md', '[web](https://example.org/a.md) [here](#a)', '[web](https://example.org/a.md) [here](#a)'],
  ])('%s: %s', (page, text, installed) => {
    expect(linkedWithin(page, text, there)).toBe(installed);
  });
});

it('the trial in a booted Debian takes along each page whose commands it runs', () => {
  const script = read('packaging/try-debian');
  const taken = /^cp -r (.*) "\$here\/opt\/try"$/m.exec(script)?.[1]?.split(' ') ?? [];
  const pages = [...script.matchAll(/\bdocumented ([\w./-]+\.md) /g)].map(([, page = '']) => page);
  expect(pages).toContain('README.md');
  expect(pages.filter((page) => !taken.some((each) => `${page}/`.startsWith(`${each}/`)))).toEqual([]);
});

it('documents that a text names are named where they are', () => {
  expect(withPaths('see docs/log.md, x/docs/log.md', '/usr/share/doc/a-b')).toBe(
    'see /usr/share/doc/a-b/docs/log.md, x/docs/log.md',
  );
  expect(withPaths('of postfix-conf and examples; see examples/\npostfix-conf/main.cf', '/d')).toBe(
    'of postfix-conf and examples; see /d/examples/\n/d/postfix-conf/main.cf',
  );
  expect(withPaths('.\\" made\ndocs/self\\-test.md', '/usr/share/doc/a-b')).toBe(
    '.\\" made\n/usr/share/doc/a\\-b/docs/self\\-test.md',
  );
});

it('the bill of materials names what is packed, with versions, licences and digests', () => {
  const dependencies = productionDependencies(ROOT);
  const bill = JSON.parse(billOfMaterials(readManifest(ROOT), dependencies)) as {
    readonly components: readonly { name: string; licenses: unknown[]; hashes: { content: string }[] }[];
  };
  const names = bill.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(readManifest(ROOT).dependencies)));
  expect(names).not.toContain('vitest');
  for (const { hashes } of bill.components) expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/);
});

it.each(['debian/preinst', 'debian/postinst', 'debian/prerm', 'debian/postrm'])(
  '%s is a shell script',
  (name) => {
    expect(read(`packaging/${name}`)).toMatch(/^#!\/bin\/sh\nset -e\n/);
    execFileSync('sh', ['-n', `${ROOT}packaging/${name}`]);
  },
);

describe('a purge', () => {
  const SOCKET = 'var/spool/postfix/helo-milter';
  const DROP_IN = 'etc/systemd/system/helo-milter.socket.d';
  const LEFT = [`${SOCKET}/socket`, `${DROP_IN}/postfix-chroot.conf`];

  it.each<[string, (root: string) => void, boolean[]]>([
    [
      'removes what is ours',
      (root) => {
        for (const file of LEFT) {
          mkdirSync(join(root, file, '..'), { recursive: true });
          writeFileSync(join(root, file), '');
        }
      },
      [false, false, false, false],
    ],
    [
      'leaves links, and what they lead to',
      (root) => {
        for (const [i, file] of LEFT.entries()) {
          const target = join(root, `target${i}`);
          mkdirSync(target);
          mkdirSync(join(root, file, '../..'), { recursive: true });
          symlinkSync(target, join(root, file, '..'));
          writeFileSync(join(root, file), '');
        }
      },
      [true, true, true, true],
    ],
    [
      'does not fail at a file in place of a directory, nor at a directory in place of a file',
      (root) => {
        mkdirSync(join(root, LEFT[0] ?? '', 'x'), { recursive: true });
        mkdirSync(join(root, DROP_IN, '..'), { recursive: true });
        writeFileSync(join(root, DROP_IN), '');
      },
      [true, true, true, false],
    ],
    ['does not fail where there is nothing', () => undefined, [false, false, false, false]],
  ])('%s', (_, prepare, there) => {
    const root = mkdtempSync(join(tmpdir(), 'hm-purge-'));
    try {
      prepare(root);
      // Without the programs of a Debian system, which would have to do with this one.
      const bin = join(root, 'bin');
      mkdirSync(bin);
      for (const name of ['rm', 'rmdir']) symlinkSync(`/bin/${name}`, join(bin, name));
      execFileSync('/bin/sh', [`${ROOT}packaging/debian/postrm`, 'purge'], {
        env: { PATH: bin, DPKG_ROOT: root },
        stdio: 'ignore',
      });
      expect([SOCKET, DROP_IN, ...LEFT].map((file) => existsSync(join(root, file)))).toEqual(there);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
