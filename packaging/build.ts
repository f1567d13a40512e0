/**
 * Builds what is installed, from what `npm run build` has made:
 *   npm run deb -- [--out DIR] [--version DEBIAN-VERSION]
 *   npm run tarball -- [--out DIR]
 * DEBFULLNAME and DEBEMAIL are the maintainer, SOURCE_DATE_EPOCH the time of all files (else that of the last
 * commit), as Debian's own tools have it. The same commit gives the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Build, buildDebianPackage } from './debian.ts';
import { buildTarball } from './tarball.ts';

const KINDS: Readonly<Record<string, (build: Build) => string>> = {
  deb: buildDebianPackage,
  tarball: buildTarball,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: '.' }, version: { type: 'string' } },
});
const build = KINDS[positionals.join(' ')];
if (build === undefined) {
  console.error(`usage: build.js ${Object.keys(KINDS).join('|')} [--out DIR] [--version DEBIAN-VERSION]`);
  process.exit(64);
}
const root = process.cwd();
const { DEBFULLNAME, DEBEMAIL } = process.env;
console.log(
  build({
    root,
    out: resolve(values.out),
    time: timeOf(root),
    maintainer: `${DEBFULLNAME ?? 'helo-milter authors'} <${DEBEMAIL ?? 'helo-milter@example.org'}>`,
    version: values.version ?? null,
  }),
);

function timeOf(directory: string): number {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH !== undefined) return Number(SOURCE_DATE_EPOCH);
  try {
    const printed = execFileSync('git', ['log', '-1', '--format=%ct'], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
    return Number(printed);
  } catch {
    // Not a clone.
    return Math.floor(statSync(join(directory, 'package.json')).mtimeMs / 1000);
  }
}
