import { expect, it } from 'vitest';
import type { Check } from '../../../src/core/check.ts';
import * as domain from '../../../src/core/checks/domain.ts';
import { outcome, run } from '../../support/checked.ts';

it.each<[Check, string, string]>([
  [domain.heloMissing, '', 'helo-missing'],
  [domain.heloMissing, 'x', 'pass'],
  [domain.heloSyntax, 'this is Jupiter', 'helo-syntax'],
  [domain.heloSyntax, '2001:db8::1', 'helo-syntax'],
  [domain.heloSyntax, 'x'.repeat(300), 'helo-syntax'],
  [domain.heloSyntax, 'Jupiter', 'pass'],
  [domain.heloSyntax, '192.0.2.1', 'pass'],
  [domain.heloSyntax, '[192.0.2.1]', 'pass'],
  [domain.heloSyntax, '', 'none'],
  [domain.heloUnderscore, 'a_b.example.org', 'helo-underscore'],
  [domain.heloUnderscore, 'a-b.example.org', 'none'],
  [domain.heloTrailingDot, 'example.org.', 'helo-trailing-dot'],
  [domain.heloTrailingDot, 'example.org', 'none'],
  [domain.heloBareIp, '192.0.2.1', 'helo-bare-ip'],
  [domain.heloBareIp, '2001:db8::1', 'helo-bare-ip'],
  [domain.heloBareIp, '[192.0.2.1]', 'none'],
  [domain.heloBareIp, '192.0.2.1.example.org', 'none'],
  [domain.heloNotFqdn, 'Jupiter', 'helo-not-fqdn'],
  [domain.heloNotFqdn, 'jupiter.example.org', 'pass'],
  [domain.heloNotFqdn, '[192.0.2.1]', 'none'],
  [domain.heloSpecialUse, 'printer.local', 'helo-special-use'],
  [domain.heloSpecialUse, 'mail.example.com', 'pass'],
  [domain.heloSpecialUse, '', 'none'],
  [domain.heloNumericTld, 'mail.example.1', 'helo-numeric-tld'],
  [domain.heloNumericTld, '1', 'none'],
  [domain.heloNumericTld, 'mail.example.org', 'none'],
  [domain.heloPublicSuffix, 'co.uk', 'helo-public-suffix'],
  [domain.heloPublicSuffix, 'CO.UK.', 'helo-public-suffix'],
  [domain.heloPublicSuffix, 'github.io', 'none'],
  [domain.heloPublicSuffix, 'a.co.uk', 'none'],
  [domain.heloPublicSuffix, 'com', 'none'],
  [domain.heloPublicSuffix, '[192.0.2.1]', 'none'],
])('$name of %j: %s', async (check, helo, wanted) => {
  expect(await outcome(check, '192.0.2.1', helo)).toBe(wanted);
});

it.each([
  [null, '192.0.2.1', '[192.0.2.1]'],
  [null, '2001:DB8::1', '[IPv6:2001:db8::1]'],
  ['192.0.2.1', '192.0.2.1', '[192.0.2.1]'],
  ['198.51.100.7', '192.0.2.1', '[198.51.100.7]'],
  ['2001:db8::7', '192.0.2.1', '[IPv6:2001:db8::7]'],
])('tells %s how to write its address where it says %s', async (client, helo, literal) => {
  const { finding } = await run(domain.heloBareIp, client, helo);
  expect(finding?.evidence['literal']).toBe(literal);
});
