/**
 * A package registry on loopback that has the packages in `node_modules`: a stand-in where there is no
 * network.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { copyWithoutScripts } from '../../support/packed.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Registry {
  readonly url: string;
  stop(): Promise<void>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** The packages that a user gets, according to the lock file. */
function production(): string[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .map(([path]) => path);
}

export async function startRegistry(workdir: string): Promise<Registry> {
  const tarballs = join(workdir, 'tarballs');
  mkdirSync(tarballs, { recursive: true });
  const paths = production();
  const copies = paths.map((path) => join(workdir, 'to-pack', path));
  for (const [i, path] of paths.entries()) {
    const names = readdirSync(join(ROOT, path)).filter((name) => name !== 'node_modules');
    copyWithoutScripts(join(ROOT, path), copies[i] ?? '', names);
  }
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', tarballs, ...copies],
    { cwd: ROOT, maxBuffer: 64 << 20 },
  );
  const files = new Map(
    (JSON.parse(stdout) as (Manifest & { readonly filename: string })[]).map(({ name, filename }) => [
      name,
      readFileSync(join(tarballs, filename.replace('@', '').replace('/', '-'))),
    ]),
  );
  const manifests = new Map(
    paths.map((path) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as Manifest;
      return [manifest.name, manifest];
    }),
  );
  const server = createServer((request, response) => {
    const [, name = '', wanted] = /^\/(.+?)(\.tgz)?$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
    const manifest = manifests.get(name);
    const bytes = files.get(name);
    if (manifest === undefined || bytes === undefined) {
      response.writeHead(404).end('{}');
    } else if (wanted !== undefined) {
      response.end(bytes);
    } else {
      const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
      const tarball = `http://${request.headers.host ?? ''}/${name}.tgz`;
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          name,
          'dist-tags': { latest: manifest.version },
          versions: { [manifest.version]: { ...manifest, dist: { tarball, integrity } } },
        }),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
