/**
 * The official test suite, which lies beside the repository: 203 tests, and 179 of them again as HELO
 * identity.
 */
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { parseIp, type IpAddress } from '../../../src/core/ip.ts';
import { checkHelo, checkHost, type SpfOutcome } from '../../../src/core/spf/index.ts';
import { readSuite, SUITE_FILE, type SuiteCase } from './suite.ts';

const present = existsSync(SUITE_FILE);
const cases = present ? readSuite() : [];
const asHelo = cases.filter(({ section }) => section !== 'Macro expansion rules');
const explained = cases.filter(({ explanation }) => typeof explanation === 'string');
const passed = { suite: 0, explanations: 0, helo: 0 };
const options = { now: () => 1_000_000 };

function addressOf({ host }: SuiteCase): IpAddress {
  const ip = parseIp(host);
  if (ip === null) throw new Error(`the suite has an address that we cannot read: ${host}`);
  return ip;
}

function domainOf({ mailfrom, helo }: SuiteCase): string {
  return mailfrom === '' ? helo : mailfrom.slice(mailfrom.lastIndexOf('@') + 1);
}

function run(test: SuiteCase): Promise<SpfOutcome> {
  const sender = test.mailfrom === '' ? `postmaster@${test.helo}` : test.mailfrom;
  const request = { ip: addressOf(test), domain: domainOf(test), sender, helo: test.helo };
  return checkHost(request, test.resolver, options);
}

if (!present) {
  const message = `RFC 7208 suite: SKIPPED, there is no ../shared/rfc7208/rfc7208-tests.yml`;
  it.skipIf(process.env['CI'] !== 'true')('has the official suite', () => {
    expect.fail(message);
  });
  process.stderr.write(`${message}\n`);
}

describe.runIf(present)('the official suite', () => {
  it('has 203 tests, 14 of them with an explanation', () => {
    expect(cases.length).toBe(203);
    expect(explained.length).toBe(14);
    expect(asHelo.length).toBe(179);
  });

  it.each(cases)('$section: $name', async (test) => {
    const { result, explanation } = await run(test);
    expect(test.results).toContain(result);
    passed.suite++;
    if (test.explanation === undefined) return;
    expect(explanation).toBe(test.explanation);
    if (typeof test.explanation === 'string') passed.explanations++;
  });

  it.each(asHelo)('as HELO identity: $section: $name', async (test) => {
    const { result } = await checkHelo(addressOf(test), domainOf(test), test.resolver, options);
    expect(test.results).toContain(result);
    passed.helo++;
  });

  afterAll(() => {
    process.stdout.write(
      `RFC 7208 suite: ${passed.suite}/203, explanations ${passed.explanations}/14, ` +
        `as HELO identity ${passed.helo}/179\n`,
    );
  });
});
