/**
 * Counts the tests in vitest's JSON reports, and names those that failed, for whoever reads the end of a long
 * log: `node count.mjs DIRECTORY NAME...`. With CI=true in the environment a skipped test is a failure.
 */
import { readFileSync } from 'node:fs';

const [directory, ...names] = process.argv.slice(2);
const total = { passed: 0, failed: 0, pending: 0 };
for (const suite of names) {
  const report = JSON.parse(readFileSync(`${directory}/${suite}.json`));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests + report.numFailedTestSuites * (report.numFailedTests === 0 ? 1 : 0);
  total.pending += report.numPendingTests;
  for (const { name, message, status, assertionResults } of report.testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (status === 'failed' && failed.length === 0) console.log(`FAILED ${name}\n${message.slice(0, 2000)}`);
    for (const { fullName, failureMessages } of failed)
      console.log(`FAILED ${name}: ${fullName}\n${failureMessages.join('\n').slice(0, 2000)}`);
  }
}
if (total.pending > 0) console.log(`${total.pending} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(
  total.passed === 0 || total.failed > 0 || (process.env.CI === 'true' && total.pending > 0) ? 1 : 0,
);
