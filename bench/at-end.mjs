// Loaded before a program (node --import): at its end it writes what it has cost to the file named in
// BENCH_AT_END: CPU in microseconds, and the most memory that was resident, in KiB.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeFileSync(
    process.env.BENCH_AT_END,
    JSON.stringify({ cpu: userCPUTime + systemCPUTime, memory: maxRSS }),
  );
});
