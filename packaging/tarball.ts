/** The program for systems without Debian's packages: an archive to unpack, with all that it needs but Node. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Build } from './debian.ts';
import { putDocuments } from './documents.ts';
import { billOfMaterials, productionDependencies, putProgram, readManifest } from './program.ts';
import { put, putAll, type Tree, writeTree } from './tree.ts';

/** Returns the path of the archive, in which everything is below one directory. */
export function buildTarball({ root, out, time }: Build): string {
  const manifest = readManifest(root);
  const name = `helo-milter-${manifest.version}`;
  const tree: Tree = new Map();
  putProgram(tree, name, root, null);
  for (const each of ['systemd', 'man', 'completion']) putAll(tree, `${name}/${each}`, join(root, each));
  for (const each of ['LICENSE', 'CHANGELOG.md'])
    put(tree, `${name}/${each}`, readFileSync(join(root, each)));
  put(
    tree,
    `${name}/INSTALL`,
    readFileSync(join(root, 'packaging/INSTALL'), 'utf8').replaceAll('@NAME@', name),
  );
  put(tree, `${name}/logrotate.conf`, readFileSync(join(root, 'packaging/debian/logrotate')));
  const dependencies = productionDependencies(root);
  // Each package's licence stays beside it.
  for (const { path, licenseText } of dependencies) put(tree, `${name}/${path}/LICENSE`, licenseText);
  put(tree, `${name}/sbom.cdx.json`, billOfMaterials(manifest, dependencies));
  const here = ['systemd', 'CHANGELOG.md', 'LICENSE', 'man/helo-milter.8'];
  putDocuments(tree, name, root, new Map(here.map((each) => [each, each])));

  const work = mkdtempSync(join(tmpdir(), 'helo-milter-tar-'));
  try {
    const staged = join(work, 'root');
    mkdirSync(staged);
    writeTree(tree, staged, time);
    mkdirSync(out, { recursive: true });
    const file = join(out, `${name}.tar.gz`);
    const alike = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
    execFileSync('tar', ['-C', staged, ...alike, '-I', 'gzip -9n', '-cf', file, name]);
    return file;
  } finally {
    rmSync(work, { recursive: true });
  }
}
