/** Debian's package: where its files lie, and what dpkg is told about it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { copyrightFile } from './copyright.ts';
import { putDocuments, withPaths } from './documents.ts';
import { billOfMaterials, productionDependencies, putProgram, readManifest } from './program.ts';
import { filesBelow, put, type Tree, writeTree } from './tree.ts';

const PROGRAM = 'usr/share/helo-milter';
const DOCUMENTS = 'usr/share/doc/helo-milter';
const UNITS = 'usr/lib/systemd/system';
const CONFIG_FILES = ['etc/helo-milter.toml', 'etc/logrotate.d/helo-milter'];

export interface Build {
  /** The root of the checkout. */
  readonly root: string;
  /** Where the package is written. */
  readonly out: string;
  /** Unix time in seconds of everything in the package. */
  readonly time: number;
  /** `NAME <ADDRESS>` of who answers for the package. */
  readonly maintainer: string;
  /** Debian's version, if it is not that of package.json with the revision 1. */
  readonly version: string | null;
}

/** Returns the path of the package. */
export function buildDebianPackage({ root, out, time, maintainer, version: given }: Build): string {
  const version = given ?? debianVersion(readManifest(root).version);
  const tree = debianTree(root);
  const changelog = [
    `helo-milter (${version}) unstable; urgency=medium\n`,
    '  * What is new in this version, and what to change, is in changelog.gz.\n',
    ` -- ${maintainer}  ${new Date(time * 1000).toUTCString().replace('GMT', '+0000')}\n`,
  ].join('\n');
  putCompressed(tree, `${DOCUMENTS}/changelog.Debian`, changelog);

  const work = mkdtempSync(join(tmpdir(), 'helo-milter-deb-'));
  try {
    const staged = join(work, 'root');
    mkdirSync(staged);
    writeTree(new Map([...tree, ...control(tree, root, version, maintainer)]), staged, time);
    const file = join(out, `helo-milter_${version}_all.deb`);
    mkdirSync(out, { recursive: true });
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', staged, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return file;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The package's files, but for its changelog. */
function debianTree(root: string): Tree {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const own = (name: string): string => read(`packaging/debian/${name}`);
  const tree: Tree = new Map();
  const documents = `/${DOCUMENTS}`;

  putProgram(tree, PROGRAM, root, '/usr/bin/node');
  tree.set('usr/bin/helo-milter', { link: `../share/helo-milter/dist/cli.js` });
  put(tree, 'etc/helo-milter.toml', withPaths(watching(read('examples/helo-milter.toml')), documents));
  put(tree, 'etc/logrotate.d/helo-milter', own('logrotate'));
  for (const name of filesBelow(join(root, 'systemd'))) {
    put(tree, `${UNITS}/${name}`, withPaths(unitOfPackage(read(`systemd/${name}`)), documents));
  }
  putCompressed(
    tree,
    'usr/share/man/man8/helo-milter.8',
    withPaths(manualOfPackage(read('man/helo-milter.8')), documents),
  );
  const completions = 'usr/share';
  put(tree, `${completions}/bash-completion/completions/helo-milter`, read('completion/helo-milter.bash'));
  put(tree, `${completions}/zsh/vendor-completions/_helo-milter`, read('completion/_helo-milter'));
  put(tree, `${completions}/fish/vendor_completions.d/helo-milter.fish`, read('completion/helo-milter.fish'));

  const elsewhere = new Map([
    ['systemd', `/${UNITS}`],
    ...filesBelow(join(root, 'systemd')).map((name): [string, string] => [
      `systemd/${name}`,
      `/${UNITS}/${name}`,
    ]),
    ['CHANGELOG.md', 'changelog.gz'],
  ]);
  putDocuments(tree, DOCUMENTS, root, elsewhere);
  put(tree, `${DOCUMENTS}/examples/postfix-chroot.conf`, own('postfix-chroot.conf'));
  putCompressed(tree, `${DOCUMENTS}/changelog`, read('CHANGELOG.md'));
  const dependencies = productionDependencies(root);
  put(tree, `${DOCUMENTS}/copyright`, copyrightFile(read('LICENSE'), PROGRAM, dependencies));
  put(tree, `${DOCUMENTS}/sbom.cdx.json`, billOfMaterials(readManifest(root), dependencies));
  return tree;
}

function control(tree: Tree, root: string, version: string, maintainer: string): Tree {
  const own: Tree = new Map();
  const bytes = [...tree.values()].map((each) => ('link' in each ? 0 : each.data.length));
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    MAINTAINER: maintainer,
    // In KiB, each file by itself, as dpkg-gencontrol counts.
    SIZE: String(bytes.reduce((sum, each) => sum + Math.ceil(each / 1024), 0)),
    NODEJS: nodeDependency(readManifest(root).engines.node),
  };
  const text = (name: string): string => readFileSync(join(root, 'packaging/debian', name), 'utf8');
  put(
    own,
    'DEBIAN/control',
    text('control').replaceAll(/@([A-Z]+)@/g, (_, name: string) => values[name] ?? ''),
  );
  put(own, 'DEBIAN/conffiles', CONFIG_FILES.map((each) => `/${each}\n`).join(''));
  const sums = [...tree].flatMap(([path, each]) =>
    'link' in each || CONFIG_FILES.includes(path)
      ? []
      : [`${createHash('md5').update(each.data).digest('hex')}  ${path}\n`],
  );
  put(own, 'DEBIAN/md5sums', sums.join(''));
  for (const name of ['preinst', 'postinst', 'prerm', 'postrm'])
    put(own, `DEBIAN/${name}`, text(name), 0o755);
  return own;
}

/** `1.2.0-rc.1` comes before `1.2.0`, which Debian writes with a tilde. */
export function debianVersion(version: string): string {
  return `${version.replace('-', '~')}-1`;
}

/**
 * What of Debian's package nodejs suffices, from `engines.node`: ranges `^X.Y.Z` in ascending order, and at
 * last `>=X.Y.Z`.
 */
export function nodeDependency(engines: string): string {
  const ranges = engines.split(' || ').map((range) => {
    const [, sign, lowest = '', major = ''] = /^(\^|>=)((\d+)\.\d+\.\d+)$/.exec(range) ?? [];
    if (sign === undefined) throw new Error(`engines.node: "${range}" has another form than is read here`);
    return { least: lowest.replace(/(?:\.0)+$/, ''), beyond: sign === '^' ? Number(major) + 1 : null };
  });
  const [first, ...others] = ranges;
  const below = ranges.flatMap(({ beyond }) => (beyond === null ? [] : [beyond]));
  return [
    `nodejs (>= ${first?.least ?? ''})`,
    ...others.map(({ least }, i) => `nodejs (<< ${below[i] ?? ''}) | nodejs (>= ${least})`),
  ].join(', ');
}

/** The sample configuration, which changes nothing, as one that watches only. */
export function watching(sample: string): string {
  return replaced(sample, /^#observe = false$/m, 'observe = true');
}

/** Whatever else is installed in /usr/local, the units of the package start the program of the package. */
export function unitOfPackage(unit: string): string {
  const text = unit
    .replaceAll('/usr/bin/env helo-milter', '/usr/bin/helo-milter')
    .replaceAll('exec helo-milter', 'exec /usr/bin/helo-milter')
    .replace(/ Copy to \/etc\/systemd\/system\/; (\S+) says how, and/, ' $1 says');
  return replaced(text, /^Description=.*$/m, '$&\nDocumentation=man:helo-milter(8)');
}

function manualOfPackage(page: string): string {
  return replaced(page, / Their directory is that of the program[^\n]*/, '');
}

function replaced(text: string, what: RegExp, by: string): string {
  if (!what.test(text)) throw new Error(`nothing to replace for ${what}`);
  return text.replace(what, by);
}

function putCompressed(tree: Tree, path: string, text: string): void {
  put(tree, `${path}.gz`, gzipSync(text, { level: 9 }));
}
