// `npm run faults [-- --soak MINUTES]`: all faults of test/mta/kit/faults.ts, or a random one each minute.
// Writes what happened into docs/reliability.md.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { soak: { type: 'string' } } });
const settings = values.soak === undefined ? { FAULTS: 'all' } : { SOAK_MINUTES: values.soak };
const words = ['npx', 'vitest', 'run', '--project', 'mta', 'test/mta/faults.test.ts', '--reporter=default'];
const { status } = spawnSync('test/mta/own-network', words, {
  stdio: 'inherit',
  env: { ...process.env, ...settings },
});
process.exit(status ?? 1);
