// Asks the registry for known faults in what is shipped: the production dependencies of the lock file. Ends
// with 1 if there is one. A registry that does not answer such questions, as a mirror may not, is said and
// fails nothing: it is no fault of the tree.
import { spawnSync } from 'node:child_process';

// An answer that is cut would count as none.
const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const answer = read(stdout ?? '');
const told = answer.vulnerabilities;
if (typeof told !== 'object' || told === null) {
  const why = error?.message ?? answer.message ?? answer.error?.summary ?? 'no answer';
  console.log(`npm audit: NOT DONE, the registry does not answer it (${shown(why)})`);
} else {
  const found = Object.values(told);
  for (const each of found) {
    const { name, severity, range } = each ?? {};
    console.log(`npm audit: ${shown(severity)} in ${shown(name)} ${shown(range)}`);
  }
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

// The registry's words, on one line: CI takes a line that begins with colons for a command.
function shown(text) {
  return String(text)
    .slice(0, 100)
    .replaceAll(/[^\x20-\x7e]/g, '?');
}
