import { expect, it } from 'vitest';
import type { Correspondence } from '../../../src/core/check.ts';
import {
  claimsUs,
  dnsShare,
  heloChanged,
  heloChurn,
  type SessionFacts,
} from '../../../src/core/checks/session.ts';
import { makeClient } from '../../../src/core/client.ts';
import { parseIp } from '../../../src/core/ip.ts';

const OURS = ['192.0.2.10', '2001:db8::10'].map(parseIp).filter((address) => address !== null);
const FACTS: SessionFacts = {
  ourNames: ['dest.org', 'mx.other.org'],
  ourAddresses: OURS,
  previousHelo: null,
  namesSeen: 1,
  churnLimit: 10,
  denied: null,
  shareUsedUp: false,
};

it.each([
  [true, 'dns-share'],
  [false, null],
])('a share used up (%s) is %s', (shareUsedUp, id) => {
  const outcome = dnsShare.run(makeClient('192.0.2.1', 'mail.org'), { ...FACTS, shareUsedUp }, 'none');
  expect(outcome.finding?.id ?? null).toBe(id);
});

it.each<[string | null, string, Correspondence, string]>([
  ['203.0.113.1', 'dest.org', 'none', 'helo-claims-us'],
  ['203.0.113.1', 'MX.Dest.Org.', 'none', 'helo-claims-us'],
  ['203.0.113.1', 'mx.other.org', 'aligned', 'helo-claims-us'],
  ['203.0.113.1', 'other.org', 'none', 'pass'],
  ['203.0.113.1', 'notdest.org', 'none', 'pass'],
  ['203.0.113.1', '[192.0.2.10]', 'none', 'helo-claims-us'],
  ['203.0.113.1', '[IPv6:2001:db8::10]', 'none', 'helo-claims-us'],
  ['203.0.113.1', '192.0.2.10', 'none', 'helo-claims-us'],
  ['203.0.113.1', '[192.0.2.11]', 'none', 'pass'],
  [null, 'dest.org', 'none', 'helo-claims-us'],
  // A host of ours that its own records vouch for, and we ourselves.
  ['203.0.113.1', 'branch.dest.org', 'exact', 'pass'],
  ['203.0.113.1', 'branch.dest.org', 'authorized', 'pass'],
  ['192.0.2.10', 'dest.org', 'none', 'none'],
  ['203.0.113.1', 'this is', 'none', 'none'],
])('%s saying %j (%s): %s', (ip, helo, correspondence, wanted) => {
  const { finding, result } = claimsUs.run(makeClient(ip, helo), FACTS, correspondence);
  expect(finding?.id ?? result).toBe(wanted);
});

it.each([
  [null, 'a.org', 'none'],
  ['a.org', 'A.org', 'pass'],
  ['a.org', 'b.org', 'helo-changed'],
  ['a.org', '', 'none'],
])('%j, then %j: %s', (previousHelo, helo, wanted) => {
  const { finding, result } = heloChanged.run(makeClient(null, helo), { ...FACTS, previousHelo }, 'none');
  expect(finding?.id ?? result).toBe(wanted);
});

it.each([
  [10, 'a.org', 'pass'],
  [11, 'a.org', 'helo-churn'],
  [11, '', 'none'],
])('%i names, this one %j: %s', (namesSeen, helo, wanted) => {
  const { finding, result } = heloChurn.run(makeClient(null, helo), { ...FACTS, namesSeen }, 'none');
  expect(finding?.id ?? result).toBe(wanted);
});
