/** The program with all that it needs at run time, from what is built and installed in this checkout. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, put, putAll, type Tree } from './tree.ts';

/** The members of our package.json that are read here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
}

/** A package that the program uses, directly or not. */
export interface Dependency {
  readonly name: string;
  /** `node_modules/NAME`, below the root of the checkout as well as below the program. */
  readonly path: string;
  readonly version: string;
  /** SPDX. */
  readonly license: string;
  /** The text of its licence, as it came if it came with one. */
  readonly licenseText: string;
  readonly author: string;
  /** From the lock file: the algorithm, a hyphen, and the digest in base64. */
  readonly integrity: string;
}

export function readManifest(root: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}

/** Throws where the lock file names what is not installed, or not in that version. */
export function productionDependencies(root: string): readonly Dependency[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { dev?: boolean; version: string; integrity: string }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version, integrity }]) => {
      const found = manifestOf(join(root, path));
      if (found?.version !== version) {
        throw new Error(`${path} is ${found?.version ?? 'missing'}, not ${version}: run "npm ci"`);
      }
      const { author } = found;
      return {
        name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
        path,
        version,
        license: found.license,
        licenseText: licenceIn(join(root, path)) ?? `Licensed under ${found.license}.`,
        author: typeof author === 'string' ? author : (author?.name ?? ''),
        integrity,
      };
    });
}

interface FoundManifest {
  readonly version: string;
  readonly license: string;
  readonly author?: string | { readonly name: string };
}

/** LICENSE, license.md and the like; null where a package names its licence in package.json alone. */
function licenceIn(directory: string): string | null {
  const name = readdirSync(directory).find((each) => /^licen[cs]e(?:\.\w+)?$/i.test(each));
  return name === undefined ? null : readFileSync(join(directory, name), 'utf8');
}

function manifestOf(directory: string): FoundManifest | null {
  const file = join(directory, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as FoundManifest) : null;
}

/** What a package has beside the code that is run: types, maps, tests, minified copies. */
const ASIDE =
  /(?:^|\/)(?:test|tests|specs|examples|bench|bin)\/|\.min\.js$|(?:^|\/)(?:gruntfile|example)\.js$|tsconfig\.json$/;

const isRun = (path: string): boolean => /\.(?:js|cjs|mjs|json)$/.test(path) && !ASIDE.test(path);

/** Puts `dist`, `node_modules` and a package.json below `to`. `interpreter` is what starts the program. */
export function putProgram(tree: Tree, to: string, root: string, interpreter: string | null): void {
  const dist = join(root, 'dist');
  for (const file of ['cli.js', 'page.html'])
    if (!existsSync(join(dist, file))) throw new Error(`dist/${file} is missing: run "npm run build"`);
  // All that the build makes but types and maps: the page of `report --html` is no module.
  putAll(tree, join(to, 'dist'), dist, (path) => !/\.(?:d\.ts|map)$/.test(path));
  const cli = readFileSync(join(dist, 'cli.js'), 'utf8');
  const [, first = '', options = ''] = /^(#!\/usr\/bin\/env -S node( [^\n]*)?)\n/.exec(cli) ?? [];
  if (first === '') throw new Error('dist/cli.js does not begin with "#!/usr/bin/env -S node"');
  // The kernel hands all that follows an interpreter over as one word, which `env -S` takes apart.
  const shebang = `#!/usr/bin/env -S ${interpreter ?? 'node'}${options}`;
  put(tree, join(to, 'dist/cli.js'), `${shebang}${cli.slice(first.length)}`, 0o755);
  const { name, version, license, engines, dependencies } = readManifest(root);
  const manifest = { name, version, license, type: 'module', engines, dependencies };
  put(tree, join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const { path } of productionDependencies(root)) {
    const files = filesBelow(join(root, path)).filter((file) => !file.includes('node_modules/'));
    for (const file of files.filter(isRun)) {
      put(tree, join(to, path, file), readFileSync(join(root, path, file)));
    }
  }
}

/** What is in it, as CycloneDX 1.5. */
export function billOfMaterials(
  { name, version, license }: Manifest,
  dependencies: readonly Dependency[],
): string {
  const licensed = (id: string): object => ({ licenses: [{ license: { id } }] });
  const components = dependencies.map((each) => ({
    type: 'library',
    'bom-ref': `${each.name}@${each.version}`,
    name: each.name,
    version: each.version,
    purl: `pkg:npm/${each.name.replace('@', '%40')}@${each.version}`,
    ...licensed(each.license),
    hashes: [{ alg: 'SHA-512', content: sha512(each) }],
  }));
  const component = {
    type: 'application',
    'bom-ref': `${name}@${version}`,
    name,
    version,
    ...licensed(license),
  };
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component },
    components,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function sha512({ name, integrity }: Dependency): string {
  const [algorithm, digest = ''] = integrity.split('-');
  if (algorithm !== 'sha512') throw new Error(`${name}: no sha512 in the lock file`);
  return Buffer.from(digest, 'base64').toString('hex');
}
