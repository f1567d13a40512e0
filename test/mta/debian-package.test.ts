/** Debian's package and the archive, built as `npm run deb` and `npm run tarball` build them. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gunzipSync } from 'node:zlib';
import { type Build, buildDebianPackage } from '../../packaging/debian.ts';
import { buildTarball } from '../../packaging/tarball.ts';
import { ask } from './kit/ask.ts';
import { NODE_FLAGS } from './kit/node-flags.ts';
import { describeWith } from './kit/present.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

describeWith(['dpkg-deb', 'shellcheck'], 'the Debian package', () => {
  let workdir: string;
  let file: string;
  /** What is unpacked, and the control files. */
  let root: string;
  let control: string;
  let build: Build;

  beforeAll(async () => {
    workdir = makeWorkdir();
    build = {
      root: ROOT,
      out: join(workdir, 'out'),
      time: 1_767_225_600,
      maintainer: 'A <a@example.org>',
      version: null,
    };
    file = buildDebianPackage(build);
    root = join(workdir, 'root');
    control = join(workdir, 'control');
    await run('dpkg-deb', ['-x', file, root]);
    await run('dpkg-deb', ['-e', file, control]);
  });

  afterAll(() => {
    removeWorkdir(workdir);
  });

  /** `MODE OWNER PATH`, as `dpkg-deb -c` lists them. */
  const listed = async (): Promise<{ mode: string; owner: string; time: string; path: string }[]> => {
    const { stdout } = await run('dpkg-deb', ['-c', file], {
      env: { ...process.env, TZ: 'UTC' },
      maxBuffer: 1e7,
    });
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [mode = '', owner = '', , day = '', hour = '', path = ''] = line.split(/\s+/);
        return { mode, owner, time: `${day} ${hour}`, path };
      });
  };
  const texts = (): readonly (readonly [path: string, text: string])[] =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name))
      .map((path) => {
        const bytes = readFileSync(path);
        return [path.slice(root.length), (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()];
      });

  it('says what it is, and what it needs', async () => {
    const { stdout } = await ask('dpkg-deb', ['-f', file]);
    expect(stdout).toMatch(/^Package: helo-milter$/m);
    expect(stdout).toMatch(/^Architecture: all$/m);
    expect(stdout).toMatch(/^Depends: nodejs \(>= 20\.19\), nodejs /m);
    expect(readFileSync(join(control, 'conffiles'), 'utf8')).toBe(
      '/etc/helo-milter.toml\n/etc/logrotate.d/helo-milter\n',
    );
    await run('md5sum', ['--check', '--quiet', join(control, 'md5sums')], { cwd: root });
  });

  it('belongs to root, and nothing in it is writable for others, or of another time', async () => {
    const files = await listed();
    expect(files.length).toBeGreaterThan(300);
    const executable = files.filter(({ mode }) => /^-.*x/.test(mode)).map(({ path }) => path);
    expect(executable).toEqual(['./usr/share/helo-milter/dist/cli.js']);
    for (const { mode, owner, time, path } of files) {
      expect(`${mode} ${owner}`, path).toMatch(
        /^(?:drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root\/root$/,
      );
      expect(time, path).toBe('2026-01-01 00:00');
    }
  });

  it('is the same, byte by byte, wherever and by whomever it is built', () => {
    const umask = process.umask(0o077);
    try {
      const again = buildDebianPackage({ ...build, out: join(workdir, 'again') });
      expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
    } finally {
      process.umask(umask);
    }
  });

  it('names no place of the machine where it was built', () => {
    const places = [ROOT.replace(/\/$/, ''), workdir].filter((place) => place.length > 4);
    for (const [path, text] of texts())
      for (const place of places) expect(text.includes(place), path).toBe(false);
  });

  it('has what runs, and neither types, maps nor what only developers need', () => {
    const paths = texts().map(([path]) => path);
    const modules = new Set(
      paths.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
    );
    expect(modules).toContain('commander');
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
    };
    for (const name of modules) expect(lock.packages[`node_modules/${name}`]?.dev ?? false, name).toBe(false);
    expect(paths.filter((path) => /helo-milter\/.*\.(?:ts|map|mts|cts)$/.test(path))).toEqual([]);
    for (const path of [
      '/usr/share/man/man8/helo-milter.8.gz',
      '/usr/share/bash-completion/completions/helo-milter',
      '/usr/share/zsh/vendor-completions/_helo-milter',
      '/usr/share/fish/vendor_completions.d/helo-milter.fish',
      '/usr/share/doc/helo-milter/changelog.gz',
      '/usr/share/doc/helo-milter/changelog.Debian.gz',
      '/usr/share/doc/helo-milter/sbom.cdx.json',
      '/usr/lib/systemd/system/helo-milter.socket',
    ]) {
      expect(paths).toContain(path);
    }
  });

  it('names the licence of each part', () => {
    const text = readFileSync(join(root, 'usr/share/doc/helo-milter/copyright'), 'utf8');
    const stanzas = text.split('\n\n').slice(1);
    expect(stanzas.length).toBeGreaterThan(5);
    for (const stanza of stanzas) {
      expect(stanza).toMatch(/^Files: \S+\nCopyright: \S.*\n(?: .*\n)*License: \S+\n \S/);
    }
  });

  it('has documents at every place that its manual, units and pages name', () => {
    const lost: string[] = [];
    let found = 0;
    for (const [path, text] of texts()) {
      const plain = text.replaceAll('\\-', '-');
      for (const [place] of plain.matchAll(/\/usr\/share\/doc\/helo-milter\/[\w./-]*[\w/]/g)) {
        found++;
        if (!existsSync(join(root, place))) lost.push(`${path}: ${place}`);
      }
      if (!path.endsWith('.md')) continue;
      for (const [, to = ''] of plain.replaceAll(/^```.*?^```/gms, '').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
        const place = to.startsWith('/') ? join(root, to) : join(root, path, '..', to);
        if (!/^[a-z]+:/.test(to) && !existsSync(place)) lost.push(`${path}: ${to}`);
      }
    }
    expect(lost).toEqual([]);
    expect(found).toBeGreaterThan(20);
    for (const name of ['/helo-milter.8.gz', '/etc/helo-milter.toml', '.service', '.socket', '.timer']) {
      const named = texts().filter(([path]) => path.endsWith(name));
      expect(named.length, name).toBeGreaterThan(0);
      for (const [path, text] of named)
        expect(text, path).not.toMatch(/(?<![\w/.\\-])(?:docs|examples|postfix\\?-conf)\//);
    }
  });

  it('has a program that runs by itself', async () => {
    const program = join(root, 'usr/bin/helo-milter');
    const own = ['#!/usr/bin/env -S /usr/bin/node', ...NODE_FLAGS].join(' ');
    const text = readFileSync(program, 'utf8');
    expect(text.split('\n')[0]).toBe(own);
    // As the kernel starts it, but for the place of Node.
    const copy = join(root, 'usr/share/helo-milter/dist/started.js');
    writeFileSync(copy, text.replace('/usr/bin/node', process.execPath), { mode: 0o755 });
    expect((await ask(copy, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+/);
    rmSync(copy);
    const zone = join(root, 'usr/share/doc/helo-milter/examples/senders.zone');
    const started = (...args: string[]): Promise<{ stdout: string }> =>
      ask(process.execPath, [program, ...args]);
    expect((await started('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
    const config = join(root, 'etc/helo-milter.toml');
    expect((await started('--config', config, '--check-config')).stdout).toContain('ok (');
    const asked = ['192.0.2.130', 'na01-bn1.outbound.cloud.example.com', '--no-config', '--dns-zone', zone];
    expect((await started('check', ...asked)).stdout).toContain('192.0.2.130 says HELO');
    const page = join(root, 'page.html');
    const log = join(root, 'usr/share/doc/helo-milter/examples/policy-tests/decisions.jsonl');
    await started('report', '--no-config', '--html', page, log);
    expect(readFileSync(page, 'latin1')).toContain('<section id="report"');
    rmSync(page);
  });

  it('has scripts in which shellcheck finds nothing', async () => {
    const scripts = ['preinst', 'postinst', 'prerm', 'postrm'].map((name) => join(control, name));
    for (const script of scripts) expect(statSync(script).mode & 0o777).toBe(0o755);
    const ours = ['debian-root', 'try-debian'].map((name) => join(ROOT, 'packaging', name));
    await ask('shellcheck', ['--severity=warning', ...scripts, ...ours]);
  });

  it('is an archive too, with what INSTALL names', async () => {
    const archive = buildTarball(build);
    expect(
      readFileSync(buildTarball({ ...build, out: join(workdir, 'again') })).equals(readFileSync(archive)),
    ).toBe(true);
    const unpacked = join(workdir, 'unpacked');
    mkdirSync(unpacked);
    await run('tar', ['xf', archive, '-C', unpacked, '--strip-components=1']);
    const install = readFileSync(join(unpacked, 'INSTALL'), 'utf8');
    const named = [...install.matchAll(/(?:install .*-m 644|sed '[^']*') ((?!\/)[\w./-]+)/g)].map(
      ([, path = '']) => path,
    );
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((path) => !existsSync(join(unpacked, path.replace(/\/\*$/, ''))))).toEqual([]);
    const cli = join(unpacked, 'dist/cli.js');
    expect(readFileSync(cli, 'utf8')).toMatch(/^#!\/usr\/bin\/env -S node /);
    expect((await ask(process.execPath, [cli, '--version'])).stdout).toMatch(/^\d/);
  });
});
