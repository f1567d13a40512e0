// `npm run faults [-- --only WORDS | --soak MINUTES]`: all faults of test/mta/kit/faults.ts, those with these
// words in their titles, or a random one each minute. Writes what happened into docs/reliability.md, but for
// `--only`, which prints it.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { only: { type: 'string' }, soak: { type: 'string' } } });
const faults = { FAULTS: 'all', FAULTS_ONLY: values.only ?? '' };
const settings = values.soak === undefined ? faults : { SOAK_MINUTES: values.soak };
const words = ['npx', 'vitest', 'run', '--project', 'mta', 'test/mta/faults.test.ts', '--reporter=default'];
const { status } = spawnSync('test/mta/own-network', words, {
  stdio: 'inherit',
  env: { ...process.env, ...settings },
});
process.exit(status ?? 1);
