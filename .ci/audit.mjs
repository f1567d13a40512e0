// Asks the registry for known faults in what is shipped: the production dependencies of the lock file. Ends
// with 1 if there is one. A registry that does not answer such questions, as a mirror may not, is said and
// fails nothing: it is no fault of the tree.
import { spawnSync } from 'node:child_process';

const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
const answer = read(stdout ?? '');
const found = Object.values(answer.vulnerabilities ?? {});
if (answer.vulnerabilities === undefined) {
  const why = error?.message ?? answer.message ?? answer.error?.summary ?? 'no answer';
  console.log(`npm audit: NOT DONE, the registry does not answer it (${String(why).slice(0, 100)})`);
} else {
  for (const { name, severity, range } of found) console.log(`npm audit: ${severity} in ${name} ${range}`);
  console.log(`npm audit: ${found.length} of the production dependencies with a known fault`);
  process.exitCode = found.length === 0 ? 0 : 1;
}

function read(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
