// Builds dist/. It is made beside the old one and put in its place when it is whole: a service or a test that
// runs from dist meanwhile finds all of it, and a build that fails changes nothing.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const next = path('.dist-next');

/** Runs a program of Node's; its failure is ours. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: path('.'), stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(next, { recursive: true, force: true });
run(path('node_modules/typescript/bin/tsc'), '-p', path('tsconfig.build.json'), '--outDir', next);
chmodSync(`${next}/cli.js`, 0o755);
run(path('scripts/page.mjs'), `${next}/page.html`);
run(path('scripts/put-in-place.mjs'), next, path('dist'));
